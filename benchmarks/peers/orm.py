"""A peer of P3: the same check as one would build it with FastAPI and SQLAlchemy's ORM, over the same tables.

It verifies the DPoP proof with joserfc, takes the replay id, counts the value, reads token, client, perk, consents and
standing as objects, writes decision and entry in one transaction, and signs the receipt. As in `peers/bare.py` it is
told the tokens and keys, and has no error paths. Not the product: its partner could read every table.
"""

import hashlib
import importlib
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jws
from joserfc.jwk import ECKey
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import registry

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from auth import tables as auth
from benchmarks.peers.bare import b64
from core import ids
from core import tables as core
from core.keys import Keyring
from core.postgres.engine import engine_of
from core.short import tables as short
from incentives import tables as incentives
from scoring import tables as scoring

fastapi: Any = importlib.import_module("fastapi")

MAPPED = {
    "Token": auth.token, "Client": auth.client, "Consent": auth.consent, "End": auth.consent_end,
    "Standing": scoring.standing, "Perk": incentives.perk, "Decision": incentives.decision, "Entry": core.audit_entry,
    "Claim": short.short_claim, "Count": short.short_count,
}  # fmt: skip
MODELS: dict[str, Any] = {}
_registry = registry()
for _name, _table in MAPPED.items():
    MODELS[_name] = type(_name, (), {})
    _registry.map_imperatively(MODELS[_name], _table)
A_MINUTE = timedelta(seconds=60)


class Holder(BaseModel):
    """Who."""

    subject: str


class Ask(BaseModel):
    """A check."""

    perk: str
    holder: Holder
    amount: int | None = None


class Answer(BaseModel):
    """The answer."""

    decision_id: str
    result: str
    perk: str
    terms: dict[str, str]
    valid_until: datetime
    receipt: str


def app() -> Any:
    """The application; what it knows of keys and tokens stands in its environment."""
    known = msgspec.json.decode(os.environ["BENCH_KNOWN"])
    ring = Keyring(bytes.fromhex(os.environ["OSMANTHUS_MASTER_KEY"]), Path(os.environ["OSMANTHUS_EPOCHS_FILE"]))
    signing: Any = ring.ed25519("rcpt-1").private_key
    keys = {token: _key(x, y) for token, (x, y) in known["keys"].items()}
    sessions = async_sessionmaker(engine_of(os.environ["DATABASE_URL"], pool_size=8), expire_on_commit=False)
    served = fastapi.FastAPI(openapi_url=None)

    async def check(ask: Ask, request: Any) -> Answer:
        token = request.headers["authorization"].removeprefix("DPoP ")
        partner, jti = known["tokens"][token]
        claims = _proved(request.headers["dpop"], keys[token], token)
        async with sessions() as session, session.begin():
            session.add(_made("Claim", key=f"{partner}:{claims['jti']}", until=datetime.now(UTC) + A_MINUTE))
            await _counted(session, f"orm|{partner}|{hashlib.sha256(ask.holder.subject.encode()).hexdigest()}")
            decision = await _decided(session, partner, bytes.fromhex(jti), ask)
        told = {
            "decision_id": ids.show("dc", decision.id), "result": "granted" if decision.granted else "standard_route",
            "perk": ask.perk, "terms": known["terms"], "valid_until": decision.valid_until,
        }  # fmt: skip
        head = b64(b'{"alg":"EdDSA","kid":"rcpt-1","typ":"decision-receipt+jwt"}')
        signed = head + b"." + b64(msgspec.json.encode({"iss": "x", "aud": partner, "iat": 1, **told}))
        return Answer.model_validate({**told, "receipt": (signed + b"." + b64(signing.sign(signed))).decode()})

    check.__annotations__["request"] = fastapi.Request  # installed for benchmarks alone
    served.post("/v1/partner/eligibility")(check)
    return served


def _key(x: str, y: str) -> ECKey:
    """A public key by its two numbers."""
    axes = {axis: b64(bytes.fromhex(value)).decode() for axis, value in (("x", x), ("y", y))}
    return ECKey.import_key({"kty": "EC", "crv": "P-256", **axes})


def _proved(proof: str, key: ECKey, token: str) -> dict[str, Any]:
    """The claims of a DPoP proof whose signature, method, token and time hold."""
    claims = msgspec.json.decode(jws.deserialize_compact(proof, key, algorithms=["ES256"]).payload)
    assert (claims["htm"], claims["ath"]) == ("POST", b64(hashlib.sha256(token.encode()).digest()).decode())
    assert abs(time.time() - claims["iat"]) < 60
    return claims


def _made(name: str, **values: Any) -> Any:
    """An object of a mapped table."""
    made = MODELS[name]()
    for member, value in values.items():
        setattr(made, member, value)
    return made


async def _counted(session: Any, key: str) -> None:
    """One more of a value within a minute."""
    now, held = datetime.now(UTC), await session.get(MODELS["Count"], key, with_for_update=True)
    if held is None:
        session.add(_made("Count", key=key, count=1, until=now + A_MINUTE))
    else:
        held.count, held.until = (1, now + A_MINUTE) if held.until <= now else (held.count + 1, held.until)
        assert held.count <= 30


async def _decided(session: Any, partner: str, jti: bytes, ask: Ask) -> Any:
    """The decision and its entry, added to the session."""
    now, one = datetime.now(UTC), MODELS
    token, client = await session.get(one["Token"], jti), await session.get(one["Client"], partner)
    assert token.revoked_at is None
    assert token.expires_at > now
    assert ask.perk in client.perks
    lines = select(one["Perk"]).filter_by(perk_id=ask.perk).order_by(one["Perk"].effective_on.desc())
    rule = (await session.scalars(lines.limit(1))).one()
    share = await _live(session, subject=ids.read("su", ask.holder.subject), purpose=f"share:{partner}/{ask.perk}")
    score = await _live(session, citizen_id=share.citizen_id, purpose="score")
    standing = await session.get(one["Standing"], share.citizen_id)
    granted = standing.consent_id == score.id and not standing.held and standing.points >= rule.threshold
    decision = _made(
        "Decision", id=ids.random(), partner_id=partner, perk_id=ask.perk, citizen_id=share.citizen_id, granted=granted,
        at=now, valid_until=now + timedelta(minutes=5), consent_id=score.id, release_id=rule.release_id, round=0,
    )  # fmt: skip
    shown = {"decision": ids.show("dc", decision.id), "threshold": rule.threshold}
    session.add_all([decision, _made(
        "Entry", id=ids.new(), at=now, actor_kind="partner", actor=partner, action="eligibility.check",
        purpose=ask.perk, outcome="granted" if granted else "standard_route", owner=share.citizen_id, detail=shown,
    )])  # fmt: skip
    return decision


async def _live(session: Any, **wanted: Any) -> Any:
    """A consent that has not ended."""
    consent, end = MODELS["Consent"], MODELS["End"]
    query = select(consent).outerjoin(end, end.consent_id == consent.id).filter_by(**wanted)
    return (await session.scalars(query.where(end.consent_id.is_(None), consent.expires_at > datetime.now(UTC)))).one()
