"""The daily pass: everyone is looked at, only what changed is written, and whatever happens in the middle wins."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from core import releases
from core.months import shift
from core.settings import ROOT
from scoring import records, standing
from scoring.batch import changes, cursor, nightly
from scoring.batch.scored import Scored
from tests.scoringworld import TODAY, City, hours, id_number, penalty, water

ANN, BOB, CAL = id_number(1), id_number(2), id_number(3)
LATER = shift(TODAY, 3)


async def changed(city: City, *, as_of: date = TODAY, size: int = 2) -> int:
    """Make the pass of a day; how many standings say something new."""
    return (await nightly.run(city.doors, as_of=as_of, size=size)).changed


async def causes(city: City, who: str) -> list[tuple[int, str]]:
    """Points and cause of each change, the newest first."""
    async with city.as_citizen(city.people[who]) as session:
        found = await standing.history(session, city.ring, citizen_id=city.people[who], limit=9)
    assert [one.points for one in found] == [one.evaluation.points for one in found]
    return [(one.points, one.cause) for one in found]


async def publish(city: City, *, effective_on: date, base: int) -> None:
    """Put another scorecard in force."""
    shipped = next((ROOT / "policy" / "scorecard").glob("*.toml")).read_text()
    body = shipped.replace("base = 100", f"base = {base}", 1)
    async with city.doors.work("staff") as session:
        name = f"{effective_on}-{base}.toml"
        drafted = await releases.draft(
            session, kind="scorecard", name=name, body=body, effective_on=effective_on, by="a"
        )
        await releases.approve(session, release_id=drafted.id, by="b")


class TestRun:
    """`nightly.run`: the pass of a day."""

    async def test_only_what_changed_is_written(self, city: City) -> None:
        """Points fall by date for one person; the other's row is not touched; the same pass again changes nothing."""
        await city.join(ANN, days=360)
        await city.join(BOB, days=360)
        await city.push(water("r1", ANN, back=23), penalty("n1", BOB, days=1))
        ended = await nightly.run(city.doors, as_of=LATER, size=1)
        assert (ended.people, ended.changed) == (2, 1)
        days = await city.rows("select citizen_id, as_of from scoring.standing")
        assert {row["citizen_id"]: row["as_of"] for row in days} == {city.people[ANN]: LATER, city.people[BOB]: TODAY}
        assert await causes(city, ANN) == [(1100, "date"), (1105, "records.write:utilities"), (1100, "enrolled")]
        before = await city.rows("select * from scoring.standing")
        assert await nightly.run(city.doors, as_of=LATER) == ended
        assert await city.rows("select * from scoring.standing") == before

    async def test_what_can_count_no_more_goes(self, city: City) -> None:
        """The pass removes records whose window and storage time are over."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23), hours("h1", ANN, days=720), penalty("n1", ANN))
        await changed(city, as_of=LATER)
        assert {row["ref"] for row in await city.rows("select ref from scoring.record")} == {"h1", "n1"}
        await changed(city, as_of=shift(TODAY, 13))
        assert {row["ref"] for row in await city.rows("select ref from scoring.record")} == {"n1"}

    async def test_traces_go_after_24_months(self, city: City) -> None:
        """A change stays explainable for 24 months and no longer."""
        await city.join(ANN, days=360)
        await changed(city, as_of=shift(TODAY, 24))
        assert len(await city.rows("select 1 from scoring.standing_change")) == 1
        await changed(city, as_of=shift(TODAY, 25))
        assert await city.rows("select 1 from scoring.standing_change where cause = 'enrolled'") == []

    async def test_a_new_scorecard_reaches_everyone(self, city: City) -> None:
        """A scorecard that comes into force at midnight is applied by that day's pass, and named as the cause."""
        await city.join(ANN)
        await publish(city, effective_on=LATER, base=101)
        assert await changed(city, as_of=TODAY) == 0
        assert await changed(city, as_of=LATER) == 1
        assert await causes(city, ANN) == [(1110, "rules"), (1100, "enrolled")]

    async def test_rules_that_change_within_the_day(self, city: City) -> None:
        """Once other rules are in force, the day's pass is due again."""
        await city.join(ANN)
        await changed(city)
        await publish(city, effective_on=date(2026, 2, 1), base=102)
        assert await changed(city) == 1
        assert await city.points(ANN) == 1120

    async def test_a_day_that_was_skipped(self, city: City) -> None:
        """Nothing hangs on yesterday's pass: the next one puts everything right."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23))
        await changed(city, as_of=TODAY)
        assert await changed(city, as_of=LATER) == 1
        assert await city.points(ANN) == 1100

    async def test_nobody(self, city: City) -> None:
        """An empty city is done at once, and said to be done."""
        assert (await nightly.run(city.doors, as_of=TODAY)).ended_at is not None

    async def test_one_entry_for_everybody(self, city: City) -> None:
        """A pass leaves one entry in the log, with the day, the scorecard and how many changed, and no person."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23))
        await nightly.run(city.doors, as_of=LATER)
        await nightly.run(city.doors, as_of=LATER)
        (entry,) = await city.rows("select * from core.audit_entry where action = 'everyone.nightly'")
        assert (entry["actor_kind"], entry["actor"], entry["owner"]) == ("system", "jobs", None)
        scorecard = (await city.book()).scorecard.id
        assert msgspec.json.decode(entry["detail"]) == {"day": str(LATER), "scorecard": scorecard, "changed": 1}

    async def test_one_process_at_a_time(self, city: City) -> None:
        """A second process is told, and does nothing."""
        async with cursor.alone(city.doors) as alone:
            assert alone
            with pytest.raises(nightly.MadeElsewhere):
                await nightly.run(city.doors, as_of=TODAY)

    async def test_evaluators_that_differ_end_the_pass(self, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
        """A plan that says something else stops everything, names scorecard and column, and stores nothing."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23))
        honest = Scored.columns
        monkeypatch.setattr(Scored, "columns", lambda self, place: honest(self, place) | {"i_library": 3})
        with pytest.raises(changes.EvaluatorsDiffer, match="i_library") as caught:
            await nightly.run(city.doors, as_of=LATER)
        assert str(city.people[ANN]) not in str(caught.value)
        assert await city.points(ANN) == 1105


Act = Callable[[], Awaitable[Any]]


def between(monkeypatch: pytest.MonkeyPatch, act: Act) -> None:
    """Let something happen after a range was scored and before its people are locked."""
    honest = nightly.changes.store

    async def store(*given: Any, **more: Any) -> int:
        await act()
        return await honest(*given, **more)

    monkeypatch.setattr(nightly.changes, "store", store)


class TestInTheMiddle:
    """Whatever happens between reading and locking wins."""

    async def test_a_push(self, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
        """A record that comes in is counted, though the plan had not seen it."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23))
        between(monkeypatch, lambda: city.push(hours("h1", ANN)))
        await changed(city, as_of=LATER)
        assert await causes(city, ANN) == [
            (1106, "date"), (1111, "records.write:utilities"), (1105, "records.write:utilities"), (1100, "enrolled")
        ]  # fmt: skip

    async def test_a_withdrawal(self, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who leaves is not scored any more, and nothing of them comes back."""
        await city.join(ANN, days=360)
        await city.join(BOB, days=360)
        await city.push(water("r1", ANN, back=23), water("r2", BOB, back=23))
        between(monkeypatch, lambda: city.leave(ANN))
        assert await changed(city, as_of=LATER) == 1
        left = await city.rows(
            "select citizen_id from scoring.standing union select citizen_id from scoring.standing_change"
        )
        assert [row["citizen_id"] for row in left] == [city.people[BOB]]

    async def test_a_hidden_record(self, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
        """What its citizen hides meanwhile does not count."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23), hours("h1", ANN))
        (row,) = await city.rows("select id from scoring.record where ref = 'h1'")

        async def hide() -> None:
            async with city.as_citizen(city.people[ANN]) as session:
                await records.hide(session, city.ring, citizen_id=city.people[ANN], record_id=row["id"], hidden=True)

        between(monkeypatch, hide)
        await changed(city, as_of=LATER)
        assert await city.points(ANN) == 1100

    async def test_rescored_for_the_day_before_when_the_pass_had_gone_by(
        self, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A push that began before midnight and ended behind the pass's back is brought to the day at its end."""
        await city.join(ANN, days=360)
        await city.join(BOB, days=360)
        await changed(city)
        honest = nightly.spans.read
        pushed: list[object] = []

        async def read(*given: Any, **more: Any) -> Any:
            found = await honest(*given, **more)
            if found is None and not pushed:
                pushed.append(await city.push(water("r1", ANN, back=23)))
            return found

        monkeypatch.setattr(nightly.spans, "read", read)
        await changed(city, as_of=LATER)
        assert pushed
        (row,) = await city.rows("select points, as_of from scoring.standing where citizen_id = $1", city.people[ANN])
        assert tuple(row) == (1100, LATER)

    async def test_a_transaction_under_way_is_waited_for(self, city: City) -> None:
        """The pass does not end before whoever was writing when it went by."""
        await city.join(ANN)
        async with city.doors.work("scorer") as session:
            await session.execute(cursor.text("select pg_current_xact_id()"))
            passing = asyncio.create_task(changed(city))
            await city.until("select 1 from scoring.nightly where people = 1")
            await asyncio.sleep(0.3)
            assert not passing.done()
        assert await passing == 0


class TestCut:
    """A pass that is killed goes on with the range it was at."""

    async def test_it_goes_on_where_it_was(self, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ranges that were done are not read again; the counts go on."""
        for who in (ANN, BOB, CAL):
            await city.join(who, days=360)
        await city.push(*[water(f"r{n}", who, back=23) for n, who in enumerate((ANN, BOB, CAL))])
        honest, seen = nightly.spans.read, list[uuid.UUID]()

        async def read(*given: Any, after: uuid.UUID, **more: Any) -> Any:
            seen.append(after)
            if len(seen) == 2:
                raise ConnectionError
            return await honest(*given, after=after, **more)

        monkeypatch.setattr(nightly.spans, "read", read)
        with pytest.raises(ConnectionError):
            await nightly.run(city.doors, as_of=LATER, size=1)
        ended = await nightly.run(city.doors, as_of=LATER, size=1)
        assert (ended.people, ended.changed) == (3, 3)
        order = sorted(city.people.values())
        assert seen == [cursor.NOBODY, order[0], order[0], order[1], order[2]]
