// What needs no server: bytes, digests, proofs, against Node's own.
const { createHash, createPublicKey, randomBytes, verify } = require('node:crypto')
const assert = require('node:assert')
const { test } = require('node:test')
const { base64, base64url, form, query, utf8 } = require('../lib/bytes.js')
const { Key } = require('../lib/proof.js')
const { sha256 } = require('../lib/sha256.js')

test('bytes are written as Node writes them, at every length', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = randomBytes(length)
    assert.equal(base64url(bytes), bytes.toString('base64url'))
    assert.equal(base64(bytes), bytes.toString('base64'))
    assert.equal(Buffer.from(sha256(bytes)).toString('hex'), createHash('sha256').update(bytes).digest('hex'))
  }
  assert.deepEqual(Buffer.from(utf8('桂花 %20+é😀')), Buffer.from('桂花 %20+é😀'))
})

test('forms and addresses survive every letter', () => {
  const fields = { a: 'x y+z&=', b: '桂花', c: undefined }
  assert.deepEqual(Object.fromEntries(new URLSearchParams(form(fields))), { a: 'x y+z&=', b: '桂花' })
  assert.deepEqual(query('https://x/y?code=a%2Bb&state=s+t#frag'), { code: 'a+b', state: 's t' })
  assert.deepEqual(query('https://x/y'), {})
})

test('a proof is a JWS of this key for this request, another one each time', () => {
  const key = new Key(randomBytes(64))
  const asked = { htm: 'GET', htu: 'https://c/v1/me', nonce: 'n', token: 't', now: 1_700_000_000_123 }
  const [head, claims, signature] = key.proof(asked).split('.')
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'))
  const publicKey = createPublicKey({ key: read(head).jwk, format: 'jwk' })
  assert.ok(verify(null, Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url')))
  assert.equal(read(head).jwk.d, undefined)
  const { jti, ...rest } = read(claims)
  const ath = createHash('sha256').update('t').digest('base64url')
  assert.deepEqual(rest, { htm: 'GET', htu: 'https://c/v1/me', iat: 1_700_000_000, nonce: 'n', ath })
  assert.notEqual(jti, read(key.proof(asked).split('.')[1]).jti)
})
