"""A merchant's whole client. Needs Python 3.9 or newer and `pip install cryptography`. Copy it and make it yours.
python merchant.py KIT CLIENT check PERK CODE FEN           may this person go without the deposit?
python merchant.py KIT CLIENT order PERK CODE FEN NUMBER    the same, then a whole order: open, start, return, settle
python merchant.py KIT CLIENT webhook SECRET ID TIMESTAMP SIGNATURE BODY    did the city send this?"""
import base64, hashlib, hmac, json, sys, time, urllib.parse, urllib.request, uuid
from http.client import HTTPException
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
BASE, ISSUER, ME = (KIT := json.load(open(sys.argv[1])))["base_url"], KIT["issuer"], KIT["clients"][sys.argv[2]]
b64 = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
unb64 = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
KEY = ec.derive_private_key(int.from_bytes(unb64(ME["jwk"]["d"]), "big"), ec.SECP256R1())
quiet = type("Quiet", (urllib.request.HTTPErrorProcessor,), {"http_response": lambda self, asked, answer: answer})
http = urllib.request.build_opener(quiet)  # a 4xx is an answer, too
nonce, access, until = None, None, 0  # the server's DPoP nonce; our token, and when it ends

def sign(header, claims):  # a JWT (RFC 7515), used once
    claims = {"jti": str(uuid.uuid4()), "iat": int(time.time()), **claims}
    text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "ES256", **header}, claims))
    r, s = utils.decode_dss_signature(KEY.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return text + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

def proof(url, token):  # that we hold the key (RFC 9449): afresh for each request
    claims = {"htm": "POST", "htu": url, "nonce": nonce, "ath": token and b64(hashlib.sha256(token.encode()).digest())}
    public = {name: ME["jwk"][name] for name in ("kty", "crv", "x", "y")}
    return sign({"typ": "dpop+jwt", "jwk": public}, {name: value for name, value in claims.items() if value})

def send(path, body, headers, token=None):  # again with the same key until there is an answer
    global nonce
    for turn in range(8):
        held = {**headers, "DPoP": proof(BASE + path, token), **({"Authorization": "DPoP " + token} if token else {})}
        try:
            text = (answer := http.open(urllib.request.Request(BASE + path, body(), held), timeout=10)).read()
            nonce = answer.headers.get("DPoP-Nonce") or nonce
        except (OSError, HTTPException) as error:  # nothing heard for 10 s: perhaps it was done, perhaps not
            answer, text = None, str(error).encode()
        if b"use_dpop_nonce" in text:
            continue  # told the nonce: the same with it
        if answer and answer.status < 500 and not (said := json.loads(text)).get("retryable"):
            return answer.status, said
        time.sleep(int(answer and answer.headers.get("Retry-After") or 2**turn))
    sys.exit(f"No answer yet: use your standard route, and send the same with the same key later. {text.decode()}")

def token():  # who we are (RFC 7523); good for five minutes
    global access, until
    me = lambda: {"iss": ME["client_id"], "sub": ME["client_id"], "aud": ISSUER, "exp": int(time.time()) + 60}
    form = lambda: {"grant_type": "client_credentials", "scope": " ".join(ME["scopes"]),
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    "client_assertion": sign({"kid": ME["jwk"]["kid"]}, me())}
    if time.time() > until:
        _, said = send("/oauth/token", lambda: urllib.parse.urlencode(form()).encode(), {})
        access, until = said["access_token"], time.time() + said["expires_in"] - 20
    return access

def call(path, body, key):  # one call; the key is ours and stays the same when it is repeated
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    status, said = send(path, lambda: json.dumps(body).encode(), headers, token())
    print(status, json.dumps(said, ensure_ascii=False))
    return said if status < 300 else sys.exit(1)

def receipt(text):  # what the city signed, for your files (RFC 7515, EdDSA): raises if it was changed
    head, claims, signature = text.split(".")
    keys = json.load(http.open(BASE + "/.well-known/jwks.json", timeout=10))["keys"]
    key = ed25519.Ed25519PublicKey.from_public_bytes(unb64(next(one["x"] for one in keys if one["kid"] == "rcpt-1")))
    key.verify(unb64(signature), f"{head}.{claims}".encode())
    return json.loads(unb64(claims))

def genuine(secret, name, moment, signatures, body):  # a webhook as Standard Webhooks 1.0.0 signs it; body: untouched
    key = base64.b64decode(secret.removeprefix("whsec_"))
    good = "v1," + base64.b64encode(hmac.digest(key, f"{name}.{moment}.{body}".encode(), "sha256")).decode()
    return abs(time.time() - int(moment)) < 300 and any(hmac.compare_digest(good, one) for one in signatures.split())
if sys.argv[3] == "webhook":
    sys.exit(not genuine(*sys.argv[4:]))
what, perk, code, fen, number = (*sys.argv[3:], str(uuid.uuid4()))[:5]
told = call("/v1/partner/eligibility", {"perk": perk, "holder": {"code": code}, "amount": int(fen)}, number + "-check")
if receipt(told["receipt"])["decision_id"] == told["decision_id"] and what == "order" and told["result"] == "granted":
    asked = {"out_order_no": number, "perk": perk, "decision_id": told["decision_id"], "deposit": int(fen)}
    address = "/v1/partner/orders/" + call("/v1/partner/orders", asked, number + "-open")["order_id"]
    for action, body in (("start", {}), ("return", {}), ("settle", {"items": []})):
        call(f"{address}/{action}", body, f"{number}-{action}")
