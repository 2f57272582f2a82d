// A merchant's system: private_key_jwt, DPoP, a check, and the receipt verified by the published keys.
import * as oauth from 'oauth4webapi'
import * as jose from 'jose'
import { discover, heeding, plain, proofs, tell } from './client.mjs'

const { base_url: base, kit, code, perk } = JSON.parse(process.argv[2])
const { as, rs } = await discover(base)
const client = { client_id: kit.client_id }
const key = await crypto.subtle.importKey('jwk', bare(kit.jwk), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const auth = oauth.PrivateKeyJwt({ key, kid: kit.jwk.kid })
const DPoP = await proofs(client)

const token = await heeding(async () => {
  const asked = { scope: kit.scopes.join(' '), resource: rs.resource }
  const answer = await oauth.clientCredentialsGrantRequest(as, client, auth, asked, { DPoP, ...plain })
  return oauth.processClientCredentialsResponse(as, client, answer)
})

let sent
const keep = (url, options) => {
  sent = new Request(url, { ...options, body: undefined })
  return fetch(url, options)
}
const question = JSON.stringify({ perk, holder: { code }, amount: 9900 })
const told = await heeding(async () => {
  const headers = new Headers({ 'content-type': 'application/json' })
  const address = new URL('/v1/partner/eligibility', base)
  const how = { DPoP, [oauth.customFetch]: keep, ...plain }
  const answer = await oauth.protectedResourceRequest(token.value.access_token, 'POST', address, headers, question, how)
  return { status: answer.status, body: await answer.json() }
})

// As another resource server would judge our token and proof.
const claims = await oauth.validateJwtAccessToken(as, sent, rs.resource, { requireDPoP: true, ...plain })

const keys = jose.createRemoteJWKSet(new URL(as.jwks_uri))
const { payload, protectedHeader } = await jose.jwtVerify(told.value.body.receipt, keys, {
  issuer: base, typ: 'decision-receipt+jwt', algorithms: ['EdDSA', 'Ed25519'],
})
const forged = told.value.body.receipt.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
const refused = await jose.jwtVerify(forged, keys).then(() => 'accepted', (error) => error.code)

tell({ rs, token: token.value, told: told.value, claims, receipt: payload, header: protectedHeader, forged: refused })

function bare({ kty, crv, x, y, d }) {
  return { kty, crv, x, y, d }
}
