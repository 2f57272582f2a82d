"""A citizen's own words beside a record: shown, changed, taken back, gone with the record."""

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.errors import NotFound
from scoring import records, refusals, statements
from scoring.records import Shown
from scoring.standing import NotEnrolled
from scoring.statements import NoWords
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

    @pytest.mark.parametrize(
        ("words", "kept"),
        [
            ("罚款\u202e已缴清\u2066。\u200f", "罚款已缴清。"),
            ("\x00已\x1b[31m缴\x85清\t。\r\n", "已[31m缴清。"),
            ("<script>alert(1)</script>&amp;", "<script>alert(1)</script>&amp;"),
            ("第一行\n第二行", "第一行\n第二行"),
            ("👨\u200d👩\u200d👧家里人", "👨\u200d👩\u200d👧家里人"),
            ("字" * statements.LONGEST, "字" * statements.LONGEST),
        ],
        ids=["direction", "controls", "markup", "lines", "joined", "longest"],
    )
    async def test_words_are_text_and_nothing_else(self, city: City, words: str, kept: str) -> None:
        """What could turn or hide writing is left out; markup is kept as the text that it is, for pages to escape."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        (one,) = await shown(city)
        assert (await say(city, one.id, words)).statement == kept

    async def test_no_words_are_refused_and_earlier_ones_stay(self, city: City) -> None:
        """Nothing but controls, nothing at all, and one character too many change nothing."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        (one,) = await shown(city)
        await say(city, one.id, WORDS)
        for words in ("", " \n ", "\u202e\x07", "字" * (statements.LONGEST + 1)):
            with pytest.raises(NoWords):
                await say(city, one.id, words)
        assert (await shown(city))[0].statement == WORDS

    async def test_only_its_citizen_can_see_them(self, city: City) -> None:
        """The doors of partners, sources, staff and logins have no right to the table, and the scorer none to words."""
        for door in ("partner", "source", "staff", "auth", "scorer"):
            async with city.doors.work(door) as session:  # type: ignore[arg-type]  (each is a Door)
                with pytest.raises(ProgrammingError, match="permission denied"):
                    await session.execute(text("select sealed from scoring.statement"))
                await session.rollback()

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
