// A wallet, a verifier and an issuer by @sd-jwt/sd-jwt-vc: a JSON question a line, a JSON answer a line.
// Node's own crypto does the rest; nothing of ours is in here.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { createInterface } from 'node:readline'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'

const ES256 = { dsaEncoding: 'ieee-p1363' }
const signer = (jwk) => async (data) =>
  sign('sha256', Buffer.from(data), { key: createPrivateKey({ key: jwk, format: 'jwk' }), ...ES256 }).toString('base64url')
const holds = (jwk, data, signature) =>
  verify('sha256', Buffer.from(data), { key: createPublicKey({ key: jwk, format: 'jwk' }), ...ES256 }, Buffer.from(signature, 'base64url'))
const hasher = (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest())
const crypto = { hasher, hashAlg: 'sha-256', saltGenerator: (length) => randomBytes(length).toString('base64url') }

const answers = {
  async present({ credential, holder, frame, binding }) {
    const wallet = new SDJwtVcInstance({ ...crypto, kbSigner: signer(holder), kbSignAlg: 'ES256' })
    return { presentation: await wallet.present(credential, frame, { kb: { payload: binding } }) }
  },
  async verify({ presentation, city, nonce, now, lists }) {
    const check = async (data, signature) => holds(city, data, signature)
    const verifier = new SDJwtVcInstance({
      ...crypto,
      verifier: check,
      statusVerifier: check,
      kbVerifier: async (data, signature, payload) => holds(payload.cnf.jwk, data, signature),
      statusListFetcher: async (uri) => lists[uri],
    })
    const { payload, kb } = await verifier.verify(presentation, { currentDate: now, keyBindingNonce: nonce })
    return { payload, kb: kb?.payload }
  },
  async issue({ city, claims, frame, header }) {
    const issuer = new SDJwtVcInstance({ ...crypto, signer: signer(city), signAlg: 'ES256' })
    return { credential: await issuer.issue(claims, frame, { header }) }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const said = await answers[asked.do](asked).catch((error) => ({ refused: String(error.message ?? error) }))
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
