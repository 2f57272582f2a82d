"""Self-declarations and commitments, from the citizen to the bureau and back. Rule 23."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from core import clock
from tests.api.canary import dump
from tests.api.conftest import Server, serving
from tests.api.rightsworld import Bureau, bureau, code, points
from tests.clones import clone
from tests.scoringworld import TODAY

DAY = str(TODAY - timedelta(days=20))
HONOUR = {
    "kind": "P14", "source": "enforcement", "title": "市级道德模范", "happened_on": DAY,
    "evidence": "证书在市文明办。鱻鱻鱻", "pledge": 1,
}  # fmt: skip
RECORD = {
    "occurred_on": DAY, "fields": {"title": "道德模范", "level": "city"},
    "document": {"no": "文1号", "authority": "示范市文明办", "effective_on": DAY},
}  # fmt: skip
PROMISE = {
    "item": "rectification", "version": 1, "source": "enforcement", "due_on": str(TODAY + timedelta(days=30)),
    "words": "门前整改。鱻鱻鱻",
}  # fmt: skip


class Stage:
    """A server with two bureaus; everybody makes a person of their own."""

    def __init__(self, server: Server, source: Bureau, other: Bureau) -> None:
        """They live as long as the file."""
        self.server, self.source, self.other = server, source, other
        self.serial = 0

    def ref(self) -> str:
        """A new ref."""
        self.serial += 1
        return f"d{self.serial}"

    async def answer(self, declaration: str, *, by: Bureau | None = None, **body: Any) -> httpx2.Response:
        """A bureau answers."""
        http = (by or self.source).http
        return await http.post(f"/v1/source/declarations/{declaration}/answer", json=body)

    async def yes(self, declaration: str, **more: Any) -> httpx2.Response:
        """Verified."""
        return await self.answer(declaration, verified=True, record={**RECORD, "ref": self.ref(), **more})

    async def kept(self, who: str, number: str, **more: Any) -> None:
        """The bureau says that a commitment was kept."""
        fields = {"commitment": number, "item": "rectification", "verified_on": DAY}
        line = {"ref": self.ref(), "version": 1, "kind": "P06", "id_number": who, "occurred_on": DAY, "fields": fields}
        await self.source.push({**line, **more})

    async def broken(self, who: str, number: str, by: Bureau | None = None) -> str:
        """The bureau finds a commitment broken, on paper; returns the ref."""
        ref = self.ref()
        await (by or self.source).push({
            "ref": ref, "version": 1, "kind": "N06", "id_number": who, "occurred_on": DAY,
            "document": {"no": "认1号", "authority": "示范市审批局", "effective_on": DAY},
            "notice": {"no": "告1号", "served_on": DAY}, "fields": {"commitment": number, "finding": "未整改"},
        })  # fmt: skip
        return ref


@pytest_asyncio.fixture(scope="module")
async def stage(cluster: Any, city_template: str, ring: Any) -> AsyncIterator[Stage]:
    """A server of this file's own."""
    async with (
        clone(cluster, city_template) as url,
        serving(url, ring.file, published=True) as server,
        bureau(server) as source,
        bureau(server, "utilities") as other,
    ):
        yield Stage(server, source, other)


@pytest_asyncio.fixture
async def member(stage: Stage) -> AsyncIterator[tuple[httpx2.AsyncClient, str]]:
    """Somebody who takes part, and their ID number."""
    person = stage.server.person()
    async with stage.server.logged_in(person) as me:
        await stage.server.join(me)
        yield me, person["id_number"]


Member = tuple[httpx2.AsyncClient, str]


async def declared(me: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    """Declare the honour."""
    made = await me.post("/v1/me/declarations", json={**HONOUR, **more})
    assert made.status_code == 201, made.text
    return made.json()


class TestDeclaration:
    """From declaring to the answer."""

    async def test_it_counts_once_verified_and_not_before(self, stage: Stage, member: Member) -> None:
        """23: a declaration alone moves nothing; the bureau's record does, like any other, and both know of it."""
        me, _ = member
        before = await points(me)
        made = await declared(me)
        assert (made["state"], made["allowed_actions"], made["provisional"]) == ("declared", ["withdraw"], False)
        assert await points(me) == before
        (waits,) = [
            one
            for one in (await stage.source.http.get("/v1/source/declarations")).json()["declarations"]
            if one["id"] == made["id"]
        ]
        assert (waits["title"], waits["evidence"]) == (HONOUR["title"], HONOUR["evidence"])
        assert "id_number" not in str(waits)
        done = await stage.yes(made["id"])
        assert (done.status_code, done.json()["state"]) == (200, "verified"), done.text
        assert await points(me) > before
        (record,) = (await me.get("/v1/me/records")).json()["records"]
        assert (record["kind"], record["document"]["no"]) == ("P14", "文1号")
        mine = (await me.get(f"/v1/me/declarations/{made['id']}")).json()
        assert [(one["event"], one["by"]) for one in mine["history"]] == [("declare", "citizen"), ("verify", "source")]
        told = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
        assert {"declaration.make", "declaration.read", "declaration.verify", "records.write"} <= set(told)
        assert code(await stage.yes(made["id"])) == (409, "illegal_transition")
        assert code(await stage.answer(made["id"], verified=False, reasons="x")) == (409, "illegal_transition")

    async def test_what_could_not_be_verified_takes_nothing_away(self, stage: Stage, member: Member) -> None:
        """No point moves; it says why; the same evidence again is refused, new evidence is heard."""
        me, _ = member
        before = await points(me)
        made = await declared(me)
        told = await stage.answer(made["id"], verified=False, reasons="查无此证书。鱻鱻鱻")
        assert told.json()["state"] == "refused"
        assert (await me.get(f"/v1/me/declarations/{made['id']}")).json()["reasons"] == "查无此证书。鱻鱻鱻"
        assert await points(me) == before
        assert (await me.get("/v1/me/records")).json()["records"] == []
        again = await me.post("/v1/me/declarations", json={**HONOUR, "again": made["id"]})
        assert code(again) == (409, "same_evidence")
        anew = await declared(me, again=made["id"], evidence="证书编号 7，见市政府公报。")
        assert anew["again"] == made["id"]

    async def test_a_record_that_is_not_well_formed_verifies_nothing(self, stage: Stage, member: Member) -> None:
        """The normal check of every line holds: without its document an honour is refused, and can be sent again."""
        me, _ = member
        made = await declared(me)
        bad = await stage.answer(made["id"], verified=True, record={**RECORD, "ref": stage.ref(), "document": None})
        assert code(bad) == (422, "bad_line")
        assert bad.json()["errors"][0]["code"] == "missing_document"
        assert (await me.get(f"/v1/me/declarations/{made['id']}")).json()["state"] == "declared"
        prohibited = {**RECORD, "ref": stage.ref(), "fields": {**RECORD["fields"], "income": "9"}}
        assert code(await stage.answer(made["id"], verified=True, record=prohibited)) == (422, "bad_line")
        for whole in ({"verified": True}, {"verified": False}, {"verified": False, "record": {**RECORD, "ref": "x"}}):
            assert code(await stage.answer(made["id"], **whole)) == (422, "bad_answer")
        assert (await stage.yes(made["id"])).status_code == 200

    async def test_only_the_named_bureau_sees_and_answers(self, stage: Stage, member: Member) -> None:
        """Another source, though in the consent, and another citizen find nothing."""
        me, _ = member
        made = await declared(me)
        theirs = (await stage.other.http.get("/v1/source/declarations")).json()["declarations"]
        assert made["id"] not in {one["id"] for one in theirs}
        assert code(await stage.answer(made["id"], by=stage.other, verified=False, reasons="x")) == (404, "not_found")
        async with stage.server.logged_in(stage.server.person()) as you:
            await stage.server.join(you)
            assert code(await you.get(f"/v1/me/declarations/{made['id']}")) == (404, "not_found")
            assert code(await you.post(f"/v1/me/declarations/{made['id']}/withdraw")) == (404, "not_found")
            assert code(await you.post("/v1/me/declarations", json={**HONOUR, "again": made["id"]}))[0] == 404

    @pytest.mark.parametrize(
        ("more", "fault"),
        [
            ({"kind": "P01"}, "not_declarable"),
            ({"source": "nobody"}, "cannot_verify"),
            ({"kind": "P17"}, "cannot_verify"),
            ({"pledge": 2}, "outdated_pledge"),
            ({"happened_on": str(TODAY + timedelta(days=1))}, "future_date"),
        ],
    )
    async def test_what_does_not_fit(self, member: Member, more: dict[str, Any], fault: str) -> None:
        """A kind that nobody declares, a bureau that cannot verify it, an old pledge, a day to come."""
        answer = await member[0].post("/v1/me/declarations", json={**HONOUR, **more})
        assert (code(answer), answer.json()["errors"][0]["code"]) == ((422, "not_declarable"), fault)

    async def test_a_refused_category_is_not_declared(self, member: Member) -> None:
        """Who does not want a kind taken is told so (SZX 39)."""
        me, _ = member
        await me.put("/v1/me/records/categories/P14/refusal")
        assert code(await me.post("/v1/me/declarations", json=HONOUR)) == (409, "kind_refused")

    async def test_withdrawn_at_once_with_the_answer(self, stage: Stage, member: Member) -> None:
        """One of the two comes first; the other hears that the state moved on."""
        me, _ = member
        made = await declared(me)
        answers = await asyncio.gather(
            me.post(f"/v1/me/declarations/{made['id']}/withdraw"),
            stage.answer(made["id"], verified=False, reasons="x"),
        )
        assert sorted(one.status_code for one in answers) == [200, 409]

    async def test_days_pass_by_themselves(self, stage: Stage, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        """After the bureau's days it is overdue and may still be answered; after the longest it has lapsed."""
        me, _ = member
        made = await declared(me)
        assert DAY < made["answer_by"] < made["lapse_on"]
        monkeypatch.setattr(clock, "_offset", timedelta(days=16))
        assert (await me.get(f"/v1/me/declarations/{made['id']}")).json()["state"] == "overdue"
        monkeypatch.setattr(clock, "_offset", timedelta(days=60))
        assert (await me.get(f"/v1/me/declarations/{made['id']}")).json()["state"] == "lapsed"
        assert code(await stage.answer(made["id"], verified=False, reasons="x")) == (409, "illegal_transition")

    async def test_it_goes_with_the_consent_and_lies_sealed(self, stage: Stage, member: Member) -> None:
        """No word in the clear; withdrawing erases; the bureau finds nothing."""
        me, _ = member
        made = await declared(me)
        await me.post("/v1/me/commitments", json=PROMISE)
        rows = "\n".join((await dump(stage.server.owner_url)).values())
        assert "鱻鱻鱻" not in rows
        assert "鱻鱻鱻".encode().hex() not in rows
        consent = (await me.get("/v1/me/consents")).json()["consents"][0]["id"]
        await me.delete(f"/v1/me/consents/{consent}")
        assert code(await me.get("/v1/me/declarations")) == (404, "not_enrolled")
        assert code(await me.get("/v1/me/commitments")) == (404, "not_enrolled")
        assert code(await stage.answer(made["id"], verified=False, reasons="x")) == (404, "not_found")


class TestCommitment:
    """From promising to what became of it."""

    async def test_kept(self, stage: Stage, member: Member) -> None:
        """The bureau finds the promise under its number; its record closes it, and counts."""
        me, who = member
        before = await points(me)
        made = (await me.post("/v1/me/commitments", json=PROMISE)).json()
        assert (made["state"], made["name"], made["words"]) == ("made", "限期整改", PROMISE["words"])
        register = (await stage.source.http.get("/v1/source/commitments")).json()["commitments"]
        assert made["number"] in {one["number"] for one in register}
        await stage.kept(who, made["number"])
        mine = (await me.get(f"/v1/me/commitments/{made['id']}")).json()
        assert (mine["state"], mine["history"][-1]["by"]) == ("kept", "source")
        assert mine["record"] == (await me.get("/v1/me/records")).json()["records"][0]["id"]
        assert await points(me) > before
        told = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
        assert {"commitment.make", "commitment.read"} <= set(told)

    async def test_broken_then_revoked_then_kept(self, stage: Stage, member: Member) -> None:
        """A finding on paper breaks it; revoked, the promise stands again; kept in the end."""
        me, who = member
        made = (await me.post("/v1/me/commitments", json=PROMISE)).json()
        before = await points(me)
        ref = await stage.broken(who, made["number"])
        assert (await me.get(f"/v1/me/commitments/{made['id']}")).json()["state"] == "broken"
        assert await points(me) < before
        assert code(await me.post(f"/v1/me/commitments/{made['id']}/withdraw")) == (409, "illegal_transition")
        await stage.source.http.post("/v1/source/records/revoke", json={"ref": ref})
        assert (await me.get(f"/v1/me/commitments/{made['id']}")).json()["state"] == "made"
        await stage.kept(who, made["number"])
        assert (await me.get(f"/v1/me/commitments/{made['id']}")).json()["state"] == "kept"

    async def test_another_bureau_closes_nothing(self, stage: Stage, member: Member) -> None:
        """A number in another source's record is just a number."""
        me, who = member
        made = (await me.post("/v1/me/commitments", json=PROMISE)).json()
        await stage.broken(who, made["number"], by=stage.other)
        assert (await me.get(f"/v1/me/commitments/{made['id']}")).json()["state"] == "made"
        theirs = (await stage.other.http.get("/v1/source/commitments")).json()["commitments"]
        assert made["number"] not in {one["number"] for one in theirs}

    async def test_overdue_takes_nothing_away(self, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        """A day that passed is a reminder, never a deduction."""
        me, _ = member
        made = (await me.post("/v1/me/commitments", json=PROMISE)).json()
        before = await points(me)
        monkeypatch.setattr(clock, "_offset", timedelta(days=31))
        assert (await me.get(f"/v1/me/commitments/{made['id']}")).json()["state"] == "overdue"
        assert await points(me) >= before

    @pytest.mark.parametrize(
        ("more", "fault"),
        [
            ({"item": "nothing"}, "unknown_item"),
            ({"version": 2}, "outdated_text"),
            ({"due_on": str(TODAY)}, "bad_day"),
            ({"due_on": str(TODAY + timedelta(days=400))}, "bad_day"),
            ({"source": "nobody"}, "cannot_verify"),
        ],
    )
    async def test_what_does_not_fit(self, member: Member, more: dict[str, Any], fault: str) -> None:
        """An unknown matter, another text, a day that is past or too far, a bureau that cannot say."""
        answer = await member[0].post("/v1/me/commitments", json={**PROMISE, **more})
        assert (code(answer), answer.json()["errors"][0]["code"]) == ((422, "bad_commitment"), fault)
