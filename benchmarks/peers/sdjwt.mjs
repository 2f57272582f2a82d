// A peer of P7 on Node: @sd-jwt/sd-jwt-vc with node's own crypto. Run by benchmarks/credentials.py, which installs it
// into a temporary folder: a JSON question on standard input, the answers and the CPU that they took on standard output.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SDJwtInstance } from '@sd-jwt/core'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'

const given = JSON.parse(readFileSync(0, 'utf8'))
const form = { dsaEncoding: 'ieee-p1363' }
const city = createPublicKey({ key: given.public, format: 'jwk' })
const secret = createPrivateKey({ key: given.private, format: 'jwk' })
const holds = (key, data, signature) => verify('sha256', Buffer.from(data), { key, ...form }, Buffer.from(signature, 'base64url'))

const config = {
  hasher: (data) => new Uint8Array(createHash('sha256').update(typeof data === 'string' ? data : Buffer.from(data)).digest()),
  hashAlg: 'sha-256',
  saltGenerator: (length) => randomBytes(length).toString('base64url'),
  signer: async (data) => sign('sha256', Buffer.from(data), { key: secret, ...form }).toString('base64url'),
  signAlg: 'ES256',
  verifier: async (data, signature) => holds(city, data, signature),
  kbVerifier: async (data, signature, payload) => holds(createPublicKey({ key: payload.cnf.jwk, format: 'jwk' }), data, signature),
}
const issuer = new SDJwtVcInstance(config), verifier = new SDJwtInstance(config) // a VC one fetches its status each time

const check = (text) => verifier.verify(text, { currentDate: given.now, keyBindingNonce: given.nonce })
const issue = (claims) => issuer.issue(claims, given.frame, { header: given.header })

async function timed(rounds, every, one) {
  const spent = [], answers = []
  for (let round = 0; round < rounds; round++) {
    answers.length = 0
    const before = process.cpuUsage()
    for (const each of every) answers.push(await one(each))
    const { user, system } = process.cpuUsage(before)
    spent.push((user + system) / 1000 / every.length)
  }
  return { spent, answers }
}

const verified = await timed(given.rounds, given.presentations, check)
const issued = await timed(given.rounds, given.claims, issue)
process.stdout.write(JSON.stringify({
  verify: verified.spent,
  issue: issued.spent,
  read: verified.answers.map(({ payload }) => payload),
  credentials: issued.answers,
}))
