"""What a source sent, as numbers that lead to nobody."""

from datetime import date, timedelta
from typing import Any

import pytest

from core import clock
from scoring.book.lines import Accepted
from tests.scoringworld import TODAY, City, hours, id_number, ndjson, penalty, water

ANN, BOB = id_number(1), id_number(2)


async def numbers(city: City, measure: str) -> dict[tuple[str, str], int]:
    """One measure, by kind and value."""
    rows = await city.rows("select kind, value, lines from scoring.feed_count where measure = $1", measure)
    return {(row["kind"], row["value"]): row["lines"] for row in rows}


class TestCounts:
    """After a push."""

    async def test_verdicts(self, city: City) -> None:
        """Accepted, rejected, new, repeated and newer lines are counted, each once; strangers only as accepted."""
        await city.join(ANN)
        bad = {**water("x", ANN), "version": 0}
        await city.push(water("a", ANN), water("b", BOB), bad, b"{", {**water("d", ANN), "occurred_on": "2999-01-01"})
        await city.push(water("a", ANN), water("a", ANN, version=2), water("c", ANN, back=2))
        assert await numbers(city, "accepted") == {("P01", ""): 5}
        assert await numbers(city, "rejected") == {("", "malformed"): 2, ("P01", "future_date"): 1}
        assert await numbers(city, "stored") == {("P01", "new"): 2, ("P01", "newer"): 1, ("P01", "repeated"): 1}
        rows = await city.rows("select kind, code, lines, first_line from scoring.batch_rejection order by kind")
        assert [tuple(row) for row in rows] == [("", "malformed", 2, 3), ("P01", "future_date", 1, 5)]

    async def test_levels_and_quantities(self, city: City) -> None:
        """Of what is new, how much and how high is counted; a repeated record is not counted again."""
        await city.join(ANN)
        for _ in range(2):
            await city.push(hours("h1", ANN, hours=3), hours("h2", ANN, hours=12, days=11))
        assert await numbers(city, "quantity") == {("P08", "3"): 1, ("P08", "9"): 1}

    async def test_nothing_leads_back(self, city: City) -> None:
        """Once a person has withdrawn, their batch is a size, and the numbers name no batch, record or person."""
        await city.join(ANN)
        receipt = await city.push(water("canary-ref", ANN))
        await city.leave(ANN)
        dump = await city.dump()
        assert "canary-ref" not in dump
        assert len(await numbers(city, "stored")) == 1
        columns = await city.rows(
            "select column_name from information_schema.columns where table_name = 'feed_count' order by 1"
        )
        assert [row[0] for row in columns] == ["day", "kind", "lines", "measure", "source", "value"]
        assert receipt.accepted == 1


class TestSevenWorkingDays:
    """Rule 24: a source reports within 7 working days (HF17 (9), LY20-15); we update the file within 5 of receipt."""

    @pytest.mark.parametrize(("back", "shown"), [(1, None), (60, "8"), (0, "0")])
    async def test_took(self, city: City, back: int, shown: str | None) -> None:
        """The time is counted in working days from the document's effect, on the calendar that everybody counts by."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN, days=back))
        rows = await city.rows(
            "select count(*) as n from core.workday where day > $1 and day <= $2 and is_workday",
            TODAY - timedelta(days=back), TODAY,
        )  # fmt: skip
        assert await numbers(city, "took") == {("N01", shown or str(rows[0]["n"])): 1}

    async def test_make_up_days_count(self, city: City) -> None:
        """A Sunday that is worked counts, a Monday off does not."""
        await city.join(ANN)
        days = [TODAY - timedelta(days=n) for n in range(4)]
        await city.rows("delete from core.workday where day = any($1)", days)
        for day, worked in zip(days, (True, False, True, False), strict=True):
            await city.rows("insert into core.workday values ($1, $2, 'x', 1)", day, worked)
        await city.push(penalty("n1", ANN, days=3))
        assert await numbers(city, "took") == {("N01", "2"): 1}

    async def test_a_months_record_runs_from_the_months_end(self, city: City) -> None:
        """A bill of a month cannot be reported before the month is over, so its time does not run before."""
        period = f"{TODAY:%Y-%m}"
        line: dict[str, Any] = {**water("a", ANN), "occurred_on": str(TODAY.replace(day=1))}
        line["fields"] = {**line["fields"], "period": period}
        book = await city.book()
        read = book.reader.read(ndjson(line), permitted=frozenset({"P01"}), received_on=TODAY)
        assert isinstance(read, Accepted)
        assert read.dated_on == TODAY
        later = book.reader.read(ndjson(line), permitted=frozenset({"P01"}), received_on=date(2999, 1, 1))
        assert isinstance(later, Accepted)
        assert later.dated_on == _month_end(TODAY)

    async def test_the_file_is_updated_with_the_receipt(self, city: City) -> None:
        """When the source has its receipt, record, points and trace are there: no working day passes, let alone 5."""
        await city.join(ANN)
        before = await city.points(ANN)
        await city.push(penalty("n1", ANN))
        assert await city.points(ANN) < before
        rows = await city.rows(
            "select r.received_at, max(c.at) as at from scoring.record r, scoring.standing_change c group by 1"
        )
        assert rows[0]["at"].date() == rows[0]["received_at"].date() == clock.civil().date()

    async def test_ended(self, city: City) -> None:
        """A revocation is counted when it ended something, whoever it was about, and not when it did not."""
        from scoring import ending

        await city.join(ANN)
        await city.push(water("a", ANN))
        book = await city.book()
        for ref in ("a", "a", "unknown"):
            async with city.doors.work("scorer") as session:
                await ending.revoke(
                    session, city.ring, source="utilities", ref=ref, version=None, book=book, as_of=TODAY
                )
        assert await numbers(city, "ended") == {("", "revoked"): 1}


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
