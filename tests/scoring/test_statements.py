"""A citizen's own words beside a record: shown, changed, taken back, gone with the record."""

import uuid

import pytest

from core.errors import NotFound
from scoring import records, refusals
from scoring.records import Shown
from scoring.standing import NotEnrolled
from tests.scoringworld import City, id_number, penalty, water

ANN, BOB = id_number(1), id_number(2)
WORDS = "罚单是别人开我的车时收到的。"


async def say(city: City, record_id: uuid.UUID, words: str | None, *, who: str = ANN) -> Shown:
    """Say something to a record."""
    async with city.as_citizen(city.people[who]) as session:
        return await records.state(
            session, city.ring, citizen_id=city.people[who], record_id=record_id, words=words
        )  # fmt: skip


async def shown(city: City, who: str = ANN) -> list[Shown]:
    """A person's records."""
    async with city.as_citizen(city.people[who]) as session:
        return await records.of(session, city.ring, citizen_id=city.people[who], limit=50)


class TestState:
    """`records.state`."""

    async def test_shown_beside_the_record_alone_and_sealed(self, city: City) -> None:
        """The words come back with their record, with no other, and lie in the clear nowhere; no point moves."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN), water("r1", ANN))
        before = await city.points(ANN)
        target = next(one for one in await shown(city) if one.kind == "N01")
        assert (await say(city, target.id, WORDS)).statement == WORDS
        assert {one.kind: one.statement for one in await shown(city)} == {"N01": WORDS, "P01": None}
        assert await city.points(ANN) == before
        assert WORDS not in await city.dump()
        assert WORDS.encode().hex() not in await city.dump()

    async def test_the_last_words_count_and_can_be_taken_back(self, city: City) -> None:
        """New words replace the old; taking back leaves no row; doing it again changes nothing."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        (one,) = await shown(city)
        await say(city, one.id, WORDS)
        assert (await say(city, one.id, "已缴清。")).statement == "已缴清。"
        assert (await say(city, one.id, None)).statement is None
        assert (await say(city, one.id, None)).statement is None
        assert await city.rows("select 1 from scoring.statement") == []

    async def test_nobody_speaks_to_another_one_s_record(self, city: City) -> None:
        """Not yours is absent; who takes no part has no records."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(penalty("n1", ANN))
        (one,) = await shown(city)
        with pytest.raises(NotFound):
            await say(city, one.id, WORDS, who=BOB)
        await city.leave(BOB)
        with pytest.raises(NotEnrolled):
            await say(city, one.id, WORDS, who=BOB)

    async def test_they_stay_with_a_corrected_record(self, city: City) -> None:
        """A higher version of the record keeps the words beside it."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        (one,) = await shown(city)
        await say(city, one.id, WORDS)
        await city.push(penalty("n1", ANN, days=50, version=2))
        (now,) = await shown(city)
        assert (now.version, now.statement) == (2, WORDS)

    async def test_they_go_with_the_record(self, city: City) -> None:
        """Refusing the kind, or withdrawing, erases the words."""
        await city.join(ANN)
        await city.push(water("r1", ANN), penalty("n1", ANN))
        for one in await shown(city):
            await say(city, one.id, WORDS)
        async with city.as_citizen(city.people[ANN]) as session:
            await refusals.refuse(session, city.ring, citizen_id=city.people[ANN], kind="P01")
        assert len(await city.rows("select 1 from scoring.statement")) == 1
        await city.leave(ANN)
        assert await city.rows("select 1 from scoring.statement") == []
