// What both foreign clients share: discovery, one key for proofs, and one repeat when the server wants its nonce.
import * as oauth from 'oauth4webapi'

export const plain = { [oauth.allowInsecureRequests]: true } // loopback without TLS

export async function discover(address) {
  const issuer = new URL(address)
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain })
  const resource = new URL('/v1', issuer)
  const described = await oauth.resourceDiscoveryRequest(resource, plain)
  return {
    as: await oauth.processDiscoveryResponse(issuer, found),
    rs: await oauth.processResourceDiscoveryResponse(resource, described),
  }
}

export async function proofs(client) {
  return oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
}

// `act` sends and reads; told to use a nonce, it is done once more. Says whether that was needed.
export async function heeding(act) {
  try {
    return { value: await act(), nonceWanted: false }
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return { value: await act(), nonceWanted: true }
  }
}

export function tell(what) {
  process.stdout.write(JSON.stringify(what) + '\n')
}
