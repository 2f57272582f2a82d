// A merchant's whole client. Needs Node 18 or newer and no package. Copy it and make it yours.
// node merchant.mjs KIT CLIENT check PERK CODE FEN           may this person go without the deposit?
// node merchant.mjs KIT CLIENT order PERK CODE FEN NUMBER    the same, then a whole order: open, start, return, settle
// node merchant.mjs KIT CLIENT webhook SECRET ID TIMESTAMP SIGNATURE BODY    did the city send this?
import * as crypto from 'node:crypto'
import { readFileSync } from 'node:fs'
const [kit, client, what, ...words] = process.argv.slice(2)
const { base_url: BASE, issuer: ISSUER, clients: { [client]: ME } } = JSON.parse(readFileSync(kit, 'utf8'))
const { kty, crv, x, y, d, kid } = ME.jwk
const KEY = crypto.createPrivateKey({ key: { kty, crv, x, y, d }, format: 'jwk' })
const b64 = (value) => Buffer.from(value).toString('base64url')
const now = () => Math.floor(Date.now() / 1000)
let nonce, access, until = 0 // the server's DPoP nonce; our token, and when it ends
function signed(header, claims) { // a JWT (RFC 7515), used once
  const parts = [{ alg: 'ES256', ...header }, { jti: crypto.randomUUID(), iat: now(), ...claims }]
  const text = parts.map((part) => b64(JSON.stringify(part))).join('.')
  return `${text}.${b64(crypto.sign('sha256', Buffer.from(text), { key: KEY, dsaEncoding: 'ieee-p1363' }))}`
}

function proof(url, token) { // that we hold the key (RFC 9449): afresh for each request
  const ath = token && crypto.createHash('sha256').update(token).digest('base64url')
  return signed({ typ: 'dpop+jwt', jwk: { kty, crv, x, y } }, { htm: 'POST', htu: url, nonce, ath })
}

async function send(path, body, headers, token) { // again with the same key until there is an answer
  for (let turn = 0; turn < 8; turn++) {
    const held = { ...headers, DPoP: proof(BASE + path, token), ...(token && { Authorization: `DPoP ${token}` }) }
    const asked = { method: 'POST', body: body(), headers: held, signal: AbortSignal.timeout(10_000) }
    const answer = await fetch(BASE + path, asked).catch(() => null) // null: perhaps it was done, perhaps not
    const text = await answer?.text().catch(() => '') ?? ''
    nonce = answer?.headers.get('DPoP-Nonce') ?? nonce
    if (text.includes('use_dpop_nonce')) continue // told the nonce: the same with it
    const said = text && answer.status < 500 ? JSON.parse(text) : { retryable: true }
    if (!said.retryable) return { status: answer.status, said }
    await new Promise((done) => setTimeout(done, 1000 * (answer?.headers.get('Retry-After') ?? 2 ** turn)))
  }
  throw new Error(`No answer yet: use your standard route, and send the same with the same key later.`)
}

async function token() { // who we are (RFC 7523); good for five minutes
  if (now() < until) return access
  const form = () => new URLSearchParams({ grant_type: 'client_credentials', scope: ME.scopes.join(' '),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signed({ kid }, { iss: ME.client_id, sub: ME.client_id, aud: ISSUER, exp: now() + 60 }) })
  const { said } = await send('/oauth/token', form, {})
  until = now() + said.expires_in - 20 || 0
  return access = said.access_token
}

async function call(path, body, key) { // one call; the key is ours and stays the same when it is repeated
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key }
  const { status, said } = await send(path, () => JSON.stringify(body), headers, await token())
  console.log(status, JSON.stringify(said))
  return status < 300 ? said : process.exit(1)
}

async function receipt(text) { // what the city signed, for your files (RFC 7515, EdDSA)
  const [head, claims, signature] = text.split('.')
  const { keys } = await (await fetch(`${BASE}/.well-known/jwks.json`)).json()
  const key = crypto.createPublicKey({ key: keys.find((one) => one.kid === 'rcpt-1'), format: 'jwk' })
  const good = crypto.verify(null, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))
  return good ? JSON.parse(Buffer.from(claims, 'base64url')) : {}
}

function genuine(secret, id, moment, signatures, body) { // as Standard Webhooks 1.0.0 signs it; body: untouched
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const good = Buffer.from(`v1,${crypto.createHmac('sha256', key).update(`${id}.${moment}.${body}`).digest('base64')}`)
  const same = (one) => one.length === good.length && crypto.timingSafeEqual(Buffer.from(one), good)
  return Math.abs(now() - moment) < 300 && signatures.split(' ').some(same)
}
if (what === 'webhook') process.exit(genuine(...words) ? 0 : 1)
const [perk, code, fen, number = crypto.randomUUID()] = words
const question = { perk, holder: { code }, amount: Number(fen) }
const told = await call('/v1/partner/eligibility', question, `${number}-check`)
if ((await receipt(told.receipt)).decision_id === told.decision_id && what === 'order' && told.result === 'granted') {
  const asked = { out_order_no: number, perk, decision_id: told.decision_id, deposit: Number(fen) }
  const { order_id } = await call('/v1/partner/orders', asked, `${number}-open`)
  for (const [action, body] of [['start', {}], ['return', {}], ['settle', { items: [] }]])
    await call(`/v1/partner/orders/${order_id}/${action}`, body, `${number}-${action}`)
}
