"""Credit repair from the penalty to the decision: `/v1/me/repairs` and `/v1/staff/repairs`. Rules 37-39."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from core import clock
from tests.api.canary import dump
from tests.api.conftest import Server
from tests.api.rightsworld import LOOK, Bureau, bureau, clerk, code, points
from tests.scoringworld import TODAY, penalty, water

WORDS = "罚款已缴清，摊位已按要求整改。鱻鱻鱻"
YES = {**LOOK, "reasons": "材料齐全，同意修复。鱻鱻鱻"}


class Stage:
    """One server with a bureau and a clerk; everybody makes a person of their own."""

    def __init__(self, server: Server, source: Bureau, staff: httpx2.AsyncClient) -> None:
        """They live as long as the file."""
        self.server, self.source, self.staff = server, source, staff
        self.serial = 0

    async def punished(self, me: httpx2.AsyncClient, who: str, *, days: int = 120, **more: Any) -> str:
        """Join, and get a penalty as old as that; returns the record's id."""
        await self.server.join(me)
        self.serial += 1
        await self.source.push({**penalty(f"n{self.serial}", who, days=days), **more})
        return next(one["id"] for one in (await me.get("/v1/me/records")).json()["records"] if not one["positive"])

    async def step(self, verb: str, repair_id: str, **body: Any) -> httpx2.Response:
        """One step at the desk."""
        return await self.staff.post(f"/v1/staff/repairs/{repair_id}/{verb}", json={**LOOK, **body})


@pytest_asyncio.fixture(scope="module")
async def stage(cluster: Any, city_template: str, ring: Any) -> AsyncIterator[Stage]:
    """A server of this file's own."""
    from tests.api.conftest import serving
    from tests.clones import clone

    async with (
        clone(cluster, city_template) as url,
        serving(url, ring.file, published=True) as server,
        bureau(server) as source,
        clerk(server, "repair-office") as staff,
    ):
        yield Stage(server, source, staff)


async def applied(me: httpx2.AsyncClient, record: str, **more: Any) -> httpx2.Response:
    """Apply."""
    return await me.post("/v1/me/repairs", json={"record": record, "words": WORDS, "pledge": 1, **more})


class TestCourse:
    """From applying to the decision."""

    async def test_applied_checked_approved_and_the_points_are_back(self, stage: Stage) -> None:
        """37, 38: conditions by a person, due in three working days, effect in the act; days before stay true."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            record = await stage.punished(me, person["id_number"])
            before = await points(me)
            way = (await me.get("/v1/me/repairs")).json()["repairable"][0]
            assert (way["record"], way["now"], way["routes"]) == (record, True, [])
            made = await applied(me, record, evidence="缴款凭证 12 号")
            assert made.status_code == 201, made.text
            asked = made.json()
            assert (asked["state"], asked["allowed_actions"], asked["overdue"]) == ("applied", ["withdraw"], False)
            assert [one["id"] for one in asked["conditions"]] == ["performed", "pledge"]
            assert TODAY < date.fromisoformat(asked["decide_by"]) <= TODAY + timedelta(days=14)
            early = await stage.step("approve", asked["id"], reasons="x")
            assert code(early) == (409, "conditions_missing")
            assert early.json()["missing"] == ["performed", "pledge"]
            checked = await stage.step("check", asked["id"], met=["performed", "pledge"])
            assert (checked.json()["state"], checked.json()["words"]) == ("checked", WORDS)
            assert checked.json()["allowed_actions"] == ["extend", "approve", "refuse"]
            done = await stage.step("approve", asked["id"], reasons=YES["reasons"])
            assert (done.status_code, done.json()["state"]) == (200, "approved"), done.text
            mine = (await me.get(f"/v1/me/repairs/{asked['id']}")).json()
            assert (mine["state"], mine["reasons"], mine["allowed_actions"]) == ("approved", YES["reasons"], [])
            assert [(one["event"], one["by"]) for one in mine["history"]] == [
                ("apply", "citizen"), ("check", "staff"), ("approve", "staff")
            ]  # fmt: skip
            assert await points(me) > before
            held = (await me.get("/v1/me/records")).json()["records"][0]
            assert (held["status"], held["until_on"]) == ("repaired", TODAY.isoformat())
            assert (await me.get("/v1/me/repairs")).json()["repairable"] == []
            causes = [one["cause"] for one in (await me.get("/v1/me/score/history")).json()["changes"]]
            assert "records.repair" in causes[0]
            told = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
            acts = [one for one in reversed(told) if one.startswith("repair.")]
            assert acts[:1] == ["repair.apply"]
            assert acts[-4:] == ["repair.read", "repair.check", "repair.read", "repair.approve"], "one look a step"
            again = await stage.step("approve", asked["id"], reasons="x")
            assert code(again) == (409, "illegal_transition")

    async def test_refused_with_what_is_missing_and_asked_again(self, stage: Stage) -> None:
        """A refusal says why and what is missing, moves nothing, and does not bar the next application."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            record = await stage.punished(me, person["id_number"])
            before = await points(me)
            asked = (await applied(me, record)).json()["id"]
            assert code(await applied(me, record)) == (409, "already_open")
            refused = await stage.step("refuse", asked, reasons="缺少缴款凭证", missing=["performed"])
            assert refused.json()["state"] == "refused"
            mine = (await me.get(f"/v1/me/repairs/{asked}")).json()
            assert mine["reasons"] == "缺少缴款凭证"
            assert [one["id"] for one in mine["conditions"] if one["missing"]] == ["performed"]
            assert await points(me) == before
            assert (await applied(me, record)).status_code == 201

    async def test_extended_once(self, stage: Stage) -> None:
        """Three working days more, with reasons, after the check, once (SZX 82)."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()
            assert code(await stage.step("extend", asked["id"], reasons="x")) == (409, "illegal_transition")
            await stage.step("check", asked["id"], met=["pledge"])
            longer = (await stage.step("extend", asked["id"], reasons="等待缴款核对")).json()
            assert (longer["state"], longer["reasons"]) == ("extended", "等待缴款核对")
            assert longer["decide_by"] > asked["decide_by"]
            mine = (await me.get(f"/v1/me/repairs/{asked['id']}")).json()
            assert longer["history"] == mine["history"], "the desk sees the course that the citizen sees"
            assert [(one["event"], one["by"]) for one in mine["history"]] == [
                ("apply", "citizen"), ("check", "staff"), ("extend", "staff"),
            ]  # fmt: skip
            assert code(await stage.step("extend", asked["id"], reasons="x")) == (409, "illegal_transition")

    async def test_withdrawn(self, stage: Stage) -> None:
        """A citizen takes it back; the desk can do nothing any more, and it leaves the queue."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()["id"]
            taken = await me.post(f"/v1/me/repairs/{asked}/withdraw")
            assert (taken.status_code, taken.json()["state"]) == (200, "withdrawn")
            assert code(await me.post(f"/v1/me/repairs/{asked}/withdraw")) == (409, "illegal_transition")
            assert code(await stage.step("check", asked, met=[])) == (409, "illegal_transition")
            queue = (await stage.staff.get("/v1/staff/repairs", params={"limit": 100})).json()["items"]
            assert asked not in {one["id"] for one in queue}

    async def test_its_source_was_faster(self, stage: Stage) -> None:
        """What the source repairs meanwhile settles the application, for everybody."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()["id"]
            await stage.step("check", asked, met=["performed", "pledge"])
            ref = f"n{stage.serial}"
            decision = {"no": "信修2026-7", "authority": "示范市城管局", "decided_on": TODAY.isoformat()}
            for _ in range(2):
                done = await stage.source.http.post(
                    "/v1/source/records/repair", json={"ref": ref, "decision": decision}
                )
                assert done.status_code == 202
            assert (await me.get(f"/v1/me/repairs/{asked}")).json()["state"] == "settled"
            held = (await me.get("/v1/me/records")).json()["records"][0]
            assert (held["status"], held["repair"]["no"]) == ("repaired", "信修2026-7")
            assert code(await stage.step("approve", asked, reasons="x")) == (409, "illegal_transition")
            await stage.source.push(penalty(ref, person["id_number"], days=120, version=2))
            assert (await me.get("/v1/me/records")).json()["records"][0]["status"] == "repaired"

    async def test_two_clerks_at_once(self, stage: Stage) -> None:
        """One decides; the other is told that the state moved on. The effect is there once."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()["id"]
            await stage.step("check", asked, met=["performed", "pledge"])
            answers = await asyncio.gather(
                stage.step("approve", asked, reasons="x"), stage.step("refuse", asked, reasons="x")
            )
            assert sorted(one.status_code for one in answers) == [200, 409]


class TestBounds:
    """What cannot be had."""

    async def test_not_before_the_minimum_display_time(self, stage: Stage) -> None:
        """37: a day too early is told the first day (three months for a general penalty)."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            record = await stage.punished(me, person["id_number"], days=60)
            early = await applied(me, record)
            assert code(early) == (409, "too_early")
            way = (await me.get("/v1/me/repairs")).json()["repairable"][0]
            assert (way["now"], way["repairable_on"]) == (False, early.json()["repairable_on"])
            assert date.fromisoformat(way["repairable_on"]) > TODAY

    async def test_a_positive_and_a_foreign_record(self, stage: Stage) -> None:
        """A positive needs no repair; another one's record is unknown, like none."""
        person, other = stage.server.person(), stage.server.person()
        async with stage.server.logged_in(person) as me, stage.server.logged_in(other) as you:
            record = await stage.punished(me, person["id_number"])
            await stage.server.join(you)
            await stage.source.push(water(f"w{stage.serial}", other["id_number"]))
            mine = (await you.get("/v1/me/records")).json()["records"][0]["id"]
            assert code(await applied(you, mine)) == (409, "not_repairable")
            for unknown in (record, "rc_" + "0" * 26, "x"):
                assert code(await applied(you, unknown)) == (422, "unknown_record")
            asked = (await applied(me, record)).json()["id"]
            assert code(await you.get(f"/v1/me/repairs/{asked}")) == (404, "not_found")
            assert code(await you.post(f"/v1/me/repairs/{asked}/withdraw")) == (404, "not_found")

    async def test_the_rules_in_force_hold(self, stage: Stage) -> None:
        """An old pledge, a way that the kind does not have, a condition that the application has not."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            record = await stage.punished(me, person["id_number"])
            assert code(await applied(me, record, pledge=9)) == (422, "bad_application")
            assert code(await applied(me, record, route="training")) == (422, "bad_application")
            asked = (await applied(me, record)).json()["id"]
            assert code(await stage.step("check", asked, met=["training"])) == (422, "unknown_condition")

    async def test_a_serious_one_takes_a_year_and_a_way(self, stage: Stage) -> None:
        """37: a year, and one of the ways that the rules offer, which then is a condition (LY20-13)."""
        person = stage.server.person()
        serious = {"kind": "N02", "fields": {
            "class": "c1", "clause": "第1条", "severity": "serious", "procedure": "ordinary"
        }}  # fmt: skip
        async with stage.server.logged_in(person) as me:
            record = await stage.punished(me, person["id_number"], days=380, **serious)
            assert code(await applied(me, record)) == (422, "bad_application")
            asked = (await applied(me, record, route="volunteering")).json()
            assert [one["id"] for one in asked["conditions"]] == ["performed", "pledge", "volunteering"]

    @pytest.mark.parametrize("scope", ["staff:reviews", "staff:releases"])
    async def test_other_staff_have_no_say(self, stage: Stage, scope: str) -> None:
        """Another scope is refused, and its citizen reads nothing of it, since nothing was opened."""
        async with clerk(stage.server, f"nosy-{scope[6:]}", scope) as nosy:
            answer = await nosy.get("/v1/staff/repairs")
            assert code(answer) == (403, "insufficient_scope")

    async def test_the_queue_says_nothing_of_anybody(self, stage: Stage) -> None:
        """Numbers, kinds and days; the words lie sealed, and in no entry."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()["id"]
            queue = (await stage.staff.get("/v1/staff/repairs", params={"limit": 100})).json()["items"]
            (mine,) = [one for one in queue if one["id"] == asked]
            assert set(mine) == {
                "id", "kind", "route", "state", "opened_at", "decide_by", "provisional", "overdue"
            }  # fmt: skip
            assert code(await stage.staff.get(f"/v1/staff/repairs/{asked}")) == (422, "invalid")
        rows = "\n".join((await dump(stage.server.owner_url)).values())
        assert "鱻鱻鱻" not in rows
        assert "鱻鱻鱻".encode().hex() not in rows

    async def test_it_goes_with_the_consent(self, stage: Stage) -> None:
        """Withdrawing erases applications and their steps, and the desk finds nothing."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()["id"]
            consent = (await me.get("/v1/me/consents")).json()["consents"][0]["id"]
            assert (await me.delete(f"/v1/me/consents/{consent}")).status_code == 200
            assert code(await me.get("/v1/me/repairs")) == (404, "not_enrolled")
            assert code(await stage.step("check", asked, met=[])) == (404, "not_found")

    async def test_a_late_desk_is_seen_to_be_late(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """After its day the application is overdue, for both."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            asked = (await applied(me, await stage.punished(me, person["id_number"]))).json()
            late = date.fromisoformat(asked["decide_by"]) - TODAY + timedelta(days=1)
            monkeypatch.setattr(clock, "_offset", late)
            assert (await me.get(f"/v1/me/repairs/{asked['id']}")).json()["overdue"] is True


class TestHandIn:
    """`POST /v1/staff/repairs/import`: decisions of authorities, on paper."""

    async def test_decisions_end_deductions_once_and_disclose_nobody(self, stage: Stage) -> None:
        """CSV or NDJSON, each line by itself; an unknown ref answers alike; again changes nothing; papers are kept."""
        person = stage.server.person()
        async with stage.server.logged_in(person) as me:
            await stage.punished(me, person["id_number"], days=30)
            before, ref = await points(me), f"n{stage.serial}"
            text = (
                "source,ref,decision_no,authority,decided_on\n"
                f"enforcement,{ref},信修1号,信用中国,{TODAY}\nenforcement,unknown,信修2号,信用中国,{TODAY}\n"
                f"enforcement,{ref},,信用中国,{TODAY}\nenforcement,{ref},x,y,{TODAY + timedelta(days=1)}\n"
            )
            for _ in range(2):
                answer = await stage.staff.post(
                    "/v1/staff/repairs/import", content=text.encode(), headers={"Content-Type": "text/csv"}
                )
                got = answer.json()
                assert (got["received"], got["accepted"]) == (4, 2), answer.text
                assert [(one["line"], one["code"]) for one in got["rejected"]] == [(3, "malformed"), (4, "future_date")]
            held = (await me.get("/v1/me/records")).json()["records"][0]
            assert (held["status"], held["repair"]["no"], held["repair"]["handed_in_by"]) == (
                "repaired", "信修1号", "repair-office"
            )  # fmt: skip
            assert await points(me) > before
            told = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
            assert told.count("records.repair") == 1

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("application/json", b"{}", (415, "unsupported_media_type")),
            ("application/x-ndjson", b"{", (400, "malformed")),
            ("text/csv", b"\xff", (400, "malformed")),
            ("application/x-ndjson", b"{}\n" * 1001, (413, "too_large")),
        ],
    )
    async def test_what_is_not_read(self, stage: Stage, kind: str, body: bytes, expected: tuple[int, str]) -> None:
        """Another type, broken text, too many lines: nothing is taken."""
        answer = await stage.staff.post("/v1/staff/repairs/import", content=body, headers={"Content-Type": kind})
        assert code(answer) == expected


class TestReminders:
    """`GET /v1/me/reminders`: what can be done, in time."""

    async def test_soon_then_now_then_ended(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """A fortnight before, from the first day on, and for a month after the repair; nothing two months before."""
        person = stage.server.person()

        async def why(me: httpx2.AsyncClient) -> list[str]:
            return [one["why"] for one in (await me.get("/v1/me/reminders")).json()["rights"]]

        async with stage.server.logged_in(person) as me:
            assert await why(me) == []
            record = await stage.punished(me, person["id_number"], days=30)
            assert await why(me) == []
            first = date.fromisoformat((await me.get("/v1/me/repairs")).json()["repairable"][0]["repairable_on"])
            for before, said in ((10, ["repairable_soon"]), (0, ["repairable"])):
                monkeypatch.setattr(clock, "_offset", first - TODAY - timedelta(days=before))
                assert await why(me) == said
            asked = (await applied(me, record)).json()["id"]
            await stage.step("check", asked, met=["performed", "pledge"])
            await stage.step("approve", asked, reasons="x")
            assert await why(me) == ["ended"]
            monkeypatch.setattr(clock, "_offset", first - TODAY + timedelta(days=40))
            assert await why(me) == []


class TestNoBoosting:
    """39: points move by records and rules alone; there is nothing to be paid for."""

    async def test_no_operation_takes_points(self, stage: Stage) -> None:
        """No request of any audience has a member that could be an amount of points, a tier or a fee for repair."""
        async with httpx2.AsyncClient(base_url=stage.server.base_url) as http:
            document = (await http.get("/openapi.json")).json()
        words = {"points", "point", "score", "tier", "bonus", "adjustment", "delta", "boost", "fee", "payment", "price"}

        def members(part: Any) -> set[str]:
            if isinstance(part, dict):
                held = part["properties"] if isinstance(part.get("properties"), dict) else {}
                named = {name for name, each in held.items() if each.get("type") != "boolean"}  # what a report shows
                if "$ref" in part:
                    named |= members(document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]])
                return named.union(*(members(each) for each in part.values()), set())
            return set().union(*(members(each) for each in part)) if isinstance(part, list) else set()

        taken = {
            f"{method} {path}": found
            for path, methods in document["paths"].items()
            for method, described in methods.items()
            if (found := members(described.get("requestBody", {})) & words)
        }
        assert {name: found for name, found in taken.items() if not name.startswith("post /v1/me/score/")} == {}

    async def test_no_door_of_staff_or_partners_writes_a_standing(self, stage: Stage) -> None:
        """Neither they nor their gates may write points or records; only who evaluates may, and by record alone."""
        import asyncpg

        connection = await asyncpg.connect(stage.server.owner_url)
        try:
            rows = await connection.fetch(
                "select d.door, c.oid::regclass::text as relation from pg_class c "
                "cross join unnest(array['staff', 'partner', 'source', 'auth', 'gate']) as d (door) "
                "where c.oid in ('scoring.standing'::regclass, 'scoring.record'::regclass, "
                "'scoring.standing_change'::regclass) and (has_any_column_privilege('osmanthus_' || d.door, c.oid, "
                "'insert, update') or has_table_privilege('osmanthus_' || d.door, c.oid, 'delete'))"
            )
        finally:
            await connection.close()
        assert rows == []
