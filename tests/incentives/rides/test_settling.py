"""What uploads of rides come to: each counted once, by published rules, with nothing told of anybody."""

import asyncio
import random
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from auth.counter.tables import card
from auth.tables import citizen
from core import clock, ids
from core.db import Doors
from core.keys import Keyring
from incentives import codes
from incentives.citycard.entrance import Entrance
from incentives.citycard.tables import entitlement_change, entitlement_list, issued_card
from incentives.codes import Mint
from incentives.eligibility import TokenDead
from incentives.rides import receive, statements
from incentives.rides.receive import Operator, Receipt
from incentives.rides.statements import Day
from incentives.tables import credit_code, perk_budget
from tests.gateworld import LONG_AGO, World, world
from tests.scoringworld import in_pieces, ndjson

NOW = clock.wall()
TRANSIT = "transit.discount"
_NUMBERS = """
select n.number, a.number from incentives.perk_number n
join incentives.audience_number a on a.kind = 'programme' and a.name = n.perk_id where n.perk_id = $1
"""
BITS = bytes([0b0110, 0xFF])  # cards 1, 2 and 8 to 15 are on the list


class Depot:
    """An operator of gates, its list, and whoever rides."""

    def __init__(self, city: World, doors: Doors, mint: Mint) -> None:
        """Nothing yet."""
        self.city, self.doors, self.mint, self.token = city, doors, mint, b""

    async def open(self, budgets: tuple[dict[str, Any], ...] = ()) -> None:
        """A perk in force, an operator with it, a list."""
        release = await self.city.perk(TRANSIT, kind="discount", percent=10, cap=100)
        for one in budgets:
            await self.city.lay(perk_budget, perk_id=TRANSIT, release_id=release, **one)
        await self.city.partner("metro", role="citycard", perks=(TRANSIT,))
        self.token = await self.city.token("metro", scope="citycard")
        await self.city.lay(entitlement_list, operator_id="metro", perk_id=TRANSIT, seq=1, bits=BITS, made_at=LONG_AGO)

    async def holder(self, index: int) -> uuid.UUID:
        """Somebody whose bound card has an index, and who consents."""
        who, digest = ids.new(), secrets.token_bytes(32)
        await self.city.lay(citizen, id=who, acr=3, created_at=LONG_AGO)
        await self.city.consent(who, f"share:metro/{TRANSIT}")
        await self.city.lay(issued_card, operator_id="metro", digest=digest, place=index)
        await self.city.lay(
            card, digest=digest, id=ids.new(), citizen_id=who, salt=b"", pin=b"", sealed_number=b"", bound_at=LONG_AGO,
            tries=0,
        )  # fmt: skip
        return who

    async def code(self, who: uuid.UUID) -> str:
        """A code drawn a minute ago for the perk, for whoever offers it."""
        (numbers,) = await self.rows(_NUMBERS, TRANSIT)
        at = NOW - timedelta(seconds=60)
        drawn = self.mint.code(perk=numbers[0], audience=numbers[1], at=at)
        own = await self.city.consent(who, f"use:any/{TRANSIT}", one_use=True)
        await self.city.lay(
            credit_code, hash=codes.digest(drawn.text), citizen_id=who, consent_id=own, perk_id=TRANSIT,
            expires_at=drawn.expires_at,
        )  # fmt: skip
        return drawn.text

    async def send(self, *lines: dict[str, Any], size: int = 4096) -> Receipt:
        """Upload lines as the operator."""
        entrance = Entrance(await self.doors.pool("citycard"))
        by = Operator("metro", self.token, {TRANSIT}, b"secret")
        return await receive.receive(entrance, self.mint, by=by, body=in_pieces(ndjson(*lines), size))

    async def day(self) -> Day:
        """Everything that was settled, as the statement will say it tomorrow."""
        await self.rows("update incentives.ride_total set settled_on = settled_on - 1")
        await self.rows("update incentives.ride_double set settled_on = settled_on - 1")
        entrance = Entrance(await self.doors.pool("citycard"))
        return await statements.read(
            entrance, token=self.token, day=clock.today() - timedelta(days=1), after=None, most=10
        )

    async def outcomes(self) -> dict[str, tuple[int, int]]:
        """Rides and discounts by outcome."""
        rows = await self.rows(
            "select outcome, sum(rides)::int, sum(discount)::int from incentives.ride_total group by 1"
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    async def waiting(self, many: int) -> None:
        """Until so many uploads wait for somebody."""
        query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while (await self.rows(query))[0][0] < many:
            await asyncio.sleep(0.01)

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Behind the doors."""
        url = self.city.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


def ride(number: object, index: int | None = 1, **more: Any) -> dict[str, Any]:
    """A ride of three yuan a minute ago, by card 1 unless told otherwise."""
    held = {} if index is None else {"index": index}
    at = (NOW - timedelta(seconds=30)).isoformat()
    return {"ride": f"r{number}", **held, "perk": TRANSIT, "at": at, "gate": "g1", "fare": 300, **more}


@pytest_asyncio.fixture
async def depot(database: str, doors: Doors, ring: Keyring) -> AsyncIterator[Depot]:
    """An operator that is not open yet."""
    async with world(database) as city:
        yield Depot(city, doors, codes.mint(ring, "990000", 0))


class TestReceive:
    """Uploads."""

    async def test_every_ride_counts_once(self, depot: Depot) -> None:
        """In pieces, twice, out of order and from two gates at once."""
        await depot.open()
        rides = [ride(n, n % 4) for n in range(20_000)]
        chance = random.Random(7)  # noqa: S311  (the order of uploads is no secret)
        pieces = [rides[at : at + 2_500] for at in range(0, len(rides), 2_500)] * 2
        chance.shuffle(pieces)
        for piece in pieces:
            chance.shuffle(piece)
        half = len(pieces) // 2

        async def gate(mine: list[list[dict[str, Any]]]) -> int:
            return sum([(await depot.send(*piece, size=65_536)).accepted for piece in mine])

        accepted = await asyncio.gather(gate(pieces[:half]), gate(pieces[half:]))
        assert sum(accepted) == 40_000
        assert await depot.outcomes() == {"settled": (10_000, 300_000), "unlisted": (10_000, 300_000)}

    async def test_the_answer_depends_on_the_lines_alone(self, depot: Depot) -> None:
        """A card on the list, a card off it, one that nobody has, the first time and the second."""
        await depot.open()
        await depot.holder(1)
        told = [(await depot.send(ride(n, index))) for n, index in ((1, 1), (2, 0), (3, 900), (1, 1))]
        assert {(one.received, one.accepted, one.rejected) for one in told} == {(1, 1, ())}

    async def test_the_same_number_for_another_ride(self, depot: Depot) -> None:
        """Two gates that number alike are told; the first ride stands."""
        await depot.open()
        await depot.send(ride(1))
        told = await depot.send(ride(1, fare=500), ride(2))
        assert [(one.line, one.ride, one.code) for one in told.rejected] == [(1, "r1", "ride_differs")]
        assert await depot.outcomes() == {"settled": (2, 60)}

    async def test_a_dead_token(self, depot: Depot) -> None:
        """Nothing is counted."""
        await depot.open()
        depot.token = bytes(32)
        with pytest.raises(TokenDead):
            await depot.send(ride(1))

    async def test_too_many(self, depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was read before counts, and is harmless to send again."""
        await depot.open()
        monkeypatch.setattr(receive, "MOST_LINES", 2)
        with pytest.raises(receive.TooManyRides):
            await depot.send(ride(1), ride(2), ride(3))
        assert await depot.outcomes() == {"settled": (2, 60)}


class TestRules:
    """What a ride comes to."""

    async def test_a_gate_may_give_less(self, depot: Depot) -> None:
        """What it took off is owed, never more than published."""
        await depot.open()
        await depot.send(ride(1, discount=10), ride(2, discount=99))
        assert await depot.outcomes() == {"settled": (2, 40)}

    async def test_a_card_that_left_the_list_after_the_ride(self, depot: Depot) -> None:
        """The discount that the gate rightly gave is honoured, and no longer linked to whoever withdrew."""
        await depot.open()
        who = await depot.holder(0)
        (share,) = await depot.rows("select id from auth.consent where citizen_id = $1", who)
        await depot.city.end(share["id"])
        await depot.city.lay(entitlement_change, operator_id="metro", perk_id=TRANSIT, seq=2, changed=bytes(4))
        await depot.send(ride(1, 0))
        assert await depot.outcomes() == {"settled": (1, 30)}
        assert await depot.rows("select from incentives.ride_day") == []

    async def test_a_card_that_left_long_before_the_ride(self, depot: Depot) -> None:
        """A list that is too old gives no value."""
        await depot.open()
        await depot.city.lay(entitlement_change, operator_id="metro", perk_id=TRANSIT, seq=2, changed=bytes(4),
                             made_at=clock.wall() - timedelta(days=3))  # fmt: skip
        await depot.send(ride(1, 0))
        assert await depot.outcomes() == {"unlisted": (1, 30)}

    @pytest.mark.parametrize(
        ("budget", "outcome"),
        [
            ({"per": "citizen", "every": "month", "count": 2}, "over_limit"),
            ({"per": "citizen", "every": "day", "amount": 89}, "over_limit"),
            ({"per": "partner", "every": "day", "count": 2}, "budget_spent"),
            ({"per": "perk", "every": "ever", "amount": 60}, "budget_spent"),
        ],
    )
    async def test_a_limit(self, depot: Depot, budget: dict[str, Any], outcome: str) -> None:
        """Held over uploads and within one; never exceeded, never negative."""
        await depot.open(({"count": None, "amount": None, **budget},))
        await depot.send(ride(1))
        await depot.send(ride(2), ride(3), ride(4))
        assert await depot.outcomes() == {"settled": (2, 60), outcome: (2, 60)}

    async def test_uploads_over_midnight_do_not_wait_for_each_other_crosswise(self, depot: Depot) -> None:
        """The one has a card's limit and wants another's for its second day; the other the other way round."""
        await depot.open(({"per": "citizen", "every": "ever", "count": 9, "amount": None},))
        earlier = (NOW - timedelta(days=1)).isoformat()
        await depot.send(ride(0, 9))
        async with depot.city.engine.connect() as held, held.begin():
            await held.execute(text("select from incentives.budget_use where holder = 'metro#9' for update"))
            first = asyncio.create_task(depot.send(ride(1, 1, at=earlier), ride(2, 9, at=earlier), ride(3, 2)))
            await depot.waiting(1)
            second = asyncio.create_task(depot.send(ride(4, 2, at=earlier), ride(5, 1)))
            await depot.waiting(2)
        assert [(await one).accepted for one in (first, second)] == [3, 2]
        assert await depot.outcomes() == {"settled": (6, 180)}

    async def test_two_gates_race_for_the_last_of_a_budget(self, depot: Depot) -> None:
        """The sum is never more than there is."""
        await depot.open(({"per": "perk", "every": "day", "count": 50, "amount": None},))
        await asyncio.gather(*(depot.send(*(ride(f"{gate}-{n}") for n in range(30))) for gate in range(4)))
        assert await depot.outcomes() == {"settled": (50, 1_500), "budget_spent": (70, 2_100)}

    async def test_a_citizens_limit_elsewhere_is_not_told(self, depot: Depot) -> None:
        """What somebody used up with others changes nothing in this operator's sums."""
        await depot.open(({"per": "citizen", "every": "month", "count": 2, "amount": None},))
        who = await depot.holder(1)
        await depot.rows("insert into incentives.budget_use values ($1, 'citizen', $2, to_char(now() at time zone "
                         "'Asia/Shanghai', 'YYYY-MM'), 2, 60)", TRANSIT, str(who))  # fmt: skip
        await depot.send(ride(1))
        assert await depot.outcomes() == {"settled": (1, 30)}
        used = await depot.rows("select orders from incentives.budget_use where holder = $1", str(who))
        assert used[0]["orders"] == 3


class TestCodes:
    """Rides by credit code."""

    async def test_a_code_is_settled_once(self, depot: Depot) -> None:
        """Two gates without a line took it: the second ride is told to the operator and shown to the citizen."""
        await depot.open()
        who = await depot.holder(1)
        text = await depot.code(who)
        await depot.send(ride("a", None, code=text))
        await depot.send(ride("b", None, code=text, gate="g2"))
        await depot.send(ride("b", None, code=text, gate="g2"), ride("a", None, code=text))
        assert await depot.outcomes() == {"settled": (1, 30), "code_used": (1, 30)}
        day = await depot.day()
        assert [(one.ride, one.other) for one in day.doubles] == [("rb", "ra")]
        assert day.owed == {TRANSIT: 30}
        (seen,) = await depot.rows(
            "select rides, discount, doubled from incentives.ride_day where citizen_id = $1", who
        )
        assert tuple(seen) == (2, 60, 1)

    async def test_in_one_upload(self, depot: Depot) -> None:
        """The earlier ride has it."""
        await depot.open()
        text = await depot.code(ids.new())
        early = (NOW - timedelta(seconds=50)).isoformat()
        await depot.send(ride("late", None, code=text), ride("early", None, code=text, at=early))
        (double,) = (await depot.day()).doubles
        assert (double.ride, double.other) == ("rlate", "rearly")

    async def test_a_code_without_a_row(self, depot: Depot) -> None:
        """It was swept: the city's signature is enough to be paid, and it is nobody's."""
        await depot.open()
        text = await depot.code(ids.new())
        await depot.rows("delete from incentives.credit_code")
        await depot.send(ride(1, None, code=text))
        assert await depot.outcomes() == {"settled": (1, 30)}

    async def test_what_is_not_the_citys(self, depot: Depot) -> None:
        """A forged code, one that was long over at the time, and one for another partner; none counts."""
        await depot.open()
        text = await depot.code(ids.new())
        (numbers,) = await depot.rows("select number from incentives.perk_number")
        at = NOW - timedelta(seconds=40)
        other = depot.mint.code(perk=numbers[0], audience=9_999, at=at).text
        late = (NOW + timedelta(seconds=200)).isoformat()
        told = await depot.send(
            ride(1, None, code=text[:-1] + ("0" if text[-1] != "0" else "1")),
            ride(2, None, code=text, at=late),
            ride(3, None, code=other),
        )
        assert [one.code for one in told.rejected] == ["bad_code", "bad_code", "code_not_for_you"]
        assert await depot.outcomes() == {}


class TestForget:
    """What goes by itself."""

    async def test_old_rides_and_days(self, depot: Depot) -> None:
        """After 40 days a ride is refused for its age, and its key goes; a citizen's day goes after 180."""
        await depot.open()
        await depot.holder(1)
        await depot.send(ride(1))
        await depot.rows("update incentives.ride set day = day - 41")
        await depot.rows("update incentives.ride_day set day = day - 181")
        async with depot.doors.work("jobs") as session:
            await session.execute(text("select incentives.forget_rides(1000)"))
        assert await depot.rows("select from incentives.ride") == []
        assert await depot.rows("select from incentives.ride_day") == []
