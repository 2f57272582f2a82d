"""A batch taken back: as if it had never come, for its people, their points and what a record said before."""

import random
import uuid
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.errors import NotFound
from scoring import exporting, records, retention
from scoring.feeds import withdrawing
from scoring.ingest import Receipt
from tests.scoringworld import City, hours, id_number, penalty, water

ANN, BEN = id_number(1), id_number(2)


async def back(city: City, receipt: Receipt | uuid.UUID, source: str = "utilities") -> int:
    """The source withdraws a batch; about how many people."""
    batch_id = receipt if isinstance(receipt, uuid.UUID) else ids.read("ba", receipt.batch_id)
    book = await city.book()
    async with city.doors.work("scorer") as session:
        return await withdrawing.withdraw(
            session, city.ring, source=source, batch_id=batch_id, book=book, as_of=clock.today()
        )


async def held(city: City, who: str = ANN) -> dict[str, Any]:
    """What counts of a person, by ref: the hours of volunteering, True for all else."""
    async with city.as_citizen(city.people[who]) as session:
        shown = await records.of(session, city.ring, citizen_id=city.people[who], limit=50)
    return {one.ref: one.fields.get("hours", True) for one in shown if one.status == "active"}


async def changes(city: City, who: str) -> list[str]:
    """The causes of a person's changes, in order."""
    query = "select cause from scoring.standing_change where citizen_id = $1 order by id"
    return [row["cause"] for row in await city.rows(query, city.people[who])]


class TestWithdraw:
    """One batch."""

    async def test_all_of_a_wrong_file_goes(self, city: City) -> None:
        """Everybody's points are as before, moved once each with the reason; others and other batches keep theirs."""
        await city.join(ANN)
        await city.join(BEN)
        await city.push(water("w1", ANN), water("w2", BEN))
        before = [await city.points(who) for who in (ANN, BEN)]
        wrong = await city.push(penalty("n1", ANN), penalty("n2", ANN, days=70), water("w3", BEN, back=2))
        assert [await city.points(who) for who in (ANN, BEN)] != before
        assert await back(city, wrong) == 2
        assert [await city.points(who) for who in (ANN, BEN)] == before
        for who in (ANN, BEN):
            assert [one for one in await changes(city, who) if "withdraw" in one] == ["records.withdraw:utilities"]
        assert (await held(city), await held(city, BEN)) == ({"w1": True}, {"w2": True})
        told = await city.rows("select owner, detail from core.audit_entry where action = 'records.withdraw'")
        assert {row["owner"] for row in told} == {city.people[who] for who in (ANN, BEN)}
        ended = await city.rows("select value, lines from scoring.feed_count where measure = 'ended'")
        assert [tuple(row) for row in ended] == [("withdrawn", 3)]

    async def test_again_changes_nothing(self, city: City) -> None:
        """Withdrawn twice, or sent again: nothing. A higher version counts."""
        await city.join(ANN)
        wrong = await city.push(water("w1", ANN))
        assert (await back(city, wrong), await back(city, wrong)) == (1, 0)
        await city.push(water("w1", ANN))
        assert await held(city) == {}
        await city.push(water("w1", ANN, version=2))
        assert await held(city) == {"w1": True}

    async def test_what_was_said_before_counts_again(self, city: City) -> None:
        """A wrong correction gives way to what it corrected, also for who hid the record; then that can go, too."""
        await city.join(ANN)
        first = await city.push(hours("v1", ANN, hours=3), hours("v2", ANN, hours=5, days=20))
        points = await city.points(ANN)
        wrong = await city.push(
            hours("v1", ANN, hours=8, version=2), hours("v2", ANN, hours=1, days=20, version=2), source="utilities"
        )
        hidden = await city.rows("select id from scoring.record where ref = 'v2'")
        async with city.as_citizen(city.people[ANN]) as session:
            await records.hide(session, city.ring, citizen_id=city.people[ANN], record_id=hidden[0]["id"])
            archive = await exporting.of(session, city.ring, citizen_id=city.people[ANN])
        assert archive is not None
        assert [one.fields["hours"] for row in archive.records for one in row.earlier] == [3, 5]
        await back(city, wrong)
        assert await held(city) == {"v1": 3}
        async with city.as_citizen(city.people[ANN]) as session:
            await records.hide(session, city.ring, citizen_id=city.people[ANN], record_id=hidden[0]["id"], hidden=False)
        assert (await held(city), await city.points(ANN)) == ({"v1": 3, "v2": 5}, points)
        await city.push(hours("v1", ANN, hours=8, version=2))
        assert await held(city) == {"v1": 3, "v2": 5}, "the withdrawn version came again"
        await back(city, first)
        assert await held(city) == {}

    async def test_what_was_revoked_stays_so(self, city: City) -> None:
        """A record that its source had revoked before the wrong batch brought it back is revoked again."""
        await city.join(ANN)
        await city.push(water("w1", ANN))
        await city.rows("update scoring.record set status = 'revoked'")
        wrong = await city.push(water("w1", ANN, version=2))
        assert await held(city) == {"w1": True}
        await back(city, wrong)
        assert await held(city) == {}

    async def test_only_its_own_source_withdraws_a_batch(self, city: City) -> None:
        """Another source's batch answers as an absent one, and stays."""
        await city.join(ANN)
        mine = await city.push(water("w1", ANN))
        for batch, source in ((mine, "library"), (ids.new(), "utilities")):
            with pytest.raises(NotFound):
                await back(city, batch, source)
        assert await held(city) == {"w1": True}

    async def test_of_people_whose_consent_has_run_out_it_goes(self, city: City) -> None:
        """Nobody sees their records now, and a renewal does not bring the wrong ones back."""
        await city.join(ANN)
        wrong = await city.push(water("w1", ANN))
        await city.rows("update scoring.live set until = now() - interval '1 day'")
        assert await back(city, wrong) == 0
        assert [row["status"] for row in await city.rows("select status from scoring.record")] == ["revoked"]

    async def test_what_was_withdrawn_unseen_does_not_come_back(self, city: City) -> None:
        """Withdrawn while the consent had run out, renewed: when its correction goes, too, nothing is left."""
        await city.join(ANN)
        wrong = await city.push(hours("v1", ANN, hours=3))
        also_wrong = await city.push(hours("v1", ANN, hours=8, version=2))
        await city.rows("update scoring.live set until = now() - interval '1 day'")
        await back(city, wrong)
        await city.rows("update scoring.live set until = now() + interval '1 day'")
        await back(city, also_wrong)
        assert await held(city) == {}

    async def test_earlier_versions_are_kept_for_a_while(self, city: City) -> None:
        """The sweep erases them after 30 days, and with the papers of a record that was revoked."""
        await city.join(ANN)
        await city.push(hours("v1", ANN), hours("v2", ANN, days=20))
        await city.push(hours("v1", ANN, version=2), hours("v2", ANN, days=20, version=2))
        query = "select ref from scoring.record where earlier is not null order by ref"
        for day, found in ((29, ["v1", "v2"]), (31, ["v2"])):
            await city.rows(
                "update scoring.record set received_at = $1 where ref = 'v1'", clock.civil() - timedelta(day)
            )
            async with city.doors.work("jobs") as session:
                await retention.sweep(session, city.ring)
            assert [row["ref"] for row in await city.rows(query)] == found
        await city.rows("update scoring.record set status = 'revoked', status_at = $1", clock.civil() - timedelta(4))
        async with city.doors.work("jobs") as session:
            await retention.sweep(session, city.ring)
        assert await city.rows(query) == []


class TestAnyOrder:
    """Corrections and withdrawals as they come."""

    @pytest.mark.parametrize("seed", range(3))
    async def test_what_counts_is_what_no_withdrawn_batch_said(self, city: City, seed: int) -> None:
        """After any sequence, a record says what the highest taken version of a batch that stands said, or is gone."""
        chance = random.Random(seed)  # noqa: S311  (a test's course, repeatable)
        await city.join(ANN)
        taken: dict[str, list[tuple[int, int, str]]] = {ref: [] for ref in ("a", "b", "c")}
        standing: set[str] = set()
        for _ in range(16):
            if standing and chance.random() < 0.4:
                gone = chance.choice(sorted(standing))
                standing.remove(gone)
                await back(city, ids.read("ba", gone))
            else:
                known = {ref: max((one[0] for one in some), default=0) for ref, some in taken.items()}
                newer = {ref: min(5, version + chance.choice([0, 1, 1, 1])) or 1 for ref, version in known.items()}
                lines = {ref: (newer[ref], chance.randint(1, 8)) for ref in chance.sample("abc", 2)}
                pushed = await city.push(
                    *(hours(ref, ANN, hours=n, days=ord(ref) % 7, version=v) for ref, (v, n) in lines.items())
                )
                standing.add(pushed.batch_id)
                for ref, (version, number) in lines.items():
                    if version > known[ref]:
                        taken[ref].append((version, number, pushed.batch_id))
            left = {ref: [one for one in some if one[2] in standing] for ref, some in taken.items()}
            assert await held(city) == {ref: max(some)[1] for ref, some in left.items() if some}
