// SHA-256 (FIPS 180-4), for PKCE and DPoP: tweetnacl has SHA-512 alone. Tested against Node's own.
const first = (power) => {
  const found = []
  for (let n = 2; found.length < 64; n++) {
    if (found.some(([prime]) => n % prime === 0)) continue
    const root = Math.pow(n, 1 / power)
    found.push([n, ((root - Math.floor(root)) * 0x100000000) | 0])
  }
  return found.map(([, bits]) => bits)
}
const K = first(3)
const H = first(2).slice(0, 8)
const turn = (word, by) => (word >>> by) | (word << (32 - by))

/** The digest of bytes. */
function sha256(bytes) {
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000))
  view.setUint32(padded.length - 4, bytes.length << 3)
  const hash = H.slice()
  const w = new Int32Array(64)
  for (let at = 0; at < padded.length; at += 64) {
    for (let t = 0; t < 16; t++) w[t] = view.getInt32(at + 4 * t)
    for (let t = 16; t < 64; t++) {
      const s0 = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ (w[t - 15] >>> 3)
      const s1 = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ (w[t - 2] >>> 10)
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0
    }
    let [a, b, c, d, e, f, g, h] = hash
    for (let t = 0; t < 64; t++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + w[t]) | 0
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0]
    }
    ;[a, b, c, d, e, f, g, h].forEach((word, place) => (hash[place] = (hash[place] + word) | 0))
  }
  const out = new DataView(new ArrayBuffer(32))
  hash.forEach((word, place) => out.setInt32(4 * place, word))
  return new Uint8Array(out.buffer)
}

module.exports = { sha256 }
