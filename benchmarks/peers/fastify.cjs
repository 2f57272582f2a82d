// A peer of P3 on Node: fastify and pg, the same crypto and the same SQL as an eligibility check. Run by
// benchmarks/eligibility.py, which installs both into a temporary folder and writes what is known to the environment.
"use strict";
const crypto = require("node:crypto");
const fastify = require("fastify")();
const { Pool } = require("pg");

const known = JSON.parse(process.env.BENCH_KNOWN);
const gate = new Pool({ connectionString: process.env.GATE_URL, max: 8 });
const short = new Pool({ connectionString: process.env.SHORT_URL, max: 8 });
const receipts = crypto.createPrivateKey(process.env.RECEIPT_KEY);
const head = Buffer.from('{"alg":"EdDSA","kid":"rcpt-1","typ":"decision-receipt+jwt"}').toString("base64url");
const keys = Object.fromEntries(Object.entries(known.keys).map(([token, [x, y]]) => [token, crypto.createPublicKey({
  format: "jwk",
  key: { kty: "EC", crv: "P-256", x: Buffer.from(x, "hex").toString("base64url"), y: Buffer.from(y, "hex").toString("base64url") },
})]));
const CHECK = `select * from incentives.check_once($1, $2, interval '130 s', $3, '{30}', interval '60 s',
  $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function uuid(text) {
  let value = 0n;
  for (const letter of text.slice(3)) value = value * 32n + BigInt(ALPHABET.indexOf(letter));
  const hex = value.toString(16).padStart(32, "0");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function shown(id) {
  let value = BigInt("0x" + id.replaceAll("-", "")), text = "";
  for (let place = 0; place < 26; place++, value /= 32n) text = ALPHABET[Number(value % 32n)] + text;
  return "dc_" + text;
}

let epoch;
const sha = (text) => crypto.createHash("sha256").update(text).digest();
const named = (name, text, values) => ({ name, text, values });

fastify.get("/healthz/live", async () => ({}));
fastify.post("/v1/partner/eligibility", async (request) => {
  const token = request.headers.authorization.slice(5);
  const [partner, jti] = known.tokens[token];
  const [header, payload, signature] = request.headers.dpop.split(".");
  const key = { key: keys[token], dsaEncoding: "ieee-p1363" };
  if (!crypto.verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))) throw new Error("proof");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  if (claims.htm !== "POST" || claims.ath !== sha(token).toString("base64url")) throw new Error("claims");
  if (Math.abs(Date.now() / 1000 - claims.iat) > 60) throw new Error("time");
  const { perk, holder, amount } = request.body;
  if (!epoch) epoch = (await short.query("select epoch from core.short_epoch")).rows[0].epoch;
  const decision = crypto.randomUUID();
  const counted = [`check|${partner}|node|${sha(holder.subject).toString("hex")}`];
  const values = [epoch, `dpop:${partner}:${claims.jti}`, counted, Buffer.from(jti, "hex"), perk, null, uuid(holder.subject), amount ?? null, null, null, "{}", decision,
    shown(decision), crypto.randomUUID()];
  const row = (await gate.query(named("check", CHECK, values))).rows[0];
  if (!row || !row.partner_id) throw new Error("replayed, limit or token");
  const told = { decision_id: shown(row.decision_id), result: row.granted ? "granted" : "standard_route", perk,
    terms: known.terms, valid_until: row.valid_until };
  const body = Buffer.from(JSON.stringify({ iss: "x", aud: partner, iat: 1, ...told })).toString("base64url");
  const signed = crypto.sign(null, Buffer.from(`${head}.${body}`), receipts).toString("base64url");
  return { ...told, receipt: `${head}.${body}.${signed}` };
});
fastify.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
