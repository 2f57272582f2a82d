"""`POST /v1/me/credit-code` and `GET /v1/me/perks`, from the consent to the merchant's answer."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature

from tests.api.conftest import Server
from tests.gateworld import LIBRARY, RENTAL
from tests.incentives.gates import library


@asynccontextmanager
async def member(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """An adult without records who joined: 110.0 points by the default scorecard."""
    async with server.logged_in(server.person()) as me:
        assert (await server.join(me)).status_code == 201
        yield me


async def partner(server: Server, *perks: str) -> tuple[str, httpx2.AsyncClient]:
    """A new partner's id and its signing client."""
    name = f"p-{secrets.token_hex(4)}"
    auth, _ = await server.register(name, "partner", "eligibility:check", perks=perks or (LIBRARY,))
    return name, httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30)


async def check(http: httpx2.AsyncClient, code: str, perk: str = LIBRARY) -> dict[str, Any]:
    """The merchant's answer."""
    answer = await http.post("/v1/partner/eligibility", json={"perk": perk, "holder": {"code": code}})
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestDraw:
    """Drawing a code."""

    async def test_a_granted_perk_gives_a_code_that_the_partner_honours_once(self, server: Server) -> None:
        """Says what the partner learns; granted once, then `code_used`; draw and both checks are in the accesses."""
        name, shop = await partner(server)
        async with member(server) as me, shop:
            drawn = await me.post("/v1/me/credit-code", json={"perk": LIBRARY, "partner": name})
            assert drawn.status_code == 201, drawn.text
            body = drawn.json()
            assert re.fullmatch(r"CC1:[0-9A-Z $%*+./:-]{134}", body["code"])
            assert (body["perk"], body["partner"]) == (LIBRARY, name)
            assert "免押金借书" in body["shows"]["learns"][0]
            assert body["qr"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')  # else no image draws it
            assert (await check(shop, body["code"]))["result"] == "granted"
            assert (await check(shop, body["code"]))["reason"] == "code_used"
            seen = (await me.get("/v1/me/accesses")).json()["accesses"]
            assert [(one["action"], one["outcome"]) for one in seen[:3]] == [
                ("eligibility.check", "standard_route"),
                ("eligibility.check", "granted"),
                ("credit_code.draw", "done"),
            ]
            assert seen[1]["by"] == f"名称 {name}"
            for by, others in (("me", False), ("others", True)):
                part = (await me.get(f"/v1/me/accesses?by={by}")).json()["accesses"]
                assert [one["id"] for one in part] == [
                    one["id"] for one in seen if (one["by_kind"] != "citizen") == others
                ]

    async def test_a_code_is_for_its_perk_and_partner(self, server: Server) -> None:
        """Elsewhere it is `code_not_for_you`, and stays good."""
        name, shop = await partner(server)
        _, other = await partner(server, LIBRARY, RENTAL)
        async with member(server) as me, shop, other:
            code = (await me.post("/v1/me/credit-code", json={"perk": LIBRARY, "partner": name})).json()["code"]
            assert (await check(other, code))["reason"] == "code_not_for_you"
            assert (await check(other, code, RENTAL))["reason"] == "code_not_for_you"
            assert (await check(shop, code))["result"] == "granted"

    async def test_a_new_code_ends_the_older(self, server: Server) -> None:
        """Codes for one perk cannot be hoarded; a code for any partner works at any."""
        _, shop = await partner(server)
        async with member(server) as me, shop:
            first, second = [
                (await me.post("/v1/me/credit-code", json={"perk": LIBRARY})).json()["code"] for _ in range(2)
            ]
            assert (await check(shop, first))["reason"] == "code_expired"
            assert (await check(shop, second))["result"] == "granted"

    async def test_not_granted_says_why_to_the_citizen_alone(self, server: Server) -> None:
        """409 with the points missing and what can be done; nothing is drawn."""
        async with member(server) as me:
            refused = await me.post("/v1/me/credit-code", json={"perk": RENTAL})
            assert (refused.status_code, refused.json()["code"]) == (409, "not_granted")
            reason = refused.json()["reasons"][0]
            assert (reason["reason"], reason["points_needed"]) == ("below", 10.0)
            assert "还差10.0分" in reason["text"]
            assert reason["ways"]

    async def test_not_enrolled(self, server: Server) -> None:
        """Without consent no code, and the reason is said."""
        async with server.logged_in(server.person()) as me:
            refused = await me.post("/v1/me/credit-code", json={"perk": LIBRARY})
            assert refused.status_code == 409
            assert refused.json()["reasons"][0]["reason"] == "not_enrolled"

    async def test_unknown_perks_and_partners(self, server: Server) -> None:
        """404 for a perk that is not in force, 422 for a partner that does not offer it."""
        async with member(server) as me:
            unknown = await me.post("/v1/me/credit-code", json={"perk": "library.nothing"})
            assert (unknown.status_code, unknown.json()["code"]) == (404, "perk_unknown")
            nobody = await me.post("/v1/me/credit-code", json={"perk": LIBRARY, "partner": "nobody"})
            assert (nobody.status_code, nobody.json()["errors"][0]["pointer"]) == (422, "/partner")

    async def test_withdrawing_with_a_live_code(self, server: Server) -> None:
        """The next request is the plain standard route, without a reason."""
        _, shop = await partner(server)
        async with member(server) as me, shop:
            code = (await me.post("/v1/me/credit-code", json={"perk": LIBRARY})).json()["code"]
            given = (await me.get("/v1/me/consents")).json()["consents"][0]
            assert (await me.delete(f"/v1/me/consents/{given['id']}")).status_code == 200
            answer = await check(shop, code)
            assert answer["result"] == "standard_route"
            assert "reason" not in answer


class TestPerks:
    """`GET /v1/me/perks`."""

    async def test_granted_and_missing(self, server: Server) -> None:
        """Each perk in force says whether it is granted, its terms, and what is missing."""
        async with member(server) as me:
            perks = {one["perk"]: one for one in (await me.get("/v1/me/perks")).json()["perks"]}
            assert perks[LIBRARY]["granted"]
            assert perks[LIBRARY]["missing"] is None
            assert perks[RENTAL]["missing"]["points_needed"] == 10.0
            assert perks[RENTAL]["terms"]["basis"] == "示范规则，未经任何城市采用"

    async def test_a_stranger_sees_the_perks_too(self, server: Server) -> None:
        """Somebody who did not join learns what would be needed, and nothing is computed."""
        async with server.logged_in(server.person()) as me:
            perks = (await me.get("/v1/me/perks")).json()["perks"]
            assert {one["missing"]["reason"] for one in perks} == {"not_enrolled"}


class TestStandingConsent:
    """`share:<partner>/<perk>`: the partner asks by subject."""

    async def test_the_subject_answers_until_it_is_withdrawn(self, server: Server) -> None:
        """Granted while the consent lives, the plain standard route afterwards; another partner learns nothing."""
        name, shop = await partner(server)
        _, other = await partner(server)
        async with member(server) as me, shop, other:
            notice = (await me.get("/v1/rules/notices/share/1")).json()
            given = await server.join(
                me,
                purpose=f"share:{name}/{LIBRARY}",
                notice={"version": notice["version"], "digest": notice["digest"]},
                optional_sources=[],
            )
            assert given.status_code == 201, given.text
            body = {"perk": LIBRARY, "holder": {"subject": given.json()["subject"]}}

            async def ask(http: httpx2.AsyncClient) -> dict[str, Any]:
                return (await http.post("/v1/partner/eligibility", json=body)).json()

            assert (await ask(shop))["result"] == "granted"
            assert (await ask(other))["result"] == "standard_route"
            await me.delete(f"/v1/me/consents/{given.json()['id']}")
            after = await ask(shop)
            assert after["result"] == "standard_route"
            assert "reason" not in after


class TestOffline:
    """A gate without a line, set up from what is published."""

    async def test_it_admits_what_a_citizen_drew_for_it(self, server: Server) -> None:
        """With the numbers by their own signature and the keys of the JWKS; another partner's gate does not."""
        name, shop = await partner(server)
        other, shop_too = await partner(server)
        async with member(server) as me, shop, shop_too:
            jwks, told = [(await me.get(path)).json() for path in ("/.well-known/jwks.json", "/v1/rules/credit-codes")]
            assert (told["city"], told["life"], told["skew"]) == (990_000, 60, 10)
            here, there = [
                library.Gate.of(jwks, told["statement"], perk=LIBRARY, partner=each) for each in (name, other)
            ]
            only = (await me.post("/v1/me/credit-code", json={"perk": LIBRARY, "partner": name})).json()["code"]
            with pytest.raises(library.Refused, match="code_not_for_you"):
                there.admit(only)
            here.admit(only)
            with pytest.raises(library.Refused, match="code_used"):
                here.admit(only)
            there.admit((await me.post("/v1/me/credit-code", json={"perk": LIBRARY})).json()["code"])

    async def test_the_numbers_are_signed_and_dated(self, server: Server) -> None:
        """The statement holds the whole document; an altered one, or another kind of statement, is refused."""
        name, shop = await partner(server)
        async with shop, server.logged_in(server.person()) as me:
            jwks, told = [(await me.get(path)).json() for path in ("/.well-known/jwks.json", "/v1/rules/credit-codes")]
        statement = told.pop("statement")
        assert library.opened(statement, jwks) == told
        assert [one["kind"] for one in told["audiences"] if one["name"] == name] == ["partner"]
        assert {one["perk"] for one in told["perks"]} >= {LIBRARY, RENTAL}
        assert all(one["since"] <= told["as_of"] for one in told["audiences"])
        with pytest.raises(InvalidSignature):
            library.opened(statement.replace(".ey", ".eA"), jwks)
        receipt = await _receipt(server)
        with pytest.raises(ValueError, match="not the numbers"):
            library.opened(receipt, jwks)

    async def test_an_altered_code_is_nobodys_code_online(self, server: Server) -> None:
        """Every altered, cut or foreign text is `code_expired`, with the good one still good."""
        name, shop = await partner(server)
        async with member(server) as me, shop:
            code = (await me.post("/v1/me/credit-code", json={"perk": LIBRARY, "partner": name})).json()["code"]
            swapped = {"A": "B"}.get(code[60], "A")
            for wrong in (code[:-1], code[:60] + swapped + code[61:], code.replace("CC1", "CC2"), code[4:], code + "0"):
                assert (await check(shop, wrong))["reason"] == "code_expired"
            assert (await check(shop, code))["result"] == "granted"


async def _receipt(server: Server) -> str:
    """Something else that the same key signed."""
    _, shop = await partner(server)
    async with shop:
        return (await check(shop, "CC1:NEVER"))["receipt"]
