"""What a citizen sees of their records, and what they may say about them."""

import uuid
from typing import Any

import pytest

from core.errors import NotFound
from scoring import records
from scoring.records import NotHideable, Shown
from scoring.standing import NotEnrolled
from tests.scoringworld import City, hours, id_number, penalty, water

ANN, BOB = id_number(1), id_number(2)


async def shown(city: City, who: str = ANN, **more: Any) -> list[Shown]:
    """A person's records."""
    async with city.as_citizen(city.people[who]) as session:
        return await records.of(session, city.ring, citizen_id=city.people[who], limit=50, **more)


async def hide(city: City, record_id: uuid.UUID, *, who: str = ANN, hidden: bool = True) -> Shown:
    """Hide or show."""
    async with city.as_citizen(city.people[who]) as session:
        return await records.hide(session, city.ring, citizen_id=city.people[who], record_id=record_id, hidden=hidden)


class TestOf:
    """`records.of` and `records.get`."""

    async def test_everything_that_was_sent(self, city: City) -> None:
        """Each record in plain words, with its papers."""
        await city.join(ANN)
        await city.push(water("r1", ANN), penalty("n1", ANN, days=5))
        first, second = await shown(city)
        assert (first.kind, first.status, first.hideable, first.positive) == ("N01", "active", False, False)
        assert first.document == {"no": "罚1号", "authority": "示范市城管局", "effective_on": str(first.occurred_on)}
        assert second.fields["account"] == "a1"
        assert (second.hideable, second.source, second.ref, second.version) == (True, "utilities", "r1", 1)
        assert second.label

    async def test_one_s_own_alone(self, city: City) -> None:
        """Somebody else's record is absent; a stranger has no list."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(water("r1", ANN))
        (mine,) = await shown(city)
        async with city.as_citizen(city.people[ANN]) as session:
            found = await records.get(session, city.ring, citizen_id=city.people[ANN], record_id=mine.id)
            assert found == mine
            with pytest.raises(NotFound):
                await records.get(session, city.ring, citizen_id=city.people[BOB], record_id=mine.id)
        assert await shown(city, BOB) == []
        await city.leave(BOB)
        with pytest.raises(NotEnrolled):
            await shown(city, BOB)

    async def test_pages_and_kinds(self, city: City) -> None:
        """The latest first; pages go on where they ended; one kind alone."""
        await city.join(ANN)
        await city.push(*[water(f"r{n}", ANN, back=n) for n in range(1, 5)], hours("h1", ANN))
        everything = await shown(city)
        assert [one.occurred_on for one in everything] == sorted((one.occurred_on for one in everything), reverse=True)
        assert await shown(city, before=everything[1].id) == everything[2:]
        assert [one.ref for one in await shown(city, kind="P08")] == ["h1"]


class TestHide:
    """`records.hide`."""

    async def test_hidden_does_not_count_and_comes_back(self, city: City) -> None:
        """Reversible, repeatable, and it survives a correction of the source."""
        await city.join(ANN)
        await city.push(hours("h1", ANN))
        (one,) = await shown(city)
        assert (await hide(city, one.id)).status == "hidden"
        assert await city.points(ANN) == 1100
        await city.push(hours("h1", ANN, hours=8, version=2))
        assert await city.points(ANN) == 1100
        assert (await hide(city, one.id)).status == "hidden"
        assert (await hide(city, one.id, hidden=False)).status == "active"
        assert await city.points(ANN) == 1116

    async def test_a_deduction_cannot_be_hidden(self, city: City) -> None:
        """409 `not_hideable`, and it still counts."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        (one,) = await shown(city)
        with pytest.raises(NotHideable):
            await hide(city, one.id)
        assert await city.points(ANN) == 1030

    async def test_a_hidden_positive_that_turns_into_a_deduction(self, city: City) -> None:
        """What was hidden as a positive counts when the source corrects it into a deduction."""
        await city.join(ANN)
        await city.push(water("x1", ANN))
        (one,) = await shown(city)
        await hide(city, one.id)
        await city.push(penalty("x1", ANN, version=2))
        assert await city.points(ANN) == 1030

    async def test_somebody_else_s(self, city: City) -> None:
        """Not yours answers like absent."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(water("r1", ANN))
        (one,) = await shown(city)
        with pytest.raises(NotFound):
            await hide(city, one.id, who=BOB)
