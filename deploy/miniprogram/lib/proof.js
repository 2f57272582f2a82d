// The key of this start of the mini-program, and its DPoP proofs (RFC 9449), by Ed25519 (RFC 8037).
// The key lives in memory alone: whoever finds the telephone's storage finds nothing.
const nacl = require('./nacl/nacl-fast.min.js')
const { base64url, utf8 } = require('./bytes.js')
const { sha256 } = require('./sha256.js')

const json = (value) => base64url(utf8(JSON.stringify(value)))

class Key {
  /** `seed`: 64 bytes of wx.getRandomValues; half make the key, half everything else that must be random. */
  constructor(seed) {
    this.pair = nacl.sign.keyPair.fromSeed(seed.slice(0, 32))
    this.secret = seed.slice(32, 64)
    this.turn = 0
    this.jwk = { kty: 'OKP', crv: 'Ed25519', x: base64url(this.pair.publicKey) }
  }

  /** Text that nobody can guess: 43 characters, another one each time. */
  chance() {
    this.turn += 1
    return base64url(nacl.hash(Uint8Array.from([...this.secret, ...utf8(String(this.turn))])).slice(0, 32))
  }

  /** A proof for one request. `htu` is without query and fragment. */
  proof({ htm, htu, nonce, token, now }) {
    const claims = { jti: this.chance(), htm, htu, iat: Math.floor(now / 1000) }
    if (nonce) claims.nonce = nonce
    if (token) claims.ath = base64url(sha256(utf8(token)))
    const signed = `${json({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: this.jwk })}.${json(claims)}`
    return `${signed}.${base64url(nacl.sign.detached(utf8(signed), this.pair.secretKey))}`
  }
}

module.exports = { Key }
