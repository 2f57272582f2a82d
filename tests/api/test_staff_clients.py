"""Nothing goes live without an impact assessment that two persons made, and no client without two persons either."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx2
import pytest_asyncio

from api.tool.caller import TokenRefusedError
from api.tool.signing import fresh_key, public_half
from core import clock
from tests.api.conftest import Server

PERK = "library.deposit-free"


class Office:
    """Two systems of the office at a server."""

    def __init__(self, server: Server, http: httpx2.AsyncClient, auths: Mapping[str, httpx2.Auth]) -> None:
        """`auths` are by `one` and `two`."""
        self.server, self.http, self.auths = server, http, auths

    async def ask(self, path: str, body: object = None, by: str = "one", method: str = "POST") -> httpx2.Response:
        """One signed request under /v1/staff."""
        more = {"json": body} if body is not None else {}
        return await self.http.request(method, f"/v1/staff/{path}", auth=self.auths[by], **more)

    async def assess(self, subject: str, kind: str = "partner", **more: Any) -> dict[str, Any]:
        """A live assessment."""
        body = {
            "subject_kind": kind, "subject": subject, "document": "ab" * 32, "risks": "r", "measures": "m",
            "valid_until": clock.today().isoformat(), **more,
        }  # fmt: skip
        drafted = await self.ask("impact-assessments", body)
        assert drafted.status_code == 201, drafted.text
        decided = await self.ask(f"impact-assessments/{drafted.json()['id']}/decide", {"approved": True}, "two")
        assert (decided.status_code, decided.json()["state"]) == (200, "live")
        return decided.json()

    async def approve(self, change: httpx2.Response, by: str = "two") -> httpx2.Response:
        """The second person."""
        assert change.status_code == 201, change.text
        return await self.ask(f"clients/changes/{change.json()['id']}/approve", by=by)


@pytest_asyncio.fixture
async def office(lone_server: Server) -> AsyncIterator[Office]:
    """The office of a fresh server."""
    from api.tool import registration

    auths = {}
    for name in ("one", "two"):
        entry = await registration.add(
            lone_server.house.settings, client_id=f"office-{name}", role="staff", name=name,
            scopes=["staff:assessments", "staff:clients", "staff:releases"],
        )  # fmt: skip
        auths[name] = lone_server.as_client(entry)
    async with httpx2.AsyncClient(base_url=lone_server.base_url) as http:
        yield Office(lone_server, http, auths)


def shop(client_id: str, jwk: dict[str, Any]) -> dict[str, Any]:
    """The registration of a partner."""
    return {
        "client_id": client_id, "role": "partner", "name": "商户", "scopes": ["eligibility:check"], "perks": [PERK],
        "jwks": [public_half(jwk)],
    }  # fmt: skip


class TestAssessments:
    """`/v1/staff/impact-assessments`."""

    async def test_it_takes_two_persons(self, office: Office) -> None:
        """The drafter gets 409; decided is decided; a rejected one allows nothing; all are listed and kept."""
        today = clock.today().isoformat()
        body = {"subject_kind": "partner", "subject": "shop", "document": "0" * 64, "risks": "r", "measures": "m"}
        drafted = (await office.ask("impact-assessments", {**body, "valid_until": today})).json()
        assert drafted["state"] == "draft"
        decide = f"impact-assessments/{drafted['id']}/decide"
        own = await office.ask(decide, {"approved": True})
        assert (own.status_code, own.json()["code"]) == (409, "second_person_needed")
        assert (await office.ask(decide, {"approved": False}, "two")).json()["state"] == "rejected"
        again = await office.ask(decide, {"approved": True}, "two")
        assert (again.status_code, again.json()["code"]) == (409, "already_decided")
        refused = await office.ask("clients", shop("shop", fresh_key()))
        assert (refused.status_code, refused.json()["code"]) == (409, "assessment_missing")
        listed = (await office.ask("impact-assessments", method="GET")).json()["assessments"]
        assert [one["id"] for one in listed] == [drafted["id"]]
        one = await office.ask(f"impact-assessments/{drafted['id']}", method="GET")
        assert one.json()["state"] == "rejected"

    async def test_it_lasts_three_years_at_the_most(self, office: Office) -> None:
        """Longer, or over already, is 422."""
        body = {"subject_kind": "city", "subject": "990000", "document": "0" * 64, "risks": "r", "measures": "m"}
        for days in (-1, 3 * 366 + 1):
            until = (clock.today() + timedelta(days=days)).isoformat()
            answer = await office.ask("impact-assessments", {**body, "valid_until": until})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/valid_until")

    async def test_a_perk_and_a_city_go_live_only_with_one(self, office: Office) -> None:
        """Approving perks or a scorecard names what must be assessed."""
        from core.settings import ROOT

        perks = (ROOT / "policy" / "perks" / "library.toml").read_text()
        card = max((ROOT / "policy" / "scorecard").iterdir())
        for kind, name, body, missing in (
            ("perks", "more.toml", perks, f"the perk {PERK}"),
            ("scorecard", card.name, card.read_text() + "\n", "a city"),
        ):
            draft = {"kind": kind, "name": name, "body": body, "effective_on": clock.today().isoformat()}
            drafted = await office.ask("releases", draft)
            assert drafted.status_code == 201, drafted.text
            answer = await office.ask(f"releases/{drafted.json()['id']}/approve", by="two")
            assert (answer.status_code, answer.json()["code"]) == (409, "assessment_missing")
            assert missing in answer.json()["detail"]


class TestClients:
    """`/v1/staff/clients`."""

    async def test_a_partner_goes_live_by_two_persons(self, office: Office) -> None:
        """Assessed, asked for, approved; from then on it gets tokens; the first person alone is refused."""
        await office.assess("shop")
        jwk = fresh_key()
        asked = await office.ask("clients", shop("shop", jwk))
        own = await office.approve(asked, by="one")
        assert (own.status_code, own.json()["code"]) == (409, "second_person_needed")
        waiting = (await office.ask("clients", method="GET")).json()["waiting"]
        assert [one["client_id"] for one in waiting] == ["shop"]
        made = await office.approve(asked)
        assert made.status_code == 200, made.text
        assert "d" not in made.json()["asked"]["jwks"][0]
        again = await office.approve(asked)
        assert (again.status_code, again.json()["code"]) == (409, "already_approved")
        entry = {"client_id": "shop", "jwk": jwk, "scopes": ["eligibility:check"]}
        partner = office.server.as_client(entry)
        assert (await office.http.get("/v1/partner/perks", auth=partner)).status_code == 200
        taken = await office.ask("clients", shop("shop", fresh_key()))
        assert (taken.status_code, taken.json()["code"]) == (409, "client_exists")

    async def test_a_source_gets_its_digest_key_once(self, office: Office) -> None:
        """In the answer that registers it, and nowhere afterwards."""
        await office.assess("bureau")
        body = {
            "client_id": "bureau", "role": "source", "name": "局", "scopes": ["records:write"], "kinds": ["P01"],
            "jwks": [public_half(fresh_key())],
        }  # fmt: skip
        made = await office.approve(await office.ask("clients", body))
        assert len(made.json()["digest_key"]) == 64
        assert made.json()["digest_key"] not in (await office.ask("clients", method="GET")).text

    async def test_a_disabled_client_is_shut_out_until_two_enable_it(self, office: Office) -> None:
        """At once, by one person; its live token opens nothing any more."""
        await office.assess("shop")
        jwk = fresh_key()
        await office.approve(await office.ask("clients", shop("shop", jwk)))
        entry = {"client_id": "shop", "jwk": jwk, "scopes": ["eligibility:check"]}
        partner = office.server.as_client(entry)
        question = {"perk": PERK, "holder": {"code": "x"}}
        assert (await office.http.post("/v1/partner/eligibility", json=question, auth=partner)).status_code == 200
        assert (await office.ask("clients/shop/disable")).json()["live"] is False
        assert (await office.http.post("/v1/partner/eligibility", json=question, auth=partner)).status_code == 401
        asked = await office.ask("clients/shop/enable")
        assert (await office.approve(asked)).status_code == 200
        fresh = office.server.as_client(entry)
        assert (await office.http.get("/v1/partner/perks", auth=fresh)).status_code == 200

    async def test_two_keys_overlap_while_they_change_over(self, office: Office) -> None:
        """Old and new sign side by side; then the old one is gone."""
        await office.assess("shop")
        old, new = fresh_key(), fresh_key()
        await office.approve(await office.ask("clients", shop("shop", old)))

        async def status(jwk: dict[str, Any]) -> bool:
            auth = office.server.as_client({"client_id": "shop", "jwk": jwk, "scopes": ["eligibility:check"]})
            try:
                return (await office.http.get("/v1/partner/perks", auth=auth)).status_code == 200
            except TokenRefusedError:
                return False

        await office.approve(await office.ask("clients/shop/keys", {"jwks": [public_half(old), public_half(new)]}))
        assert [await status(old), await status(new)] == [True, True]
        await office.approve(await office.ask("clients/shop/keys", {"jwks": [public_half(new)]}))
        assert [await status(old), await status(new)] == [False, True]
        bad = await office.ask("clients/shop/keys", {"jwks": [{"kty": "oct", "k": "AA"}]})
        assert (bad.status_code, bad.json()["errors"][0]["code"]) == (422, "bad_key")
        assert (await office.ask("clients/nobody/disable")).status_code == 404
        assert (await office.ask("clients/office-one/disable")).status_code == 404
