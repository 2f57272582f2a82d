// A wallet built on npm @openid4vc: takes an offer, keeps copies, answers a verifier's question. A line in, a line out.
import { createHash, generateKeyPairSync, randomBytes, sign, verify, createPublicKey } from "node:crypto";
import { createInterface } from "node:readline";
import { clientAuthenticationNone, setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import { Openid4vpClient } from "@openid4vc/openid4vp";

setGlobalConfig({ allowInsecureUrls: true });  // the cities of tests are at home, without TLS
const keys = new Map();  // a public key, by its point -> its private one
const name = (jwk) => `${jwk.x}.${jwk.y}`;
const packed = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const unpacked = (part) => JSON.parse(Buffer.from(part, "base64url"));
const digest = (text) => createHash("sha256").update(text).digest("base64url");

function freshKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
  keys.set(name({ x, y }), privateKey);
  return { kty, crv, x, y };
}

function signed(jwk, header, payload) {
  const said = `${packed(header)}.${packed(payload)}`;
  const bytes = sign("sha256", Buffer.from(said), { key: keys.get(name(jwk)), dsaEncoding: "ieee-p1363" });
  return `${said}.${bytes.toString("base64url")}`;
}

// The verifier's keys, fetched from where its identifier says that they are.
async function vouched(signer, { header, payload, compact }) {
  const issuer = payload.client_id.replace(/^[a-z_]+:(?=https?:)/, "");
  const { keys: known } = await (await fetch(`${issuer}/.well-known/jwks.json`)).json();
  const jwk = known.find((one) => one.kid === header.kid);
  if (!jwk) return { verified: false };
  const at = compact.lastIndexOf(".");
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const good = verify("sha256", Buffer.from(compact.slice(0, at)), key, Buffer.from(compact.slice(at + 1), "base64url"));
  return good ? { verified: true, signerJwk: jwk } : { verified: false, signerJwk: jwk };
}

const callbacks = {
  hash: (data, alg) => createHash(alg.replace("-", "")).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  signJwt: (signer, { header, payload }) => ({ jwt: signed(signer.publicJwk, header, payload), signerJwk: signer.publicJwk }),
  verifyJwt: vouched,
  encryptJwe: () => { throw new Error("nothing is encrypted here"); },
  decryptJwe: () => { throw new Error("nothing is encrypted here"); },
  clientAuthentication: clientAuthenticationNone({ clientId: "a-wallet" }),
};
const issuance = new Openid4vciClient({ callbacks });
const presenting = new Openid4vpClient({ callbacks });

async function receive({ offer, words, count }) {
  const credentialOffer = await issuance.resolveCredentialOffer(offer);
  const issuerMetadata = await issuance.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const [wanted] = credentialOffer.credential_configuration_ids;
  const publicJwk = freshKey();
  const token = await issuance.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode: words, dpop: { signer: { method: "jwk", alg: "ES256", publicJwk } },
  });
  const { c_nonce: nonce } = await issuance.requestNonce({ issuerMetadata });
  const jwks = Array.from({ length: count }, freshKey);
  const proofs = [];
  for (const one of jwks) {
    const { jwt } = await issuance.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: wanted, nonce, signer: { method: "jwk", alg: "ES256", publicJwk: one },
    });
    proofs.push(jwt);
  }
  const { credentialResponse } = await issuance.retrieveCredentials({
    issuerMetadata, credentialConfigurationId: wanted, proofs: { jwt: proofs },
    accessToken: token.accessTokenResponse.access_token, dpop: token.dpop,
  });
  return { copies: credentialResponse.credentials.map(({ credential }, n) => ({ jwk: jwks[n], sd_jwt: credential })),
    version: issuerMetadata.originalDraftVersion, tokenType: token.accessTokenResponse.token_type };
}

async function present({ uri, copy }) {
  const request = presenting.parseOpenid4vpAuthorizationRequest({ authorizationRequest: uri });
  const asked = await presenting.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: request.params });
  const question = asked.authorizationRequestPayload;
  const [issued, ...rest] = copy.sd_jwt.split("~");
  const claims = new Map(rest.filter(Boolean).map((one) => [unpacked(one)[1], one]));
  const query = asked.dcql.query.credentials.find((one) => one.claims.every(({ path: [claim], values }) =>
    claims.has(claim) && (!values || values.includes(unpacked(claims.get(claim))[2]))));
  if (!query) return { refused: "this copy does not answer the question" };
  const bound = [issued, ...query.claims.map(({ path: [claim] }) => claims.get(claim)), ""].join("~");
  const said = { iat: Math.floor(Date.now() / 1000), aud: question.client_id, nonce: question.nonce, sd_hash: digest(bound) };
  const presentation = bound + signed(copy.jwk, { alg: "ES256", typ: "kb+jwt" }, said);
  const made = await presenting.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: question, authorizationResponsePayload: { vp_token: { [query.id]: [presentation] } },
  });
  const { response } = await presenting.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: question, authorizationResponsePayload: made.authorizationResponsePayload,
  });
  return { status: response.status, answer: await response.json(), version: asked.version, asked: query.claims };
}

const able = { receive, present };
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...question } = JSON.parse(line);
  let answer;
  try {
    answer = await able[what](question);
  } catch (error) {
    answer = { refused: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
