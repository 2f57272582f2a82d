"""A small city around the partner door: partners with live tokens, perks in force, people with and without points.

Rows are laid by the operator, so that the gate can be tried in every state, reachable through the API or not.
"""

import secrets
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Table, insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from auth.tables import citizen, client, consent, consent_end, session, token
from core import clock, ids
from core.tables import release
from incentives import codes, creditcode
from incentives.creditcode import Claims
from incentives.tables import credit_code, perk
from scoring.tables import standing

LIBRARY = "library.deposit-free"
RENTAL = "rental.deposit-free"
THRESHOLD = 1100
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2026, 1, 1)
_SIGN = Ed25519PrivateKey.from_private_bytes(bytes(32)).sign


def new_code() -> str:
    """A code of nobody's key: whose it is, and whether it is good, the gate's rows say."""
    claims = Claims(0, 990_000, secrets.token_bytes(8), int(clock.wall().timestamp()), 1, 1)
    return creditcode.write(claims, _SIGN)


async def log_in(connection: AsyncConnection, citizen_id: uuid.UUID, proof: bytes) -> None:
    """Make somebody, if need be, and give them a session with this hash."""
    now = clock.wall()
    await connection.execute(upsert(citizen).values(id=citizen_id, acr=3, created_at=LONG_AGO).on_conflict_do_nothing())
    await connection.execute(
        insert(session).values(
            hash=proof, id=ids.new(), citizen_id=citizen_id, csrf="c", acr=3, device="test", auth_time=now,
            began_at=now, used_at=now, expires_at=now + timedelta(hours=1),
        )
    )  # fmt: skip


class World:
    """Lays rows as the operator, each committed at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        """`engine` is the owner's."""
        self.engine = engine

    async def lay(self, table: Table, **values: Any) -> None:
        """Insert one row."""
        async with self.engine.begin() as connection:
            await connection.execute(insert(table).values(**values))

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Read behind the doors."""
        async with self.engine.begin() as connection:
            return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]

    async def do(self, statement: str, **values: Any) -> None:
        """Change something behind the doors."""
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def partner(
        self, name: str = "p_library", perks: tuple[str, ...] = (LIBRARY,), role: str = "partner"
    ) -> bytes:
        """A client with a live token; returns the SHA-256 of the token's jti."""
        await self.lay(
            client, client_id=name, role=role, name=name, public=False, jwks={}, scopes=["eligibility:check"],
            redirect_uris=[], kinds=[], perks=list(perks), created_at=LONG_AGO,
        )  # fmt: skip
        return await self.token(name)

    async def token(
        self, name: str, *, scope: str = "eligibility:check", seconds: int = 300, citizen_id: uuid.UUID | None = None
    ) -> bytes:
        """One more token of a client."""
        jti_hash = secrets.token_bytes(32)
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        await self.lay(token, jti_hash=jti_hash, client_id=name, scope=scope, expires_at=expires_at,
                       citizen_id=citizen_id)  # fmt: skip
        return jti_hash

    async def perk(
        self, perk_id: str = LIBRARY, *, threshold: int | None = THRESHOLD, cap: int | None = 30000,
        over_cap: str = "part", closed: bool = False, terminals: list[str] | None = None, on: date = DAY,
        body: str = "", **more: Any,
    ) -> uuid.UUID:  # fmt: skip
        """One dated line of a perk, with its release; returns the release's id. `more`: other columns of the line."""
        release_id, name = ids.new(), f"{perk_id}-{secrets.token_hex(4)}"
        await self.lay(
            release, id=release_id, kind="perks", name=name, body=body, digest=name, effective_on=on, drafted_by="a",
            drafted_at=LONG_AGO, approved_by="b", approved_at=clock.wall(),
        )  # fmt: skip
        await self.lay(
            perk, perk_id=perk_id, release_id=release_id, effective_on=on, approved_at=clock.wall(),
            threshold=threshold, cap=cap, over_cap=over_cap, closed=closed, terminals=terminals, **more,
        )  # fmt: skip
        return release_id

    async def consent(
        self, citizen_id: uuid.UUID, purpose: str = "score", *, one_use: bool = False, subject: uuid.UUID | None = None,
        ended: str | None = None, expires_in: timedelta = timedelta(days=30),
    ) -> uuid.UUID:  # fmt: skip
        """A consent, perhaps ended (`withdrawn`, `expired` …)."""
        consent_id = ids.new()
        await self.lay(
            consent, id=consent_id, citizen_id=citizen_id, purpose=purpose, one_use=one_use, notice_version=1,
            notice_digest="", sources=[], subject=subject, given_at=LONG_AGO, expires_at=clock.civil() + expires_in,
            receipt="",
        )  # fmt: skip
        if ended:
            await self.end(consent_id, ended)
        return consent_id

    async def end(self, consent_id: uuid.UUID, reason: str = "withdrawn") -> None:
        """End a consent."""
        await self.lay(consent_end, consent_id=consent_id, reason=reason, at=clock.civil())

    async def citizen(self, points: int = 1300, *, held: bool = False) -> uuid.UUID:
        """Somebody who takes part and has these points (tenths)."""
        citizen_id = ids.new()
        consent_id = await self.consent(citizen_id)
        await self.stand(citizen_id, consent_id, points, held=held)
        return citizen_id

    async def logged_in(self, citizen_id: uuid.UUID | None = None) -> tuple[uuid.UUID, bytes]:
        """Somebody with a live session; returns them and the proof of it."""
        citizen_id, proof = citizen_id or ids.new(), secrets.token_bytes(32)
        async with self.engine.begin() as connection:
            await log_in(connection, citizen_id, proof)
        return citizen_id, proof

    async def stand(self, citizen_id: uuid.UUID, consent_id: uuid.UUID, points: int, *, held: bool = False) -> None:
        """A stored standing."""
        await self.lay(
            standing, citizen_id=citizen_id, consent_id=consent_id, scorecard="d", points=points, tier="铜", held=held,
            as_of=DAY, computed_at=LONG_AGO,
        )  # fmt: skip

    async def code(
        self, citizen_id: uuid.UUID, perk_id: str = LIBRARY, *, partner: str | None = None, seconds: int = 60
    ) -> str:
        """A drawn code."""
        shown = new_code()
        own = await self.consent(
            citizen_id, f"use:{partner or 'any'}/{perk_id}", one_use=True, expires_in=timedelta(seconds=60)
        )
        await self.lay(
            credit_code, hash=codes.digest(shown), citizen_id=citizen_id, consent_id=own, perk_id=perk_id,
            partner_id=partner, expires_at=clock.wall() + timedelta(seconds=seconds),
        )  # fmt: skip
        return shown

    async def share(
        self, citizen_id: uuid.UUID, partner: str = "p_library", perk_id: str = LIBRARY, **more: Any
    ) -> str:
        """A standing consent with a partner; returns the subject that the partner knows."""
        subject = ids.random()
        await self.consent(citizen_id, f"share:{partner}/{perk_id}", subject=subject, **more)
        return ids.show("su", subject)


@asynccontextmanager
async def world(owner_url: str) -> AsyncGenerator[World]:
    """A world in the database behind `owner_url`."""
    engine = create_async_engine(owner_url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    yield World(engine)
    await engine.dispose()
