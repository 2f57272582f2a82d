// Bytes and texts, without what a mini-program lacks (TextEncoder, btoa, URLSearchParams).
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** UTF-8 of a text. */
function utf8(text) {
  const escaped = encodeURIComponent(text)
  const found = []
  for (let at = 0; at < escaped.length; at++) {
    if (escaped[at] === '%') found.push(parseInt(escaped.slice(at + 1, (at += 2) + 1), 16))
    else found.push(escaped.charCodeAt(at))
  }
  return Uint8Array.from(found)
}

/** base64url without padding (RFC 7515, section 2). */
function base64url(bytes) {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0)
    const letters = [18, 12, 6, 0].map((shift) => LETTERS[(group >> shift) & 63]).join('')
    text += letters.slice(0, Math.min(4, bytes.length - at + 1))
  }
  return text
}

/** base64 with padding, as addresses of pictures want it. */
function base64(bytes) {
  const plain = base64url(bytes).replace(/-/g, '+').replace(/_/g, '/')
  return plain + '='.repeat((4 - (plain.length % 4)) % 4)
}

/** A form as application/x-www-form-urlencoded; what is undefined is left out. */
function form(fields) {
  return Object.keys(fields)
    .filter((name) => fields[name] !== undefined)
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(fields[name])}`)
    .join('&')
}

/** The parameters of an address. */
function query(address) {
  const found = {}
  const asked = address.split('#')[0].split('?')[1] || ''
  for (const part of asked.split('&').filter(Boolean)) {
    const [name, value = ''] = part.split('=')
    found[decodeURIComponent(name)] = decodeURIComponent(value.replace(/\+/g, ' '))
  }
  return found
}

module.exports = { utf8, base64url, base64, form, query }
