"""The peer of P3: a raw ASGI function with the same crypto and the same SQL as an eligibility check, and nothing else.

What it knows of tokens and keys stands in its environment (`benchmarks/eligibility.py` writes it there); a wrong
request is an assertion. Run by `uvicorn --factory benchmarks.bare:app`.
"""

import base64
import hashlib
import os
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core import db, ids
from core.keys import Keyring
from core.short.postgres import PostgresStore

PATH = "/v1/partner/eligibility"
CHECK = (
    "select * from incentives.check_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
)
LIFE, WINDOW = timedelta(seconds=130), timedelta(seconds=60)


def app() -> Any:
    """The peer: one function; what it knows of keys and tokens stands in its environment."""
    known = msgspec.json.decode(os.environ["BENCH_KNOWN"])
    tokens = {token: (partner, bytes.fromhex(jti)) for token, (partner, jti) in known["tokens"].items()}
    keys = {
        token: ec.EllipticCurvePublicNumbers(int(x, 16), int(y, 16), ec.SECP256R1()).public_key()
        for token, (x, y) in known["keys"].items()
    }
    ring = Keyring(bytes.fromhex(os.environ["OSMANTHUS_MASTER_KEY"]), Path(os.environ["OSMANTHUS_EPOCHS_FILE"]))
    signing: Any = ring.ed25519("rcpt-1").private_key
    head = b64(b'{"alg":"EdDSA","kid":"rcpt-1","typ":"decision-receipt+jwt"}') + b"."
    terms = known["terms"]
    held: dict[str, Any] = {}

    async def pool() -> Any:
        if not held:
            url = os.environ["DATABASE_URL"]
            doors = db.Doors(url, ring, "osmanthus")
            held["short"] = PostgresStore(db.door_url(url, ring, "osmanthus", "auth"))
            held["pool"] = await doors.pool()
        return held["pool"]

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        gate = await pool()
        body = (await receive())["body"]
        if scope["path"] != PATH:
            await reply(send, b"{}")
            return
        token = headers[b"authorization"].decode().removeprefix("DPoP ")
        partner, jti = tokens[token]
        message, _, signature = headers[b"dpop"].rpartition(b".")
        raw = unb64(signature)
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        keys[token].verify(der, message, ec.ECDSA(SHA256()))
        claims = msgspec.json.decode(unb64(message.partition(b".")[2]))
        ath = b64(hashlib.sha256(token.encode()).digest()).decode()
        assert (claims["htm"], claims["ath"]) == ("POST", ath)
        assert abs(time.time() - claims["iat"]) < 60
        asked = msgspec.json.decode(body)
        subject = asked["holder"]["subject"]
        value = hashlib.sha256(subject.encode()).hexdigest()
        decision = uuid.uuid4()
        async with gate.acquire() as connection:
            row = await connection.fetchrow(
                CHECK, await held["short"].epoch(), f"dpop:{partner}:{claims['jti']}", LIFE,
                [f"check|{partner}|bare|{value}"], [30], WINDOW, jti, asked["perk"], None, ids.read("su", subject),
                asked.get("amount"), None, None, "{}", decision, ids.show("dc", decision), ids.new(),
            )  # fmt: skip
        told = {
            "decision_id": ids.show("dc", row["decision_id"]),
            "result": "granted" if row["granted"] else "standard_route",
            "perk": asked["perk"],
            "terms": terms,
            "valid_until": row["valid_until"],
        }
        signed = head + b64(msgspec.json.encode({"iss": "x", "aud": partner, "iat": 1, **told}))
        told["receipt"] = (signed + b"." + b64(signing.sign(signed))).decode()
        await reply(send, msgspec.json.encode(told))

    return handle


async def reply(send: Any, body: bytes) -> None:
    """One JSON answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def b64(data: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unb64(data: bytes) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
