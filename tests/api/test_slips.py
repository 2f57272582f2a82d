"""Printed receipts and their check."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import segno

from api.pages import printed
from core.keys import Keyring
from core.signed import Signer
from tests.api.conftest import Server
from tests.api.office import new_card, office, with_pin


@pytest_asyncio.fixture
async def me(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who takes part."""
    async with server.logged_in(server.person(name="欧阳明月")) as http:
        assert (await server.join(http)).status_code == 201
        yield http


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the QR codes of printed pages hold, in order."""
    made: list[str] = []
    real = segno.make_qr

    def make(text: str, **how: Any) -> segno.QRCode:
        made.append(text)
        return real(text, **how)

    monkeypatch.setattr(printed.segno, "make_qr", make)
    return made


async def page(me: httpx2.AsyncClient) -> httpx2.Response:
    """The printed page of the newest consent."""
    consent_id = (await me.get("/v1/me/consents")).json()["consents"][0]["id"]
    return await me.get(f"/v1/me/consents/{consent_id}/receipt.html")


async def verified(http: httpx2.AsyncClient, text: str) -> dict[str, Any]:
    """What the check says."""
    answer = await http.post("/v1/rules/receipts/verify", json={"receipt": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestPage:
    """`GET /v1/me/consents/{id}/receipt.html`."""

    async def test_it_says_what_was_agreed_and_names_nobody(self, me: httpx2.AsyncClient, codes: list[str]) -> None:
        """Purpose, times and how to withdraw, in Chinese; a QR code; neither name nor number."""
        answer = await page(me)
        assert answer.headers["content-type"].startswith("text/html")
        for words in ("计算我的桂花分", "有效", "到期", "随时可以撤回", "<svg"):
            assert words in answer.text
        assert "欧阳" not in answer.text
        assert "990000****" not in answer.text
        assert "窗口代办" not in answer.text
        assert len(codes) == 1

    async def test_the_qr_code_is_a_slip_that_anybody_checks(
        self, server: Server, me: httpx2.AsyncClient, codes: list[str]
    ) -> None:
        """Behind `#` of the check page's address; it names the whole receipt by its hash and follows the state."""
        receipt = (await me.get("/v1/me/consents")).json()["consents"][0]["receipt"]
        await page(me)
        given = (await me.get("/v1/me/consents")).json()["consents"][0]
        await me.delete(f"/v1/me/consents/{given['id']}")
        assert "已撤回" in (await page(me)).text
        (before, after) = [code.removeprefix(f"{server.base_url}/receipt#") for code in codes]
        async with httpx2.AsyncClient(base_url=server.base_url) as stranger:
            assert (await stranger.get("/receipt")).status_code == 200
            live, ended = await verified(stranger, before), await verified(stranger, after)
        assert (live["valid"], live["type"]) == (True, "consent-slip+jwt")
        assert live["content"]["consent"] == given["id"]
        assert live["content"]["receipt"] == hashlib.sha256(receipt.encode()).hexdigest()
        assert (live["content"]["state"], ended["content"]["state"]) == ("given", "withdrawn")

    async def test_anothers_is_absent(self, server: Server, me: httpx2.AsyncClient) -> None:
        """404 for a consent of somebody else's."""
        consent_id = (await me.get("/v1/me/consents")).json()["consents"][0]["id"]
        async with server.logged_in(server.person()) as other:
            assert (await other.get(f"/v1/me/consents/{consent_id}/receipt.html")).status_code == 404

    async def test_a_counter_prints(self, server: Server) -> None:
        """In an assisted session, and the paper says so; the ledger says by which channel."""
        card_no = new_card()
        async with office(server) as here:
            await here.knows(server.person(), card_no=card_no)
            async with here.sitting(with_pin(card_no)) as (me, _):
                assert (await server.join(me)).status_code == 201
                assert "窗口代办" in (await page(me)).text
                receipt = (await me.get("/v1/me/consents")).json()["consents"][0]["receipt"]
                said = (await verified(me, receipt))["content"]
        assert said["record"]["additions"]["channel"] == "counter"


class TestVerify:
    """`POST /v1/rules/receipts/verify`."""

    async def test_a_whole_receipt_is_checked_too(self, me: httpx2.AsyncClient) -> None:
        """The receipt that the ledger gave."""
        receipt = (await me.get("/v1/me/consents")).json()["consents"][0]["receipt"]
        said = await verified(me, f" {receipt}\n")
        assert (said["valid"], said["type"]) == (True, "consent-receipt+jwt")
        assert said["content"]["record"]["purpose"]

    async def test_what_we_did_not_sign_shows_nothing(self, me: httpx2.AsyncClient, ring: Keyring) -> None:
        """Altered, cut, unsigned, another key's, another paper's, another key of ours: false and nulls, alike."""
        receipt = (await me.get("/v1/me/consents")).json()["consents"][0]["receipt"]
        head, body, sign = receipt.split(".")
        bare = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "consent-slip+jwt"}).encode()).decode()
        other = ring.ed25519("other-1")
        ours_by_another_key = Signer(ring.ed25519("log-1"), "decision-receipt+jwt").sign({"granted": True})
        false = [
            f"{head}.{body}.{'A' * len(sign)}",
            f"{head}.{body[:-4]}AAAA.{sign}",
            f"{head}.{body}",
            f"{bare}.{body}.",
            Signer(other, "consent-slip+jwt").sign({"consent": "co_0"}),
            ours_by_another_key,
            "信用回执",
        ]
        for text in false:
            assert await verified(me, text) == {"valid": False, "type": None, "content": None}
