"""Records by binary COPY: the very ones that the online evaluator reads."""

import uuid
from datetime import date

from scoring import holders, rows
from scoring.batch import derive, taking
from scoring.batch.plan import RECORDS
from scoring.batch.sources import arrow, schema
from scoring.points.facts import facts
from tests.scoringworld import ALL_KINDS, TODAY, City, hours, id_number, month, penalty, water

ANN, BOB, CAL = id_number(1), id_number(2), id_number(3)


def honour(ref: str, who: str) -> dict[str, object]:
    """A civic honour, as a source line."""
    return {
        "ref": ref, "version": 1, "kind": "P14", "id_number": who, "occurred_on": "2021-05-05",
        "document": {"no": "d1", "authority": "a", "effective_on": "2021-05-05"},
        "fields": {"title": "t", "level": "city"},
    }  # fmt: skip


def listed(ref: str, who: str) -> dict[str, object]:
    """A judgment defaulter still listed: an interval without an end."""
    day = f"{month(2)}-01"
    return {
        "ref": ref, "version": 1, "kind": "N03", "id_number": who, "occurred_on": day,
        "document": {"no": "d1", "authority": "a", "effective_on": day}, "notice": {"no": "n", "served_on": day},
        "fields": {"case": "c", "listed_on": day},
    }  # fmt: skip


class TestTake:
    """`taking.take`."""

    async def test_the_records_of_the_online_evaluator(self, city: City) -> None:
        """Columns, nulls and intervals are those that `rows.records` gives; hidden records and other kinds are not."""
        for who in (ANN, BOB, CAL):
            await city.join(who, sources=("utilities", "library"))
        receipt = await city.push(
            water("r1", ANN), water("r2", ANN), hours("h1", ANN), hours("h2", ANN, hours=7), penalty("n1", BOB),
            honour("p1", BOB), listed("n3", BOB), water("r3", BOB, back=3),
        )  # fmt: skip
        assert receipt.rejected == ()
        await city.push(water("l1", ANN), source="library")
        await city.rows("update scoring.record set status = 'hidden' where ref = 'r3'")
        async with city.doors.work("jobs") as session:
            people = list((await holders.of(session, city.ring, citizen_ids=city.people.values())).values())
            subjects = [one.record_subject for one in people]
            taken = await taking.take(session, subjects=subjects, kinds=sorted(ALL_KINDS))
            online = await rows.records(session, subjects)
            fewer = await taking.take(session, subjects=subjects, kinds=["P08"])
        assert taken.schema == schema(derive.LIVE)
        names = [name for name in RECORDS if name not in {"subject", "provider"}]
        expected = [
            (place, *[getattr(fact, name) for name in names])
            for place, subject in enumerate(subjects)
            for fact in facts(online.get(subject, ()))
        ]
        found = [(row["subject"], *[row[name] for name in names]) for row in derive.rows(taken).to_pylist()]
        assert sorted(found, key=repr) == sorted(expected, key=repr)
        assert len(found) == 6, "two water bills of one month and provider are one row, a third provider's another"
        assert set(fewer["kind"].to_pylist()) == {"P08"}

    async def test_nobody_and_nothing(self, city: City) -> None:
        """No people, or people without a record: no rows, the same columns."""
        async with city.doors.work("jobs") as session:
            assert len(await taking.take(session, subjects=[], kinds=["P01"])) == 0
            assert len(await taking.take(session, subjects=[uuid.uuid4()], kinds=["P01"])) == 0


class TestPermitted:
    """`taking.permitted`: a sensitive kind needs a consent of its own."""

    def test_only_for_whom_it_is_allowed(self) -> None:
        """Blood counts for who allowed it, water for everybody."""
        kinds = ["P10", "P01", "P10", "P01"]
        found = arrow.Table.from_pylist(
            [{"subject": place // 2, "kind": kind, "occurred_on": TODAY} for place, kind in enumerate(kinds)],
            schema=schema(derive.LIVE),
        )
        kept = taking.permitted(found, sensitive={"P10"}, allowed={1: frozenset({"P10"})})
        pairs = zip(kept["subject"].to_pylist(), kept["kind"].to_pylist(), strict=True)
        assert list(pairs) == [(0, "P01"), (1, "P10"), (1, "P01")]
        assert kept["occurred_on"][0].as_py() == TODAY
        assert isinstance(TODAY, date)
