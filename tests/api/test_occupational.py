"""Occupational records: their own consent, their own door, their own report, and never a point."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest_asyncio

from core import clock, embedded, ids
from core.keys import Keyring
from core.months import shift
from tests.api import reportreader
from tests.api.conftest import Server, serving
from tests.api.worker.test_lapses import _round, days_later
from tests.clones import clone
from tests.scoringworld import ndjson

PUSH = "/v1/source/occupational"
PURPOSE = "occupational-report"
KINDS = ["O01", "O02", "O03", "O04", "O05"]


class Clinic(msgspec.Struct, frozen=True):
    """A server with a source of occupational records, and somebody of the profession."""

    server: Server
    source: httpx2.AsyncClient
    me: httpx2.AsyncClient
    who: str

    async def consent(self, days: int = 300) -> str:
        """Give the consent for so many days; its id."""
        notice = (await self.me.get(f"/v1/rules/notices/{PURPOSE}/2")).json()
        body = {
            "purpose": PURPOSE,
            "notice": {"version": notice["version"], "digest": notice["digest"]},
            "expires_on": (clock.today() + timedelta(days=days)).isoformat(),
        }
        answer = await self.me.post("/v1/me/consents", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def push(self, *lines: Any) -> Any:
        """The receipt."""
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self.source.post(PUSH, content=ndjson(*lines), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def held(self) -> list[dict[str, Any]]:
        """What the person is shown of it."""
        return (await self.me.get("/v1/me/occupational")).json()["records"]


@pytest_asyncio.fixture(scope="module")
async def town(
    cluster: embedded.Cluster, city_template: str, ring: Keyring
) -> AsyncIterator[tuple[Server, httpx2.AsyncClient]]:
    """A city of this file's own, with the source that the notice names."""
    async with clone(cluster, city_template) as url, serving(url, ring.file, published=True) as server:
        auth, _ = await server.register("occupation", "source", "records:write", kinds=[*KINDS, "P01"])
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as source:
            yield server, source


@pytest_asyncio.fixture
async def clinic(town: tuple[Server, httpx2.AsyncClient]) -> AsyncIterator[Clinic]:
    """Somebody new in it."""
    server, source = town
    person = server.person(name="王小明")
    async with server.logged_in(person) as me:
        yield Clinic(server, source, me, person["id_number"])


def ref_of(ref: str, who: str) -> str:
    """A ref of somebody's own; an ID number may not stand in one."""
    return f"{ref}-{who[-5:]}"


def licence(ref: str, who: str, *, version: int = 1, title: str = "执业医师") -> dict[str, Any]:
    """A licence, as a source line."""
    day = "2020-03-01"
    return {
        "ref": ref_of(ref, who), "version": version, "kind": "O01", "id_number": who, "occurred_on": day,
        "document": {"no": "证1号", "authority": "示范市卫生健康委", "effective_on": day},
        "fields": {"profession": "医师", "title": title},
    }  # fmt: skip


def cycle(ref: str, who: str, points: int = 12, *, months: int = 2) -> dict[str, Any]:
    """Penalty points of a cycle, as a source line."""
    day = shift(clock.today(), -months).isoformat()
    return {
        "ref": ref_of(ref, who), "version": 1, "kind": "O05", "id_number": who, "occurred_on": day,
        "document": {"no": "记1号", "authority": "示范市卫生健康委", "effective_on": day},
        "notice": {"no": "告1号", "served_on": day},
        "fields": {"profession": "医师", "cycle": "2025-2026", "points": points},
    }  # fmt: skip


class TestPush:
    """What a source may send."""

    async def test_nobody_is_held_without_the_consent(self, clinic: Clinic) -> None:
        """Well-formed lines about a stranger, or about somebody with points alone, are accepted and unstored."""
        await clinic.server.join(clinic.me)
        receipt = await clinic.push(licence("a", clinic.who))
        assert (receipt["received"], receipt["accepted"], receipt["rejected"]) == (1, 1, [])
        answer = await clinic.me.get("/v1/me/occupational")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_occupational_consent")
        owner = await asyncpg.connect(clinic.server.owner_url)
        query = "select count(*) from scoring.career_record where ref = $1"
        assert await owner.fetchval(query, ref_of("a", clinic.who)) == 0
        await owner.close()

    async def test_the_receipt_is_the_same_with_and_without_it(self, clinic: Clinic) -> None:
        """Byte for byte but for the batch's id, first or repeated."""
        lines = licence("a", clinic.who), cycle("b", clinic.who, 3), {"ref": "c"}
        said = []
        for _ in range(2):
            said.append(await clinic.push(*lines))
            await clinic.consent()
        said.append(await clinic.push(*lines))
        assert len({msgspec.json.encode({**one, "batch_id": ""}) for one in said}) == 1
        codes = [one["code"] for one in said[0]["rejected"]]
        assert codes == ["nothing_to_record", "malformed"]

    async def test_a_penalty_needs_its_paper_and_its_notice(self, clinic: Clinic) -> None:
        """The codes of records of points; a kind of points is none here, and none of these is one there."""
        line = cycle("a", clinic.who)
        bare = [{name: value for name, value in line.items() if name != gone} for gone in ("document", "notice")]
        water = {**line, "kind": "P01", "fields": {}}
        receipt = await clinic.push(*bare, {**line, "fields": {**line["fields"], "income": 1}}, water)
        codes = [one["code"] for one in receipt["rejected"]]
        assert codes == ["missing_document", "missing_notice", "prohibited_field", "unknown_kind"]
        headers = {"Content-Type": "application/x-ndjson"}
        other = await clinic.source.post("/v1/source/records", content=ndjson(line), headers=headers)
        assert [one["code"] for one in other.json()["rejected"]] == ["unknown_kind"]

    async def test_a_higher_version_takes_the_place(self, clinic: Clinic) -> None:
        """A lower or equal one changes nothing; the record keeps its id."""
        await clinic.consent()
        await clinic.push(licence("a", clinic.who, version=2, title="主治医师"))
        (before,) = await clinic.held()
        await clinic.push(licence("a", clinic.who, title="执业医师"), licence("a", clinic.who, version=2, title="别的"))
        assert await clinic.held() == [before]
        await clinic.push(licence("a", clinic.who, version=3, title="主任医师"))
        (after,) = await clinic.held()
        assert (after["id"], after["fields"]["title"]) == (before["id"], "主任医师")

    async def test_a_ref_that_moves_to_a_stranger_is_gone(self, clinic: Clinic) -> None:
        """A higher version about somebody who does not consent removes the record."""
        await clinic.consent()
        await clinic.push(licence("a", clinic.who))
        other = clinic.server.person()["id_number"]
        await clinic.push({**licence("a", other, version=2), "ref": ref_of("a", clinic.who)})
        assert await clinic.held() == []

    async def test_what_is_revoked_is_gone_and_does_not_come_back(self, clinic: Clinic) -> None:
        """202 whether there was one or not; the same version is not taken again. SH article 37."""
        await clinic.consent()
        await clinic.push(licence("a", clinic.who))
        said = [
            await clinic.source.post(f"{PUSH}/revoke", json={"ref": ref_of(ref, clinic.who)}) for ref in ("a", "never")
        ]
        assert [(one.status_code, one.text) for one in said] == [(202, '{"status":"accepted"}')] * 2
        await clinic.push(licence("a", clinic.who))
        assert await clinic.held() == []

    async def test_a_source_hears_of_those_who_consent_to_this(self, clinic: Clinic) -> None:
        """The digest agreed with it, while the consent lives; the feed of points knows nothing of it."""
        path = f"{PUSH}/subjects"
        before = set((await clinic.source.get(path)).json()["subjects"])
        consent = await clinic.consent()
        told = sorted(set((await clinic.source.get(path)).json()["subjects"]) - before)
        assert len(told) == 1
        after = (await clinic.source.get(path, params={"after": told[0]})).json()["subjects"]
        assert all(one > told[0] for one in after)
        assert (await clinic.source.get("/v1/source/subjects")).json()["subjects"] == []
        receipt = await clinic.push({**licence("a", clinic.who), "id_number": None, "subject": told[0]})
        assert receipt["accepted"] == 1
        assert len(await clinic.held()) == 1
        await clinic.me.delete(f"/v1/me/consents/{consent}")
        assert set((await clinic.source.get(path)).json()["subjects"]) == before


class TestMine:
    """What the person has of it."""

    async def test_who_sent_what_is_told(self, clinic: Clinic) -> None:
        """An entry for each push that changed something; the export has the records; a correction can be asked for."""
        await clinic.consent()
        await clinic.push(licence("a", clinic.who))
        seen = (await clinic.me.get("/v1/me/accesses")).json()["accesses"]
        assert ("occupational.write", "名称 occupation") in {(one["action"], one["by"]) for one in seen}
        (record,) = await clinic.held()
        asked = await clinic.me.post("/v1/me/corrections", json={"about": record["id"], "words": "证号不对"})
        assert asked.status_code == 201, asked.text

    async def test_a_penalty_leaves_when_its_time_is_over(self, clinic: Clinic) -> None:
        """Twelve months after the document took effect it stands on no report."""
        await clinic.consent()
        await clinic.push(cycle("new", clinic.who, months=11), cycle("old", clinic.who, months=12))
        shown = {one["ref"].partition("-")[0]: one["shown"] for one in await clinic.held()}
        assert shown == {"new": True, "old": False}

    async def test_withdrawing_erases_it_at_once_and_leaves_points_alone(self, clinic: Clinic) -> None:
        """Rows and key are gone with the answer; the report's number finds nothing; the points stay as they were."""
        await clinic.server.join(clinic.me)
        consent = await clinic.consent()
        await clinic.push(licence("a", clinic.who), cycle("b", clinic.who))
        before = (await clinic.me.get("/v1/me/score")).json()
        await clinic.me.get("/v1/me/occupational-report.pdf")
        number = (await clinic.me.get("/v1/me/reports")).json()["reports"][0]["number"]
        async with httpx2.AsyncClient(base_url=clinic.server.base_url) as stranger:
            check = {"url": "/v1/rules/reports/verify", "json": {"number": number}}
            assert (await stranger.post(**check)).json()["valid"]
            await clinic.me.delete(f"/v1/me/consents/{consent}")
            assert not (await stranger.post(**check)).json()["valid"]
        owner = await asyncpg.connect(clinic.server.owner_url)
        mine = await owner.fetchval("select citizen_id from auth.consent where id = $1", ids.read("co", consent))
        tables = ("scoring.career", "scoring.career_source", "scoring.career_record", "scoring.report")
        left = [await owner.fetchval(f"select count(*) from {table} where citizen_id = $1", mine) for table in tables]
        query = "select count(*) from keys.person_key where purpose = 'occupational' and owner = $1"
        left.append(await owner.fetchval(query, mine))
        await owner.close()
        assert left == [0, 0, 0, 0, 0]
        assert (await clinic.me.get("/v1/me/score")).json() == before

    async def test_it_rests_after_the_last_day_and_goes_after_the_grace(self, clinic: Clinic) -> None:
        """Nothing is shown or taken any more; a renewal within 30 days restores; else the jobs erase it."""
        await clinic.consent(days=10)
        await clinic.push(licence("a", clinic.who))
        async with days_later(clinic.server, 12):
            await _round(clinic.server)
            assert (await clinic.me.get("/v1/me/occupational")).status_code == 404
            await clinic.push(licence("late", clinic.who))
            await clinic.consent(days=10)
            assert [one["ref"] for one in await clinic.held()] == [ref_of("a", clinic.who)]
        async with days_later(clinic.server, 70):
            for _ in range(2):
                await _round(clinic.server)
        owner = await asyncpg.connect(clinic.server.owner_url)
        query = "select count(*) from scoring.career_record where ref = $1"
        assert await owner.fetchval(query, ref_of("a", clinic.who)) == 0
        await owner.close()

    async def test_leaving_counts_and_destroys_it(self, clinic: Clinic) -> None:
        """The certificate names the tables."""
        await clinic.consent()
        await clinic.push(licence("a", clinic.who))
        left = (await clinic.me.delete("/v1/me")).json()
        assert left["certificate"]
        owner = await asyncpg.connect(clinic.server.owner_url)
        query = "select count(*) from scoring.career_record where ref = $1"
        assert await owner.fetchval(query, ref_of("a", clinic.who)) == 0
        await owner.close()


class TestPoints:
    """Never an input of points."""

    async def test_points_are_the_same_with_and_without(self, clinic: Clinic) -> None:
        """Every part of the score, after honours and penalties of the profession."""
        await clinic.server.join(clinic.me)
        before = (await clinic.me.get("/v1/me/score")).json()
        await clinic.consent()
        honour = {**licence("h", clinic.who), "kind": "O03"}
        honour["fields"] = {"profession": "医师", "title": "最美医生", "level": "nation"}
        receipt = await clinic.push(licence("a", clinic.who), cycle("b", clinic.who), honour)
        assert receipt["rejected"] == []
        assert len(await clinic.held()) == 3
        assert (await clinic.me.get("/v1/me/score")).json() == before

    async def test_the_roles_that_count_may_not_touch_it(self, shared_database: str) -> None:
        """Neither the scorer nor the jobs can read one; no other table refers to it."""
        owner = await asyncpg.connect(shared_database)
        try:
            for table in ("career", "career_source", "career_record"):
                for door in ("scorer", "partner", "staff", "auth"):
                    query = "select has_any_column_privilege($1, $2, 'select, insert, update, references')"
                    assert not await owner.fetchval(query, f"osmanthus_{door}", f"scoring.{table}"), (table, door)
            query = "select has_column_privilege('osmanthus_jobs', 'scoring.career_record', 'sealed', 'select')"
            assert not await owner.fetchval(query)
        finally:
            await owner.close()


class TestReport:
    """The pages."""

    async def test_it_shows_the_records_that_may_be_shown(self, clinic: Clinic) -> None:
        """Name masked, each record with its paper; the code is read; no points."""
        await clinic.server.join(clinic.me)
        await clinic.consent()
        await clinic.push(licence("a", clinic.who), cycle("b", clinic.who, 15), cycle("old", clinic.who, months=13))
        answer = await clinic.me.get("/v1/me/occupational-report.pdf")
        assert answer.status_code == 200, answer.text
        said = reportreader.text(answer.content).replace("\n", "")
        for word in ("职业信用报告", "王*明", "执业医师", "证1号", "满15分", "不计分、不评级"):
            assert word in said, word
        assert "110.0" not in said
        assert said.count("一个记分周期内满") == 1
        number = (await clinic.me.get("/v1/me/reports")).json()["reports"][0]["number"].replace("-", "")
        assert reportreader.code(answer.content).endswith(f"/verify#{number}")

    async def test_a_kind_is_left_out_whole_and_the_page_says_so(self, clinic: Clinic) -> None:
        """Nobody picks the good records of a kind."""
        await clinic.consent()
        await clinic.push(licence("a", clinic.who), cycle("b", clinic.who))
        answer = await clinic.me.post("/v1/me/occupational-report.pdf", json={"leave_out": ["O05"]})
        said = reportreader.text(answer.content).replace("\n", "")
        assert "记分周期" not in said
        assert "持有人选择不显示其中的一些种类" in said
