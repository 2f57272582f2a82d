// A merchant's system that asks a citizen for a standing consent: PAR with authorization_details, code, check, refresh.
// The browser's part is played by whoever reads our lines.
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'
import { discover, heeding, plain, proofs, tell } from './client.mjs'

const { base_url: base, kit, details } = JSON.parse(process.argv[2])
const { as, rs } = await discover(base)
const client = { client_id: kit.client_id }
const { kty, crv, x, y, d } = kit.jwk
const key = await crypto.subtle.importKey(
  'jwk', { kty, crv, x, y, d }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const auth = oauth.PrivateKeyJwt({ key, kid: kit.jwk.kid })
const DPoP = await proofs(client)
const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const [back] = kit.redirect_uris

const pushed = await heeding(async () => {
  const answer = await oauth.pushedAuthorizationRequest(as, client, auth, {
    response_type: 'code', redirect_uri: back, state, resource: rs.resource,
    authorization_details: JSON.stringify([{ ...details, locations: [rs.resource] }]),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }, { DPoP, ...plain })
  return oauth.processPushedAuthorizationResponse(as, client, answer)
})
const address = new URL(as.authorization_endpoint)
address.searchParams.set('client_id', client.client_id)
address.searchParams.set('request_uri', pushed.value.request_uri)
tell({ open: address.href })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const given = oauth.validateAuthResponse(as, client, new URL((await lines.next()).value), state)
const token = await heeding(async () => {
  const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, given, back, verifier, { DPoP, ...plain })
  return oauth.processAuthorizationCodeResponse(as, client, answer)
})

async function check(access) {
  const [{ perk, subject }] = token.value.authorization_details
  const question = JSON.stringify({ perk, holder: { subject } })
  const headers = new Headers({ 'content-type': 'application/json' })
  const how = { DPoP, ...plain }
  const answer = await oauth.protectedResourceRequest(
    access, 'POST', new URL('/v1/partner/eligibility', base), headers, question, how)
  return { status: answer.status, body: await answer.json() }
}
const told = await heeding(() => check(token.value.access_token))
const renewed = await heeding(async () => {
  const answer = await oauth.refreshTokenGrantRequest(as, client, auth, token.value.refresh_token, { DPoP, ...plain })
  return oauth.processRefreshTokenResponse(as, client, answer)
})
const again = await heeding(() => check(renewed.value.access_token))
const seen = await heeding(async () => {
  const answer = await oauth.introspectionRequest(as, client, auth, renewed.value.access_token, plain)
  return oauth.processIntrospectionResponse(as, client, answer)
})
const gone = await oauth.revocationRequest(as, client, auth, token.value.refresh_token, plain)
const revoked = await oauth.processRevocationResponse(gone).then(() => gone.status)
const after = await check(renewed.value.access_token).then((one) => one.status, (error) => error.status)
tell({ token: token.value, told: told.value, renewed: renewed.value, again: again.value, seen: seen.value, revoked, after })
process.exit(0)
