// A citizens' app: a public client with PAR, PKCE and DPoP. The browser's part is played by whoever reads our lines.
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'
import { discover, heeding, plain, proofs, tell } from './client.mjs'

const { base_url: base, citizen_client: registered } = JSON.parse(process.argv[2])
const { as, rs } = await discover(base)
const client = { client_id: registered.client_id }
const DPoP = await proofs(client)
const none = oauth.None()
const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()

const pushed = await heeding(async () => {
  const answer = await oauth.pushedAuthorizationRequest(as, client, none, {
    response_type: 'code', redirect_uri: registered.redirect_uri, scope: registered.scope, state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }, { DPoP, ...plain })
  return oauth.processPushedAuthorizationResponse(as, client, answer)
})
const address = new URL(as.authorization_endpoint)
address.searchParams.set('client_id', client.client_id)
address.searchParams.set('request_uri', pushed.value.request_uri)
tell({ open: address.href })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const landed = new URL((await lines.next()).value)
const given = oauth.validateAuthResponse(as, client, landed, state) // checks state and iss (RFC 9207)
const token = await heeding(async () => {
  const answer = await oauth.authorizationCodeGrantRequest(
    as, client, none, given, registered.redirect_uri, verifier, { DPoP, ...plain })
  return oauth.processAuthorizationCodeResponse(as, client, answer)
})
const me = await heeding(async () => {
  const answer = await oauth.protectedResourceRequest(
    token.value.access_token, 'GET', new URL('/v1/me', base), undefined, null, { DPoP, ...plain })
  return { status: answer.status, body: await answer.json() }
})
const again = await oauth.authorizationCodeGrantRequest(
  as, client, none, given, registered.redirect_uri, verifier, { DPoP, ...plain })
const replay = { status: again.status, body: await again.json() }
const revoked = await oauth.protectedResourceRequest(
  token.value.access_token, 'GET', new URL('/v1/me', base), undefined, null, { DPoP, ...plain },
).then((answer) => answer.status, (error) => error.status)
tell({ rs, token: token.value, me: me.value, replay, revoked })
process.exit(0)
