"""Plates at a running server: typed, confirmed at the exit, fetched by the car park, over with the consent."""

import hmac
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest_asyncio

from core import ids
from tests.api.cast import log_in
from tests.api.conftest import Server

PERK, PLATE = "parking.leave-first", "苏E12345"
LIST = "/v1/partner/plates"


class Lot(msgspec.Struct, frozen=True):
    """A car park's system."""

    client_id: str
    http: httpx2.AsyncClient
    key: bytes

    def digest(self, plate: str = PLATE) -> str:
        """What its camera makes of a plate."""
        return hmac.digest(self.key, plate.encode(), "sha256").hex()

    async def leaves(self, me: httpx2.AsyncClient, plate: str = PLATE, **headers: str) -> dict[str, Any]:
        """A car leaves while its driver shows a code; the answer without what differs between any two."""
        code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
        body = {"perk": PERK, "holder": {"code": code}, "plate_digest": self.digest(plate)}
        answer = await self.http.post("/v1/partner/eligibility", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return {name: said for name, said in answer.json().items()
                if name not in {"decision_id", "receipt", "valid_until"}}  # fmt: skip

    async def pairs(self, since: int = 0) -> dict[str, Any]:
        """The list after a number."""
        answer = await self.http.get(LIST, params={"since": since})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture
async def lot(server: Server) -> AsyncIterator[Lot]:
    """A new car park."""
    client_id = f"lot-{ids.random().hex[:8]}"
    auth, entry = await server.register(client_id, "partner", "eligibility:check", perks=[PERK])
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
        yield Lot(client_id, http, bytes.fromhex(entry["digest_key"]))


@pytest_asyncio.fixture
async def me(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who takes part."""
    async with server.logged_in(server.person()) as http:
        assert (await server.join(http)).status_code == 201
        yield http


async def share(server: Server, me: httpx2.AsyncClient, lot: Lot) -> str:
    """Let a car park know; the consent."""
    notice = (await me.get("/v1/rules/notices/share/1")).json()
    told = {"version": notice["version"], "digest": notice["digest"]}
    given = await server.join(me, purpose=f"share:{lot.client_id}/{PERK}", notice=told, optional_sources=[])
    assert given.status_code == 201, given.text
    return given.json()["id"]


async def types(me: httpx2.AsyncClient, lot: Lot, plate: str = PLATE, **more: str) -> httpx2.Response:
    """Name a plate."""
    return await me.post("/v1/me/plates", json={"partner": lot.client_id, "perk": PERK, "plate": plate, **more})


class TestDriveIn:
    """From typing to driving out without stopping."""

    async def test_a_plate_is_known_until_the_consent_ends(
        self, server: Server, me: httpx2.AsyncClient, lot: Lot
    ) -> None:
        """Typed, confirmed by a code, fetched, asked about by subject; withdrawn: over, and the plate is deleted."""
        consent = await share(server, me, lot)
        typed = await types(me, lot, " 苏e·12345")
        assert (typed.status_code, typed.json()["plate"], typed.json()["confirmed_at"]) == (201, PLATE, None)
        assert (await lot.pairs())["pairs"] == []
        await lot.leaves(me)
        told = await lot.pairs()
        (pair,) = told["pairs"]
        assert pair["digest"] == lot.digest()
        asked = await lot.http.post(
            "/v1/partner/eligibility", json={"perk": PERK, "holder": {"subject": pair["subject"]}}
        )
        assert asked.json()["result"] in {"granted", "standard_route"}
        assert (await me.get("/v1/me/plates")).json()["plates"][0]["confirmed_at"]
        assert (await me.delete(f"/v1/me/consents/{consent}")).status_code == 200
        after = await lot.pairs(told["seq"])
        assert (after["pairs"], after["ended"]) == ([], [pair])
        assert (await me.get("/v1/me/plates")).json() == {"plates": [], "places": []}
        acts = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
        assert [one for one in acts if one.startswith("plate.")] == [
            "plate.told", "plate.told", "plate.confirm", "plate.bind"
        ]  # fmt: skip

    async def test_the_answer_is_the_same_whether_a_plate_waited(
        self, server: Server, me: httpx2.AsyncClient, lot: Lot
    ) -> None:
        """To a code beside a plate that nobody typed, that waits, and that is confirmed already."""
        nothing = await lot.leaves(me)
        await share(server, me, lot)
        await types(me, lot)
        assert nothing == await lot.leaves(me) == await lot.leaves(me) == await lot.leaves(me, "苏E99999")

    async def test_leaving_ends_the_pair(self, server: Server, lot: Lot) -> None:
        """Who left is over at the next fetch, and nothing of the plate is left."""
        async with server.logged_in(server.person()) as gone:
            await server.join(gone)
            await share(server, gone, lot)
            await types(gone, lot)
            await lot.leaves(gone)
            seq = (await lot.pairs())["seq"]
            preview = (await gone.get("/v1/me/leaving")).json()
            assert {"table": "incentives.plate", "rows": 1} in [
                {"table": one["table"], "rows": one["rows"]} for one in preview["destroyed"]
            ]
            assert (await gone.delete("/v1/me")).status_code == 200
        assert [one["digest"] for one in (await lot.pairs(seq))["ended"]] == [lot.digest()]


class TestBind:
    """`POST /v1/me/plates`."""

    async def test_what_is_refused(self, server: Server, me: httpx2.AsyncClient, lot: Lot) -> None:
        """No consent, no plate, no car park, no parking perk, a fourth one; the same one twice is one."""
        assert (await types(me, lot)).json()["code"] == "share_missing"
        await share(server, me, lot)
        wrong = await types(me, lot, "苏I12345")
        assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "bad_plate")
        assert "苏I12345" not in wrong.text
        assert (await types(me, lot, partner="nobody")).json()["code"] == "no_plates_here"
        assert (await types(me, lot, perk="library.deposit-free")).json()["code"] == "no_plates_here"
        made = [(await types(me, lot, f"苏E1234{n}")).json()["id"] for n in (0, 1, 2, 2)]
        assert len(set(made)) == 3
        assert (await types(me, lot, "苏E99999")).json()["code"] == "too_many_plates"

    async def test_another_citizens_plate_is_absent(self, server: Server, me: httpx2.AsyncClient, lot: Lot) -> None:
        """404 for its number, and it stays."""
        await share(server, me, lot)
        address = f"/v1/me/plates/{(await types(me, lot)).json()['id']}"
        async with server.logged_in(server.person()) as stranger:
            assert (await stranger.delete(address)).status_code == 404
            assert (await stranger.get("/v1/me/plates")).json()["plates"] == []
        assert [(await me.delete(address)).status_code for _ in range(2)] == [204, 404]


class TestCheck:
    """`plate_digest` of a check."""

    async def test_a_plate_goes_beside_a_code_alone(self, server: Server, me: httpx2.AsyncClient, lot: Lot) -> None:
        """422 beside a subject, for what is no digest, and in a list of checks."""
        body = {"perk": PERK, "holder": {"subject": "su_x"}, "plate_digest": lot.digest()}
        refused = await lot.http.post("/v1/partner/eligibility", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "needs_code")
        body = {"perk": PERK, "holder": {"code": "x"}, "plate_digest": PLATE}
        assert (await lot.http.post("/v1/partner/eligibility", json=body)).status_code == 422
        body["plate_digest"] = lot.digest()
        assert (await lot.http.post("/v1/partner/eligibility/batch", json={"checks": [body]})).status_code == 422

    async def test_a_repeat_tries_no_second_plate(self, server: Server, me: httpx2.AsyncClient, lot: Lot) -> None:
        """One code, one plate: with the same key another digest is a conflict, so nobody goes through plates."""
        await share(server, me, lot)
        await types(me, lot)
        code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
        body = {"perk": PERK, "holder": {"code": code}, "plate_digest": lot.digest("苏E99999")}
        key = {"Idempotency-Key": "exit-1"}
        assert (await lot.http.post("/v1/partner/eligibility", json=body, headers=key)).status_code == 200
        second = await lot.http.post(
            "/v1/partner/eligibility", json={**body, "plate_digest": lot.digest()}, headers=key
        )
        assert (second.status_code, second.json()["errors"][0]["pointer"]) == (409, "/plate_digest")
        assert (await lot.pairs())["pairs"] == []


class TestPage:
    """/plates."""

    async def test_a_plate_is_typed_and_taken_back_in_a_browser(self, server: Server, lot: Lot) -> None:
        """A real form: nothing to choose without consent, what is wrong stays typed, a plate is listed, then gone."""
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=30) as browser:
            await log_in(browser, server.person())
            csrf = str(browser.cookies.get("osm_csrf"))
            browser.headers["X-CSRF-Token"] = csrf
            assert (await server.join(browser)).status_code == 201
            assert "先同意让一家停车场" in (await browser.get("/plates")).text
            await share(server, browser, lot)
            form = {"csrf": csrf, "place": f"{lot.client_id}/{PERK}", "plate": "苏E1234"}
            refused = await browser.post("/plates", data=form)
            assert refused.status_code == 422
            assert 'value="苏E1234"' in refused.text
            assert "车牌写法不对" in refused.text
            assert (await browser.post("/plates", data={**form, "plate": PLATE})).status_code == 303
            page = (await browser.get("/plates")).text
            assert PLATE in page
            assert "待确认" in page
            (plate,) = (await browser.get("/v1/me/plates")).json()["plates"]
            assert (await browser.post(f"/plates/{plate['id']}/remove", data={"csrf": csrf})).status_code == 303
            assert "还没有登记车牌" in (await browser.get("/plates")).text
