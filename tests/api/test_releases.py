"""`/v1/staff/releases`: two persons, checked texts, and nothing in force before."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.staff import publication
from core import clock
from core.keys import Keyring
from core.settings import ROOT
from incentives import rulebook
from incentives.book import perks as perk_book
from tests.api.shopworld import Shop, assess, open_shop
from tests.gateworld import LIBRARY

LIBRARY_FILE = (ROOT / "policy" / "perks" / "library.toml").read_text()


@pytest_asyncio.fixture
async def office(database: str, ring: Keyring) -> AsyncIterator[Shop]:
    """An office that has published nothing yet."""
    async with open_shop(database, ring) as opened:
        await assess(opened.house, LIBRARY)
        yield opened


async def draft(office: Shop, by: str = "s_drafter", **more: Any) -> httpx2.Response:
    """Draft the library's perk, with other members where `more` says so."""
    body = {"kind": "perks", "name": "library.toml", "body": LIBRARY_FILE, "effective_on": clock.today().isoformat()}
    return await office.callers[by].request("POST", "/v1/staff/releases", json={**body, **more})


async def approve(office: Shop, release_id: str, by: str = "s_approver") -> httpx2.Response:
    """Approve a release."""
    return await office.callers[by].request("POST", f"/v1/staff/releases/{release_id}/approve")


async def withdraw(office: Shop, release_id: str, by: str = "s_approver") -> httpx2.Response:
    """Withdraw a release."""
    return await office.callers[by].request("POST", f"/v1/staff/releases/{release_id}/withdraw")


async def thresholds(office: Shop) -> list[float]:
    """The thresholds that the public reads."""
    return [one["threshold"] for one in (await office.http.get("/v1/rules/perks")).json()["perks"]]


class TestTwoPersons:
    """Draft, then a second person."""

    async def test_a_draft_rules_nothing_until_another_approves(self, office: Shop) -> None:
        """The drafter gets 409; after the second person's approval it is in force at once, for everybody."""
        drafted = await draft(office)
        assert drafted.status_code == 201, drafted.text
        release = drafted.json()
        assert (release["state"], release["approved_by"]) == ("draft", None)
        assert await thresholds(office) == []
        code = await office.city.code(await office.city.citizen())
        assert (await office.ask(holder={"code": code})).json()["reason"] == "perk_unknown"
        own = await approve(office, release["id"], "s_drafter")
        assert (own.status_code, own.json()["code"]) == (409, "second_person_needed")
        approved = await approve(office, release["id"])
        assert approved.status_code == 200, approved.text
        assert (approved.json()["state"], approved.json()["approved_by"]) == ("in_force", "s_approver")
        assert await thresholds(office) == [110.0]
        assert (await office.ask(holder={"code": code})).json()["result"] == "granted"
        again = await approve(office, release["id"])
        assert (again.status_code, again.json()["code"]) == (409, "already_approved")

    async def test_both_acts_are_written(self, office: Shop) -> None:
        """Who drafted and who approved what, by digest."""
        release = (await draft(office)).json()
        await approve(office, release["id"])
        entries = await office.city.rows("select actor, action, detail from core.audit_entry order by at")
        assert [(one["actor"], one["action"]) for one in entries] == [
            ("s_drafter", "release.draft"),
            ("s_approver", "perk.change"),
            ("s_approver", "release.approve"),
        ]
        assert {one["detail"].get("digest") for one in entries} == {release["digest"], None}
        change = {"old": None, "new": {"threshold": 1100, "cap": 30000, "closed": False}}
        assert entries[1]["detail"] == {"perk": LIBRARY, **change, "from": release["effective_on"]}

    async def test_a_release_waits_for_its_day(self, office: Shop) -> None:
        """Approved for tomorrow, it is not in force today."""
        today = (await draft(office)).json()
        await approve(office, today["id"])
        stricter = LIBRARY_FILE.replace("threshold = 110", "threshold = 120")
        tomorrow = (clock.today() + timedelta(days=1)).isoformat()
        later = (await draft(office, body=stricter, effective_on=tomorrow)).json()
        assert (await approve(office, later["id"])).json()["state"] == "approved"
        assert await thresholds(office) == [110.0]
        listed = (await office.callers["s_drafter"].request("GET", "/v1/staff/releases?kind=perks")).json()["releases"]
        assert [one["state"] for one in listed] == ["approved", "in_force"]

    async def test_nothing_that_waits_is_replaced_in_silence(self, office: Shop) -> None:
        """A second approval beside one that waits is refused; withdrawn, that one and its lines never rule."""
        await approve(office, (await draft(office)).json()["id"])
        stricter = LIBRARY_FILE.replace("threshold = 110", "threshold = 120")
        tomorrow = (clock.today() + timedelta(days=1)).isoformat()
        waits = (await draft(office, body=stricter, effective_on=tomorrow)).json()
        await approve(office, waits["id"])
        now = (await draft(office, body=stricter.replace("120", "130"))).json()
        refused = await approve(office, now["id"])
        assert (refused.status_code, refused.json()["code"]) == (409, "another_waits")
        withdrawn = await withdraw(office, waits["id"])
        assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn"), withdrawn.text
        again = await withdraw(office, waits["id"])
        assert (again.status_code, again.json()["allowed_actions"]) == (409, [])
        assert (await approve(office, now["id"])).json()["state"] == "in_force"
        assert await thresholds(office) == [130.0]
        lines = await office.city.rows("select threshold from incentives.perk order by approved_at")
        assert [line["threshold"] for line in lines] == [1100, 1300]
        rules = await withdraw(office, now["id"])
        assert (rules.status_code, rules.json()["code"]) == (409, "illegal_transition")

    async def test_what_was_withdrawn_may_come_again(self, office: Shop) -> None:
        """The same bytes for another day, or after a withdrawal, are a release of their own."""
        first = (await draft(office)).json()
        assert (await draft(office)).json()["id"] == first["id"]
        later = (await draft(office, effective_on=(clock.today() + timedelta(days=9)).isoformat())).json()
        await withdraw(office, first["id"], "s_drafter")
        second = (await draft(office)).json()
        assert len({first["id"], later["id"], second["id"]}) == 3
        dead = await approve(office, first["id"])
        assert (dead.status_code, dead.json()["code"]) == (409, "illegal_transition")

    @pytest.mark.parametrize(
        ("clerks", "status"), [(("0001", "0002"), 200), (("0001", "0001"), 409), ((None, "1"), 409)]
    )
    async def test_two_clerks_of_one_office_are_two_persons(
        self, office: Shop, clerks: tuple[str | None, str], status: int
    ) -> None:
        """Named clerks may share a system; one clerk, or a system and one of its clerks, may be one person."""
        named = {"clerk": clerks[0]} if clerks[0] else {}
        drafted = (await draft(office, **named)).json()
        path = f"/v1/staff/releases/{drafted['id']}/approve"
        answer = await office.callers["s_drafter"].request("POST", path, json={"clerk": clerks[1].zfill(4)})
        assert answer.status_code == status


class TestCheckedTexts:
    """A text that its reader refuses is not drafted."""

    async def test_every_fault_with_its_line(self, office: Shop) -> None:
        """422 with file, line, message and advice for each fault."""
        broken = LIBRARY_FILE.replace("threshold = 110", 'threshold = "many"').replace("closed = false", "shut = 1")
        answer = await draft(office, body=broken)
        assert (answer.status_code, answer.json()["code"]) == (422, "policy_faulty")
        faults = answer.json()["faults"]
        assert {fault["file"] for fault in faults} == {"library.toml"}
        lines = broken.splitlines()
        assert any("threshold" in lines[fault["line"] - 1] for fault in faults)
        assert any("shut" in lines[fault["line"] - 1] for fault in faults)
        assert all(fault["message"] and fault["advice"] for fault in faults)
        assert answer.json()["errors"][0]["pointer"] == "/body"
        assert await office.city.rows("select 1 from core.release") == []

    @pytest.mark.parametrize("kind", ["scorecard", "catalogue", "perks", "notice", "cases", "statutes"])
    async def test_nonsense_is_refused_for_every_kind(self, office: Shop, kind: str) -> None:
        """A text that is not even TOML."""
        answer = await draft(office, kind=kind, name="x.toml", body="= = nonsense")
        assert (answer.status_code, answer.json()["code"]) == (422, "policy_faulty")

    async def test_a_finance_perk_is_refused(self, office: Shop) -> None:
        """Points may not serve lending (CIR article 7)."""
        body = LIBRARY_FILE.replace("免押金借书", "信用贷款")
        assert (await draft(office, body=body)).json()["code"] == "policy_faulty"

    async def test_a_law_basis_needs_a_statute_that_is_in_force(self, office: Shop) -> None:
        """A scorecard that cites statutes cannot be drafted before they are published."""
        card = next((ROOT / "policy" / "scorecard").glob("*.toml")).read_text()
        card = card.replace('basis = {kind = "demo"}', 'basis = {kind = "law", cite = "no-such-act"}')
        answer = await draft(office, kind="scorecard", name="card.toml", body=card)
        assert (answer.status_code, answer.json()["code"]) == (422, "policy_faulty")

    @pytest.mark.parametrize(
        ("more", "pointer"),
        [({"kind": "poem"}, "/kind"), ({"name": "../x"}, "/name"), ({"effective_on": "soon"}, "/effective_on")],
    )
    async def test_wrong_members(self, office: Shop, more: dict[str, Any], pointer: str) -> None:
        """Each is named."""
        answer = await draft(office, **more)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer


class TestLimitsOfInference:
    """What a partner could learn is bounded at approval."""

    async def test_one_perk_lives_under_one_name(self, office: Shop) -> None:
        """The same perk under another file name is refused, else two releases would rule it."""
        await approve(office, (await draft(office)).json()["id"])
        other = (await draft(office, name="copy.toml", body=LIBRARY_FILE + "\n")).json()
        answer = await approve(office, other["id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "perk_elsewhere")

    async def test_a_partner_has_at_most_two_thresholds(self, office: Shop) -> None:
        """A third threshold among one partner's perks is refused and rolled back."""
        third = LIBRARY_FILE.replace("library.deposit-free", "library.third").replace("= 110", "= 130")
        second = LIBRARY_FILE.replace("library.deposit-free", "library.second").replace("= 110", "= 120")
        perks = ["library.deposit-free", "library.second", "library.third"]
        await assess(office.house, *perks)
        await office.city.do("update auth.client set perks = :perks where client_id = 'p_other'", perks=perks)
        for name, body in (("a.toml", LIBRARY_FILE), ("b.toml", second)):
            assert (await approve(office, (await draft(office, name=name, body=body)).json()["id"])).status_code == 200
        refused = await approve(office, (await draft(office, name="c.toml", body=third)).json()["id"])
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_thresholds")
        assert await thresholds(office) == [110.0, 120.0]

    def test_a_perk_that_tells_more_than_a_bit_is_not_approved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Three personal answers would be one too many; two are not."""
        held = rulebook.read((ROOT / "policy" / "perks" / "rental.toml").read_text(encoding="utf-8"), "rental.toml")
        publication.few_bits(held)
        monkeypatch.setattr(perk_book, "ANSWERS", ("granted", "standard_route", "a little"))
        with pytest.raises(publication.TooManyBits, match=r"rental\.deposit-free tells a partner 1\.58 bits"):
            publication.few_bits(held)


class TestReading:
    """Lists and single releases."""

    async def test_pages(self, office: Shop) -> None:
        """Newest first, by cursor; one release has its text; an unknown one is 404."""
        for number in range(3):
            await draft(office, body=LIBRARY_FILE + "\n" * number)
        caller = office.callers["s_approver"]
        first = (await caller.request("GET", "/v1/staff/releases?limit=2")).json()
        rest = (await caller.request("GET", f"/v1/staff/releases?limit=2&cursor={first['next_cursor']}")).json()
        assert (len(first["releases"]), len(rest["releases"]), rest["next_cursor"]) == (2, 1, None)
        one = await caller.request("GET", f"/v1/staff/releases/{rest['releases'][0]['id']}")
        assert one.json()["body"] == LIBRARY_FILE
        assert (await caller.request("GET", "/v1/staff/releases/rl_0")).status_code == 404
        assert (await caller.request("GET", "/v1/staff/releases?limit=0")).status_code == 422

    async def test_who_may(self, office: Shop) -> None:
        """Nobody without the staff role and scope."""
        assert (await office.http.get("/v1/staff/releases")).status_code == 401
        assert (await office.callers["p_library"].request("GET", "/v1/staff/releases")).status_code == 403
