"""Many at once: barriers and random interleavings, with crashes: nothing above a cap, overspent, doubled or lost."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, ids
from core.db import Doors
from core.errors import Problem
from core.keys import Keyring
from core.pgerrors import is_unavailable
from incentives.eligibility import Gate, Question
from incentives.orders import holders, reviews, rounds
from incentives.orders.counter import PREFIX as PREFIX_OF
from incentives.orders.counter import Done, Order
from incentives.orders.courses import ORDER
from incentives.orders.reviews import Look
from tests.conftest import PREFIX
from tests.gateworld import World, world
from tests.orderworld import LINES, SCOPE, Till, till

LONG = timedelta(days=73000)


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A library's till."""
    async with till(database, doors) as made:
        yield made


async def together(*acts: Awaitable[Any]) -> list[Any]:
    """What came of acts at the same time; problems as themselves, faults raised."""
    found = await asyncio.gather(*acts, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, Problem) and not is_unavailable(one):
            raise one
    return found


def codes_of(found: list[Any]) -> list[str]:
    """The statuses of orders and the codes of problems."""
    return sorted(one.code if isinstance(one, Problem) else getattr(one, "order", one).status for one in found)


class TestBarriers:
    """One resource, many who want it."""

    async def test_64_openings_on_one_cap(self, shop: Till) -> None:
        """Three get it, never a fen above the cap; everybody else takes the standard route."""
        subject = await shop.city.share(await shop.city.citizen())
        found = await together(*(shop.open(subject=subject, deposit=8000) for _ in range(64)))
        assert codes_of(found).count("open") == 3
        assert codes_of(found).count("standard_route") == 61
        held, _ = await shop.books()
        assert [(one["orders"], one["waived"]) for one in held] == [(3, 24000)]

    async def test_64_citizens_on_one_budget(self, shop: Till) -> None:
        """Exactly as many as there is room for; the others are told that it is spent, and hold nothing."""
        await shop.budget(per="perk", every="day", count=10)
        subjects = [await shop.city.share(await shop.city.citizen()) for _ in range(64)]
        found = await together(*(shop.open(subject=one, deposit=100) for one in subjects))
        assert codes_of(found).count("open") == 10
        reasons = {one.order.reason for one in found if one.order.status == "standard_route"}
        assert reasons == {"budget_spent"}
        held, used = await shop.books()
        assert (len(held), [one["orders"] for one in used]) == (10, [10])

    async def test_one_key_at_the_same_time(self, shop: Till) -> None:
        """One order; the others are told to wait, or get its answer."""
        subject = await shop.city.share(await shop.city.citizen())
        again = {"key": "k", "out_order_no": "n", "subject": subject}
        found = await together(*(shop.open(**again) for _ in range(16)))
        assert {one.order.order_id for one in found if isinstance(one, Done)} != set()
        assert set(codes_of(found)) <= {"open", "idempotency_in_flight"}
        assert len(await shop.city.rows("select 1 from incentives.perk_order")) == 1

    async def test_one_number_and_one_decision_at_the_same_time(self, shop: Till) -> None:
        """One order; whoever loses holds nothing."""
        citizen = await shop.city.citizen()
        subject = await shop.city.share(citizen)
        found = await together(*(shop.open(subject=subject, out_order_no="n") for _ in range(8)))
        assert codes_of(found) == ["open", *["order_exists"] * 7]
        made = await shop.gate.check(Question("library.deposit-free", subject=subject), token=shop.token)
        decision = ids.show("dc", made.decision_id)
        found = await together(*(shop.open(decision_id=decision) for _ in range(8)))
        assert codes_of(found) == [*["decision_used"] * 7, "open"]
        assert [one["orders"] for one in (await shop.books())[0]] == [2]

    async def test_start_and_cancel_at_the_same_time(self, shop: Till) -> None:
        """Whoever is first decides; what is held is what the end says."""
        for _ in range(8):
            order = await shop.opened()
            await together(shop.act(order, "start"), shop.act(order, "cancel"))
            steps = await shop.city.rows(
                "select s.event from incentives.order_step s join incentives.perk_order o on o.id = s.order_id "
                "where o.object = :id order by s.seq",
                id=order.order_id,
            )
            assert [one["event"] for one in steps] in (["open", "cancel"], ["open", "start", "cancel"])
        assert await shop.books() == ([], [])


ACTS = st.sampled_from(
    [
        "open", "open", "start", "extend", "return", "settle", "settle_free", "reverse", "cancel", "sync", "keep",
        "report-fault", "dispute", "reject", "uphold", "default", "write_off", "crash",
    ]
)  # fmt: skip
BATCHES = st.lists(st.lists(st.tuples(ACTS, st.integers(0, 7)), min_size=1, max_size=6), min_size=4, max_size=10)


class Play:
    """One example: two citizens, tight budgets, orders as they come."""

    def __init__(self, shop: Till, doors: Doors, perk: str, people: list[tuple[str, bytes]], desk: bytes) -> None:
        """`perk` is this example's own; `people` are subjects with the proofs of their sessions; `desk` decides."""
        self.shop, self.doors, self.perk, self.people, self.desk = shop, doors, perk, people, desk
        self.orders: list[tuple[Order, bytes]] = []

    async def do(self, act: str, pick: int) -> None:
        """One act of the partner, the citizen or the office, a round, or the death of whoever is at it."""
        if act == "keep":
            await rounds.keep(self.doors)
        elif act == "crash":
            await self.shop.city.do(_CRASH)
        elif act == "open":
            subject, proof = self.people[pick % len(self.people)]
            made = await self.shop.open(subject=subject, perk=self.perk, deposit=(pick + 1) * 2000)
            self.orders.append((made.order, proof))
        elif self.orders:
            order, proof = self.orders[pick % len(self.orders)]
            if act in {"report-fault", "dispute"}:
                await self._says(order, proof, act)
                return
            if act in {"reject", "uphold", "default", "write_off"}:
                await self._judges(order, act)
                return
            given: dict[str, Any] = {
                "extend": {"planned_end": clock.civil() + timedelta(days=pick + 1)},
                "settle": LINES,
                "settle_free": {"items": []},
                "reverse": {"items": [{"line": 1, "amount": 100 * (pick + 1)}]},
                "sync": {"paid_amount": 500},
            }.get(act, {})
            await self.shop.act(order, "settle" if act == "settle_free" else act, **given)

    async def _says(self, order: Order, proof: bytes, event: str) -> None:
        reason = "amount" if event == "dispute" else None
        async with self.doors.work("citizen", proof=proof) as session:
            await holders.act(session, order_id=ids.read(PREFIX_OF, order.order_id), event=event, reason=reason)

    async def _judges(self, order: Order, event: Any) -> None:
        look = Look(self.desk, "K001", "review")
        async with self.doors.work("staff") as session:
            await reviews.decide(
                session, look=look, order_id=ids.read(PREFIX_OF, order.order_id), shown=order.order_id, event=event,
                answer="reasons", **({"charge": 200} if event == "uphold" else {}),
            )  # fmt: skip

    async def check(self) -> None:
        """What must hold at every moment."""
        city = self.shop.city
        rows = await city.rows(_HELD, perk=self.perk)
        assert all(row["orders"] <= 3 and row["waived"] <= 30000 for row in rows), rows
        assert all((row["orders"], row["waived"]) == (row["sum_orders"], row["sum_waived"]) for row in rows), rows
        used = await city.rows(_USED, perk=self.perk)
        assert all(row["orders"] <= (row["count"] or 99) for row in used), used
        assert all(row["waived"] <= (row["amount"] or 10**9) for row in used), used
        assert all((row["orders"], row["waived"]) == (row["sum_orders"], row["sum_waived"]) for row in used), used
        before: dict[Any, tuple[int, str]] = {}
        for step in await city.rows(_STEPS, perk=self.perk):
            seq, state = before.get(step["order_id"], (0, "open"))
            assert step["seq"] == seq + 1
            if seq or step["event"] != "open":
                assert (state, step["event"], step["status"]) in ORDER.moves
            assert step["told"] == 1
            before[step["order_id"]] = (step["seq"], step["status"])


# Whoever is in the middle of something, at any door but the operator's.
_CRASH = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and usename <> current_user and state <> 'idle'
"""
_HELD = """
select e.orders, e.waived, count(i.it) as sum_orders, coalesce(sum((i.it->>'waived')::bigint), 0)::bigint as sum_waived
from incentives.exposure e
left join incentives.perk_order o on o.citizen_id = e.citizen_id and o.perk_id = e.perk_id
left join lateral (select it from jsonb_array_elements(o.inverses) it where it->>'of' = 'exposure') i on true
where e.perk_id = :perk group by e.citizen_id, e.orders, e.waived
"""
_USED = """
select u.orders, u.waived, b.count, b.amount, count(i.it) as sum_orders,
  coalesce(sum((i.it->>'waived')::bigint), 0)::bigint as sum_waived
from incentives.budget_use u join incentives.perk_budget b on b.perk_id = u.perk_id and b.per = u.per
left join incentives.perk_order o on o.perk_id = u.perk_id
left join lateral (select it from jsonb_array_elements(o.inverses) it
  where it->>'of' = 'budget' and it->>'per' = u.per and it->>'holder' = u.holder and it->>'period' = u.period) i on true
where u.perk_id = :perk group by u.per, u.holder, u.period, u.orders, u.waived, b.count, b.amount
"""
_STEPS = """
select s.order_id, s.seq, s.event, s.status, (select count(*) from incentives.event e
  where e.object = o.object and e.seq = s.seq and e.data->>'status' = s.status) as told
from incentives.order_step s join incentives.perk_order o on o.id = s.order_id
where o.perk_id = :perk order by s.order_id, s.seq
"""


class TestInterleavings:
    """Random acts, several at once on connections of their own."""

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(batches=BATCHES)
    def test_the_books_are_right_at_every_moment(self, database: str, ring: Keyring, batches: Any) -> None:
        """Exposure and budgets are what orders can still give back, steps have no gaps, and clocks end everything."""
        asyncio.run(self._play(database, ring, batches))

    async def _play(self, database: str, ring: Keyring, batches: list[list[tuple[str, int]]]) -> None:
        doors = db_doors(database, ring)
        async with world(database) as city:
            play = await self._begin(city, doors)
            for batch in batches:
                await together(*(play.do(act, pick) for act, pick in batch))
                await play.check()
            await play.shop.pass_by(days=800)
            await rounds.keep(doors)
            await play.check()
            left = await city.rows("select distinct status from incentives.perk_order where perk_id = :p", p=play.perk)
            assert {row["status"] for row in left} <= ORDER.final
            assert (
                await city.rows("select 1 from incentives.exposure where perk_id = :p and orders > 0", p=play.perk)
                == []
            )
        await doors.close()
        clock.move(timedelta(0))

    async def _begin(self, city: World, doors: Doors) -> Play:
        perk, name = f"library.{secrets.token_hex(4)}", f"p_{secrets.token_hex(4)}"
        await city.perk(perk)
        await city.partner(name, perks=(perk,))
        till = Till(city, Gate(await doors.pool(), b"k" * 32), await city.token(name, scope=SCOPE), name)
        for per, every, count, amount in (
            ("perk", "day", 5, None),
            ("partner", "ever", 9, 70000),
            ("citizen", "year", 5, None),
        ):
            await city.do(
                "insert into incentives.perk_budget select perk_id, release_id, :per, :every, :count, :amount "
                "from incentives.perk where perk_id = :perk",
                per=per, every=every, count=count, amount=amount, perk=perk,
            )  # fmt: skip
        people = []
        await city.partner(f"s_{perk}", perks=(), role="staff")
        desk = await city.token(f"s_{perk}", scope="staff:orders", seconds=10**8)
        for _ in range(2):
            citizen = await city.citizen()
            await city.do(
                "update auth.consent set expires_at = now() + interval '200 years' where citizen_id = :c", c=citizen
            )
            _, proof = await city.logged_in(citizen)
            people.append((await city.share(citizen, name, perk, expires_in=LONG), proof))
        return Play(till, doors, perk, people, desk)


def db_doors(database: str, ring: Keyring) -> Doors:
    """Doors of an event loop of one's own."""
    return Doors(database, ring, PREFIX, size=6)


@pytest.fixture(autouse=True)
def still() -> Any:
    """The civil clock of this process is where it was."""
    yield
    clock.move(timedelta(0))
