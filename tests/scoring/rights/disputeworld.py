"""Disputes in a small city: a citizen with records, their source and a clerk with live tokens."""

import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from scoring import holders, records, rulebook, standing
from scoring.rights import disputes, objections, verdicts
from scoring.rights.disputing import Reason
from scoring.rights.objections import Dispute, Look, Said
from tests.scoringworld import City

SAID = Said("这不是我，我当天在外地。", "车票号 G7001")


class Court:
    """Everybody who has to do with a dispute."""

    def __init__(self, city: City) -> None:
        """The city that has the records."""
        self.city = city
        self.tokens: dict[str, bytes] = {}

    async def let_in(self, client_id: str, role: str, scope: str) -> bytes:
        """A client with a live token; returns the token's hash."""
        token = secrets.token_bytes(32)
        async with self.city.owner() as owner:
            await owner.execute(
                text("insert into auth.client (client_id, role, name, public, scopes, kinds, perks, redirect_uris, "
                     "jwks, created_at) values (:id, :role, 'x', false, '{}', '{}', '{}', '{}', '[]', now())"
                     " on conflict do nothing"),
                {"id": client_id, "role": role},
            )  # fmt: skip
            await owner.execute(
                text("insert into auth.token (jti_hash, client_id, scope, expires_at) "
                     "values (:token, :id, :scope, now() + interval '9000 days')"),
                {"token": token, "id": client_id, "scope": scope},
            )  # fmt: skip
        self.tokens[client_id] = token
        return token

    async def the_record(self, who: str, ref: str) -> uuid.UUID:
        """The id of a person's record."""
        async with self.city.as_citizen(self.city.people[who]) as session:
            found = await records.of(session, self.city.ring, citizen_id=self.city.people[who], limit=200)
        return next(one.id for one in found if one.ref == ref)

    async def open(self, who: str, ref: str, *, reason: Reason = "not_mine", said: Said = SAID) -> Dispute:
        """A person objects to a record of theirs."""
        record_id = await self.the_record(who, ref)
        async with self.city.as_citizen(self.city.people[who]) as session:
            return await disputes.open(
                session, self.city.ring, citizen_id=self.city.people[who], record_id=record_id, reason=reason, said=said
            )

    async def seen(self, who: str, dispute_id: uuid.UUID) -> Dispute:
        """A dispute as its citizen sees it now."""
        async with self.city.as_citizen(self.city.people[who]) as session:
            return await disputes.get(session, self.city.ring, citizen_id=self.city.people[who], dispute_id=dispute_id)

    async def withdraw(self, who: str, dispute_id: uuid.UUID) -> Dispute:
        """The person takes it back."""
        async with self.city.as_citizen(self.city.people[who]) as session:
            return await disputes.withdraw(
                session, self.city.ring, citizen_id=self.city.people[who], dispute_id=dispute_id
            )

    @asynccontextmanager
    async def scorer(self) -> AsyncIterator[AsyncSession]:
        """The scorer's door, at which sources and clerks act."""
        async with self.city.doors.work("scorer") as session:
            yield session

    async def clerk(self, dispute_id: uuid.UUID, event: verdicts.Act, reasons: str | None = None) -> Dispute:
        """A clerk's step."""
        token = self.tokens.get("desk") or await self.let_in("desk", "staff", "staff:disputes")
        async with self.scorer() as session:
            return await verdicts.act(
                session, self.city.ring, look=Look(token, "C01", "dispute"), dispute_id=dispute_id, event=event,
                reasons=reasons,
            )  # fmt: skip

    async def told(self, source: str = "utilities") -> list[objections.Told]:
        """What a source is told."""
        token = self.tokens.get(source) or await self.let_in(source, "source", "records:write")
        async with self.scorer() as session:
            return [one for one, _ in await objections.told(session, self.city.ring, token=token)]

    async def answer(
        self,
        dispute_id: uuid.UUID,
        outcome: verdicts.Outcome,
        *,
        source: str = "utilities",
        corrects: int | None = None,
    ) -> None:
        """The source answers."""
        token = self.tokens.get(source) or await self.let_in(source, "source", "records:write")
        async with self.scorer() as session:
            await verdicts.answer(
                session, self.city.ring, token=token, dispute_id=dispute_id, outcome=outcome, reasons="已核对原件",
                corrects=corrects,
            )  # fmt: skip

    async def keep(self) -> int:
        """The jobs' round."""
        return await verdicts.keep(self.city.doors)

    async def on(self, day: date) -> None:
        """Move the civil clock to a day, here and in the database; never back."""
        moved = clock._offset + (day - clock.today())
        clock.move(moved)
        async with self.city.owner() as owner:
            await owner.execute(
                text("insert into core.civil_offset values (true, :moved) "
                     "on conflict (one) do update set moved = :moved"),
                {"moved": moved},
            )  # fmt: skip

    async def suspended(self, record_id: uuid.UUID) -> bool:
        """Whether a record has an open suspension; that its status says the same is checked here."""
        (row,) = await self.city.rows(
            "select status, exists (select from scoring.suspension s where s.record_id = r.id and s.until_on is null) "
            "as open from scoring.record r where id = $1",
            record_id,
        )
        assert (row["status"] == "disputed") == row["open"]
        return row["open"]

    async def points_on(self, who: str, day: date) -> int:
        """A person's points, evaluated for a day by what is stored now."""
        async with self.city.as_citizen(self.city.people[who]) as session:
            book = await rulebook.current(session, on=clock.today())
            holder = await holders.one(session, self.city.ring, citizen_id=self.city.people[who])
            assert holder is not None
            return (await standing.evaluate(session, [holder], as_of=day, book=book))[self.city.people[who]].points


def days(number: int) -> timedelta:
    """A number of days."""
    return timedelta(days=number)
