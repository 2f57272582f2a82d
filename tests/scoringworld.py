"""A small city around the records: the shipped rule book in force, sources, and people who take part or do not.

Everything goes through the rooms and the doors that the product uses; `rows` looks behind them.
"""

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from api.releases import rulebook_files
from auth.consent import ledger, terms
from auth.consent.record import Party, PrivacyNotice, Processing, ProcessingMethod, Purpose
from core import clock, releases, sealed
from core.db import Doors
from core.settings import ROOT
from scoring import enrol, ingest, retention, rulebook, standing
from scoring.ingest import Receipt, Source
from scoring.points.evaluate import Evaluation
from tests.gateworld import log_in

BORN = date(1990, 1, 1)
TODAY = clock.today()
ALL_KINDS = frozenset(f"P{n:02}" for n in (1, 2, 3, 4, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 21, 22)) | frozenset(
    f"N0{n}" for n in range(1, 7)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(order: int, born: date = BORN) -> str:
    """A made-up ID number with a valid check character (GB 11643)."""
    body = f"990000{born:%Y%m%d}{order:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def processing(purpose: str = "score") -> Processing:
    """What a consent of these tests agrees to."""
    office = Party("controller", "示范市信用办公室", "窗口", "电话 0000", "公共机构", "controller")
    return Processing(
        pii_principal_id="pp_1", privacy_notice=PrivacyNotice("https://x/1", 1, "ab" * 32), language="zh-CN",
        purpose=Purpose(purpose, "计算积分"), purpose_type="t", lawful_basis="同意", pii_information=(),
        pii_controllers=("controller",), collection_method="报送",
        processing_method=ProcessingMethod("自动计算", automated_decision=True, logic="https://x", consequence="加分"),
        storage_locations=("CN",),
        retention_period="24个月", processing_locations=("CN",), geographic_restrictions="不出境", service="桂花分",
        jurisdiction="CN", recipient_third_parties=(), withdrawal_method="https://x/consents", privacy_rights="全部",
        parties=(office,),
    )  # fmt: skip


def month(back: int) -> str:
    """The month `back` months ago, as YYYY-MM."""
    number = TODAY.year * 12 + TODAY.month - 1 - back
    return f"{number // 12}-{number % 12 + 1:02}"


def water(ref: str, who: str, *, back: int = 1, version: int = 1, **more: Any) -> dict[str, Any]:
    """A water bill kept, as a source line."""
    period = month(back)
    return {
        "ref": ref, "version": version, "kind": "P01", "id_number": who, "occurred_on": f"{period}-01",
        "fields": {"account": "a1", "period": period, "on_time": True}, **more,
    }  # fmt: skip


def hours(ref: str, who: str, *, hours: int = 3, days: int = 10, version: int = 1) -> dict[str, Any]:
    """Volunteer hours, as a source line."""
    return {
        "ref": ref, "version": version, "kind": "P08", "id_number": who,
        "occurred_on": str(TODAY - timedelta(days=days)),
        "fields": {"project": "x1", "hours": hours, "organisation": "91350100M000100Y43"},
    }  # fmt: skip


def penalty(ref: str, who: str, *, days: int = 60, version: int = 1) -> dict[str, Any]:
    """A general administrative penalty, as a source line: -5 while displayed."""
    day = str(TODAY - timedelta(days=days))
    return {
        "ref": ref, "version": version, "kind": "N01", "id_number": who, "occurred_on": day,
        "document": {"no": "罚1号", "authority": "示范市城管局", "effective_on": day},
        "notice": {"no": "告1号", "served_on": day},
        "fields": {"class": "c1", "clause": "第1条", "severity": "general", "procedure": "ordinary"},
    }  # fmt: skip


def ndjson(*lines: Any) -> bytes:
    """Lines as a body; bytes are taken as they are."""
    return b"".join((line if isinstance(line, bytes) else msgspec.json.encode(line)) + b"\n" for line in lines)


async def in_pieces(body: bytes, size: int = 4096) -> AsyncIterator[bytes]:
    """A body as it comes over the wire."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


class City:
    """The city of one database."""

    def __init__(self, doors: Doors, owner_url: str) -> None:
        """`owner_url` looks behind the doors."""
        self.doors, self.owner_url, self.ring = doors, owner_url, doors.ring
        self.people: dict[str, uuid.UUID] = {}
        self.consents: dict[str, uuid.UUID] = {}

    async def publish(self) -> None:
        """Put the shipped scorecard and catalogue in force."""
        async with self.doors.work("staff") as session:
            for file in rulebook_files.shipped(ROOT / "policy"):
                if file.kind in {"catalogue", "scorecard"}:
                    drafted = await releases.draft(
                        session, kind=file.kind, name=file.name, body=file.body, effective_on=date(2026, 1, 1), by="a"
                    )
                    await releases.approve(session, release_id=drafted.id, by="b")

    def source(self, name: str = "utilities", kinds: frozenset[str] = ALL_KINDS) -> Source:
        """A source; its digest key is derived from its name."""
        return Source(name, kinds, name.encode().ljust(32, b"."))

    def digest(self, who: str, source: str = "utilities") -> bytes:
        """The digest that a source knows a person by."""
        return sealed.digest(self.source(source).digest_key, who)

    @asynccontextmanager
    async def as_citizen(self, citizen_id: uuid.UUID) -> AsyncIterator[AsyncSession]:
        """A work session on the citizen door, with this citizen logged in."""
        proof = secrets.token_bytes(32)
        async with self.owner() as session:
            await log_in(await session.connection(), citizen_id, proof)
        async with self.doors.work("citizen", proof=proof) as session:
            yield session

    @asynccontextmanager
    async def joining(
        self,
        who: str,
        *,
        sources: tuple[str, ...] = ("utilities",),
        citizen_id: uuid.UUID | None = None,
        days: int = 100,
    ) -> AsyncIterator[uuid.UUID]:
        """A person gives `score` for these sources, or, as somebody known, renews it; committed at the end."""
        citizen_id = citizen_id or uuid.uuid4()
        async with self.as_citizen(citizen_id) as session:
            given = await ledger.give(
                session, self.ring, citizen_id=citizen_id, purpose="score", notice_version=1, notice_digest="d",
                expires_on=TODAY + timedelta(days=days), processing=processing(),
                source_digests={source: self.digest(who, source) for source in sources},
            )  # fmt: skip
            await enrol.open(
                session, self.ring, citizen_id=citizen_id, consent_id=given.id,
                adult_on=terms.adult_on(BORN), until=given.expires_at,
            )  # fmt: skip
            yield citizen_id
        self.people[who], self.consents[who] = citizen_id, given.id

    async def join(self, who: str, **how: Any) -> uuid.UUID:
        """The same, at once."""
        async with self.joining(who, **how) as citizen_id:
            return citizen_id

    async def leave(self, who: str) -> None:
        """A person withdraws `score`."""
        async with self.as_citizen(self.people[who]) as session:
            await ledger.withdraw(session, self.ring, citizen_id=self.people[who], consent_id=self.consents[who])
            await retention.erase(session, self.ring, citizen_id=self.people[who])

    async def push(self, *lines: Any, source: str = "utilities", size: int = 4096) -> Receipt:
        """A source pushes lines."""
        return await ingest.receive(self.doors, source=self.source(source), body=in_pieces(ndjson(*lines), size))

    async def points(self, who: str) -> int:
        """The stored points of a person, in tenths."""
        rows = await self.rows("select points from scoring.standing where citizen_id = $1", self.people[who])
        return rows[0]["points"]

    async def score(self, who: str) -> Evaluation:
        """A person's points as they see them now."""
        async with self.as_citizen(self.people[who]) as session:
            evaluation, _ = await standing.of(session, self.ring, citizen_id=self.people[who], as_of=clock.today())
            return evaluation

    async def book(self) -> rulebook.RuleBook:
        """The rule book in force."""
        async with self.doors.work("scorer") as session:
            return await rulebook.current(session, on=clock.today())

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[AsyncSession]:
        """The operator's work session."""
        engine = create_async_engine(self.owner_url.replace("postgresql://", "postgresql+asyncpg://", 1))
        async with AsyncSession(engine) as session, session.begin():
            yield session
        await engine.dispose()

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Read behind the doors."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def until(self, query: str, *, empty: bool = False) -> None:
        """Wait until a query finds rows, or none."""
        async with asyncio.timeout(10):
            while bool(await self.rows(query)) is empty:
                await asyncio.sleep(0.01)

    async def dump(self) -> str:
        """Every row of every table of ours, as text."""
        found: list[str] = []
        tables = await self.rows("select format('%I.%I', schemaname, tablename) as t from pg_tables "
                                 "where schemaname in ('keys', 'core', 'auth', 'scoring', 'incentives')")  # fmt: skip
        for table in tables:
            found += [row["r"] for row in await self.rows(f"select x::text as r from {table['t']} x")]
        return "\n".join(found)


async def together(*work: Any) -> list[Any]:
    """Run at once, and raise the first fault."""
    return await asyncio.gather(*work)
