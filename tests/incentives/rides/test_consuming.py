"""A code consumed at a gate with a line: once in the whole city, and settled with the usage that follows."""

import asyncio
from datetime import UTC, datetime

import pytest

from incentives import creditcode
from incentives.eligibility import Gate, Question, TokenDead
from incentives.rides.consuming import OPERATOR
from tests.gateworld import LIBRARY
from tests.incentives.rides.test_settling import TRANSIT, Depot
from tests.incentives.rides.test_settling import depot as depot  # noqa: PLC0414  (the fixture, for this file)


async def gate_of(depot: Depot) -> Gate:
    """The city card's door, as the API has it."""
    return Gate(await depot.doors.pool("citycard"), bytes(32), OPERATOR)


class TestConsume:
    """Who has a code."""

    async def test_of_racing_gates_one_has_it(self, depot: Depot) -> None:
        """64 at once, each with a question of its own."""
        await depot.open()
        gate = await gate_of(depot)
        text = await depot.city.code(await depot.city.citizen(), TRANSIT)
        asked = [gate.check(Question(TRANSIT, code=text, terminal=f"g{n}"), token=depot.token) for n in range(64)]
        told = await asyncio.gather(*asked)
        assert sorted((one.granted, one.reason) for one in told) == [(False, "code_used")] * 63 + [(True, None)]

    async def test_a_personal_cause_has_no_name(self, depot: Depot) -> None:
        """Too few points, and held: the standard route without a reason; the citizen reads who asked."""
        await depot.open()
        gate = await gate_of(depot)
        people = [await depot.city.citizen(900), await depot.city.citizen(1300, held=True)]
        for who in people:
            told = await gate.check(Question(TRANSIT, code=await depot.city.code(who, TRANSIT)), token=depot.token)
            assert (told.granted, told.reason) == (False, None)
        entries = await depot.rows("select actor_kind, actor from core.audit_entry where owner = any ($1)", people)
        assert [tuple(one) for one in entries] == [("citycard", "metro")] * 2

    async def test_another_perk_or_another_door(self, depot: Depot) -> None:
        """Of another perk it is not theirs; a partner's token opens nothing here, nor an operator's there."""
        await depot.open()
        partner = await depot.city.partner()
        gate = await gate_of(depot)
        told = await gate.check(Question(LIBRARY, code="CC1:X"), token=depot.token)
        assert told.reason == "perk_unknown"
        with pytest.raises(TokenDead):
            await gate.check(Question(TRANSIT, code="CC1:X"), token=partner)
        with pytest.raises(TokenDead):
            await Gate(await depot.doors.pool(), bytes(32)).check(Question(TRANSIT, code="CC1:X"), token=depot.token)

    async def test_its_ride_is_settled(self, depot: Depot) -> None:
        """What was consumed with a line comes with the usage, and is no double; of two rides with it the second is."""
        await depot.open()
        gate = await gate_of(depot)
        who = await depot.city.citizen()
        text = await depot.code(who)
        await depot.rows("update incentives.credit_code set expires_at = now() + interval '60 s'")
        assert (await gate.check(Question(TRANSIT, code=text), token=depot.token)).granted
        claims = creditcode.read(text)[0]
        at = datetime.fromtimestamp(claims.issued, UTC).isoformat()
        line = {"perk": TRANSIT, "at": at, "gate": "g1", "fare": 300, "code": text}
        await depot.send({"ride": "one", **line})
        await depot.send({"ride": "two", **line})
        assert await depot.outcomes() == {"settled": (1, 30), "code_used": (1, 30)}
