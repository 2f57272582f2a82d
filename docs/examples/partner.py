"""A merchant's whole client: python partner.py kit.json city-library library.deposit-free 'CC1:...' [deposit in fen]

Needs joserfc (pip install joserfc) and nothing else. Copy it; the four functions are all there is to the protocol.
"""

import base64
import hashlib
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from joserfc import jwt
from joserfc.jwk import ECKey

KIT = json.load(open(sys.argv[1], encoding="utf-8"))
ME = KIT["clients"][sys.argv[2]]
BASE, ISSUER = KIT["base_url"], KIT["issuer"]
KEY = ECKey.import_key({name: ME["jwk"][name] for name in ("kty", "crv", "x", "y", "d")})
nonce = None  # the server's DPoP nonce; it hands out a new one when it wants one


def assertion():
    """Who I am (RFC 7523): signed afresh for each token, used once, valid a minute."""
    now = int(time.time())
    claims = {"iss": ME["client_id"], "sub": ME["client_id"], "aud": ISSUER}
    claims |= {"jti": str(uuid.uuid4()), "iat": now, "exp": now + 60}
    return jwt.encode({"alg": "ES256", "kid": ME["jwk"]["kid"]}, claims, KEY)


def proof(method, url, token=None):
    """That I hold the key (RFC 9449): signed afresh for each request."""
    claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
    if nonce:
        claims["nonce"] = nonce
    if token:
        claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    return jwt.encode({"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}, claims, KEY)


def post(path, body, headers, token=None):
    """Send; once more when the server wants its nonce. Returns (status, JSON)."""
    global nonce
    for _ in range(2):
        sent = {**headers, "DPoP": proof("POST", BASE + path, token)}
        try:
            answer = urllib.request.urlopen(urllib.request.Request(BASE + path, body, sent), timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read()
        wants_nonce = b"use_dpop_nonce" in text and answer.headers.get("DPoP-Nonce") != nonce
        nonce = answer.headers.get("DPoP-Nonce", nonce)
        if not wants_nonce:
            break
    return answer.status, json.loads(text)


def token():
    """An access token, good for five minutes: keep it and ask for the next one when it has 20 seconds left."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"grant_type": "client_credentials", "scope": "eligibility:check"}
    for _ in range(2):  # an assertion is used once, so a repeat for the nonce takes a fresh one
        filled = urllib.parse.urlencode({**form, "client_assertion_type": kind, "client_assertion": assertion()})
        status, given = post("/oauth/token", filled.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        if status == 200:
            return given["access_token"]
    sys.exit(f"no token: {given}")


asked = {"perk": sys.argv[3], "holder": {"code": sys.argv[4]}}
if len(sys.argv) > 5:
    asked["amount"] = int(sys.argv[5])
access = token()
headers = {"Authorization": f"DPoP {access}", "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
status, answer = post("/v1/partner/eligibility", json.dumps(asked).encode(), headers, access)
print(status, json.dumps(answer, ensure_ascii=False, indent=1))
