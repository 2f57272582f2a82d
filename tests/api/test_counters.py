"""Counters of shops without a system: made by a partner, opened once, good for one perk at one terminal."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest_asyncio

from api.tool import registration
from tests.api.conftest import Server

PERK = "library.deposit-free"
PLAN = {"perk": PERK, "name": "南门茶馆", "deposit": 20000}


class Owner:
    """A partner who makes counters, and telephones that open them."""

    def __init__(self, server: Server, http: httpx2.AsyncClient) -> None:
        """`http` is the partner's client."""
        self.server, self.http = server, http

    async def made(self, **more: Any) -> dict[str, Any]:
        """A fresh counter."""
        answer = await self.http.post("/v1/partner/counters", json={**PLAN, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    @asynccontextmanager
    async def phone(self, made: dict[str, Any] | None = None) -> AsyncIterator[httpx2.AsyncClient]:
        """A telephone that has used the link of a counter, or none yet."""
        async with httpx2.AsyncClient(base_url=self.server.base_url) as phone:
            if made is not None:
                opened = await phone.post("/counter/open", data={"secret": secret(made)})
                assert (opened.status_code, opened.headers["location"]) == (303, "/counter")
            yield phone

    async def code(self, perk: str = PERK) -> str:
        """Somebody's fresh code."""
        async with self.server.logged_in(self.server.person()) as me:
            await self.server.join(me)
            return (await me.post("/v1/me/credit-code", json={"perk": perk})).json()["code"]


def secret(made: dict[str, Any]) -> str:
    """What stands behind # in a counter's link."""
    return made["link"].partition("#")[2]


def hidden(page: httpx2.Response, name: str) -> str:
    """The value of a form's hidden field."""
    return re.findall(rf'name="{name}" value="([^"]*)"', page.text)[0]


async def ask(phone: httpx2.AsyncClient, code: str, *, key: str | None = None, csrf: str | None = None) -> Any:
    """Check a code, as the page's form does."""
    page = await phone.get("/counter")
    form = {"csrf": csrf or hidden(page, "csrf"), "key": key or hidden(page, "key"), "code": code}
    return await phone.post("/counter/check", data=form)


@pytest_asyncio.fixture(scope="module")
async def owner(server: Server) -> AsyncIterator[Owner]:
    """A partner with the library's perk."""
    auth, _ = await server.register("teahouse", "partner", "eligibility:check", perks=[PERK])
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as http:
        yield Owner(server, http)


@pytest_asyncio.fixture(scope="module")
async def lender(server: Server) -> AsyncIterator[Owner]:
    """A partner who keeps orders, too."""
    entry = await registration.add(
        server.house.settings,
        client_id="lendinghouse",
        role="partner",
        name="借物站",
        scopes=["eligibility:check", "orders:write"],
        perks=[PERK],
    )
    async with httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(entry)) as http:
        yield Owner(server, http)


class TestMake:
    """POST /v1/partner/counters."""

    async def test_the_secret_is_told_once_and_behind_the_hash(self, owner: Owner) -> None:
        """No list repeats it, and no browser sends it anywhere but into the form."""
        made = await owner.made()
        listed = (await owner.http.get("/v1/partner/counters")).json()["counters"][0]
        assert (listed["counter_id"], listed["state"], listed["deposit"]) == (made["counter_id"], "waiting", 20000)
        assert made["link"].startswith(f"{owner.server.base_url}/counter#")
        assert secret(made) not in (await owner.http.get("/v1/partner/counters")).text

    async def test_a_perk_of_others_is_unknown(self, owner: Owner) -> None:
        """A counter asks for its partner's perks alone."""
        answer = await owner.http.post("/v1/partner/counters", json={**PLAN, "perk": "rental.deposit-free"})
        assert (answer.status_code, answer.json()["code"]) == (404, "perk_unknown")

    async def test_a_partner_without_perks_is_let_in_and_has_none(self, server: Server) -> None:
        """Its token is as good as others': an empty list, and `perk_unknown` for whatever it asks."""
        auth, _ = await server.register("perkless", "partner", "eligibility:check")
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as http:
            listed = await http.get("/v1/partner/counters")
            assert (listed.status_code, listed.json()) == (200, {"counters": []})
            made = await http.post("/v1/partner/counters", json=PLAN)
            assert (made.status_code, made.json()["code"]) == (404, "perk_unknown")
            told = await http.get("/v1/partner/plates")
            assert (told.status_code, told.json()["pairs"]) == (200, [])


class TestOpen:
    """POST /counter/open."""

    async def test_a_link_opens_one_telephone(self, owner: Owner) -> None:
        """Whoever comes second, or with a secret that never was, is told to ask for another link."""
        made = await owner.made()
        async with owner.phone(made) as phone, owner.phone() as second:
            assert "南门茶馆" in (await phone.get("/counter")).text
            for given in (secret(made), "x" * 32):
                refused = await second.post("/counter/open", data={"secret": given})
                assert (refused.status_code, "set-cookie" in refused.headers) == (410, False)
            assert "打开柜台" in (await second.get("/counter")).text

    async def test_the_cookie_is_kept_from_scripts_and_from_the_database(self, owner: Owner) -> None:
        """HttpOnly, host-only, SameSite; what the database holds is its hash."""
        async with owner.phone() as phone:
            opened = await phone.post("/counter/open", data={"secret": secret(await owner.made())})
            cookie = opened.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "samesite=lax" in cookie.lower()
            assert "domain" not in cookie.lower()
            link = {"Sec-Fetch-Site": "cross-site"}
            made = await owner.made()
            assert (await phone.post("/counter/open", data={"secret": secret(made)}, headers=link)).status_code == 403


class TestCheck:
    """POST /counter/check."""

    async def test_a_tick_what_it_is_worth_and_the_days_tally(self, owner: Owner) -> None:
        """Granted: the deposit waived, counted once, also when the form is sent twice."""
        code = await owner.code()
        async with owner.phone(await owner.made()) as phone:
            said = await ask(phone, code, key="one")
            again = await ask(phone, code, key="one")
            for page in (said, again):
                assert "可以享受</h1>" in page.text
                assert '免 <span class="num">200元' in page.text
            assert ">1 次<" in again.text

    async def test_every_other_answer_is_the_ordinary_way(self, owner: Owner) -> None:
        """A used code says that it is used; whoever is below the threshold gets no word about themselves."""
        code = await owner.code()
        async with owner.phone(await owner.made()) as phone:
            await ask(phone, code)
            used = await ask(phone, code)
            assert "普通方式</h1>" in used.text
            assert "已经用过" in used.text
            assert "普通方式</h1>" in (await ask(phone, "nothing at all")).text
            assert ">1 次<" in (await phone.get("/counter")).text

    async def test_the_citizen_reads_who_asked(self, owner: Owner, server: Server) -> None:
        """A counter's check is a check: it stands in the citizen's list, with the partner's name."""
        async with server.logged_in(server.person()) as me, owner.phone(await owner.made(terminal="south")) as phone:
            await server.join(me)
            code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
            await ask(phone, code)
            (entry,) = [
                one
                for one in (await me.get("/v1/me/accesses")).json()["accesses"]
                if one["action"] == "eligibility.check"
            ]
        assert (entry["by"], entry["outcome"]) == ("名称 teahouse", "granted")

    async def test_a_form_from_elsewhere_is_refused(self, owner: Owner) -> None:
        """The cookie alone is not enough; the form's own token must come along."""
        async with owner.phone(await owner.made()) as phone:
            assert (await ask(phone, await owner.code(), csrf="0" * 64)).status_code == 403
            assert ">0 次<" in (await phone.get("/counter")).text

    async def test_it_is_no_bearer_of_the_api(self, owner: Owner) -> None:
        """What the telephone holds opens nothing else: not the partner's API, not the citizen's page."""
        async with owner.phone(await owner.made()) as phone:
            assert (await phone.get("/v1/partner/perks")).status_code == 401
            assert (await phone.get("/v1/me")).status_code == 401
            value = next(iter(phone.cookies.values()))
            answer = await phone.get("/v1/partner/perks", headers={"Authorization": f"DPoP {value}"})
            assert answer.status_code == 401


class TestLend:
    """POST /counter/orders and /counter/orders/back."""

    async def test_out_with_a_tap_and_back_with_a_tap(self, lender: Owner) -> None:
        """An order of the partner's: active while it is out, settled at nothing when it is back; repeats are safe."""
        async with lender.phone(await lender.made()) as phone:
            said = await ask(phone, await lender.code())
            form = {"csrf": hidden(said, "csrf"), "decision": hidden(said, "decision")}
            for _ in range(2):
                page = await phone.post("/counter/orders", data=form)
                assert "已记下借出" in page.text
            assert page.text.count(">已还<") == 1
            (order,) = (await lender.http.get("/v1/partner/orders", params={"status": "active"})).json()["orders"]
            back = {"csrf": hidden(page, "csrf"), "order": hidden(page, "order")}
            assert ">已还<" not in (await phone.post("/counter/orders/back", data=back)).text
            found = await lender.http.get("/v1/partner/orders", params={"out_order_no": order["out_order_no"]})
            (order,) = found.json()["orders"]
            assert (order["status"], order["settlement"]["charge"]) == ("settled", 0)

    async def test_another_counter_sees_and_ends_nothing_of_it(self, lender: Owner) -> None:
        """Two telephones of one shop, each with its own list."""
        made = [await lender.made() for _ in range(2)]
        async with lender.phone(made[0]) as phone, lender.phone(made[1]) as other:
            said = await ask(phone, await lender.code())
            page = await phone.post(
                "/counter/orders", data={"csrf": hidden(said, "csrf"), "decision": hidden(said, "decision")}
            )
            elsewhere = await other.get("/counter")
            assert ">已还<" not in elsewhere.text
            form = {"csrf": hidden(elsewhere, "csrf"), "order": hidden(page, "order")}
            assert (await other.post("/counter/orders/back", data=form)).status_code == 404

    async def test_a_partner_without_orders_has_no_such_button(self, owner: Owner) -> None:
        """A counter can do what its partner's registration can, and not more."""
        async with owner.phone(await owner.made()) as phone:
            said = await ask(phone, await owner.code())
            assert "可以享受</h1>" in said.text
            assert "/counter/orders" not in said.text


class TestEnd:
    """DELETE /v1/partner/counters/{id}, and giving it back."""

    async def test_it_is_over_with_the_next_request(self, owner: Owner) -> None:
        """Ended by the partner: the telephone asks for a link again; ending it twice is absent."""
        made, code = await owner.made(), await owner.code()
        async with owner.phone(made) as phone:
            page = await phone.get("/counter")
            assert (await owner.http.delete(f"/v1/partner/counters/{made['counter_id']}")).status_code == 204
            form = {"csrf": hidden(page, "csrf"), "key": "k", "code": code}
            refused = await phone.post("/counter/check", data=form)
            assert (refused.status_code, refused.headers["location"]) == (303, "/counter")
            assert "打开柜台" in (await phone.get("/counter")).text
        assert (await owner.http.delete(f"/v1/partner/counters/{made['counter_id']}")).status_code == 404

    async def test_only_its_own_partner_ends_it(self, owner: Owner, server: Server) -> None:
        """Another's counter is absent."""
        made = await owner.made()
        auth, _ = await server.register("otherhouse", "partner", "eligibility:check", perks=[PERK])
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as other:
            assert (await other.delete(f"/v1/partner/counters/{made['counter_id']}")).status_code == 404
            assert (await other.get("/v1/partner/counters")).json() == {"counters": []}
        async with owner.phone(made) as phone:
            assert "南门茶馆" in (await phone.get("/counter")).text

    async def test_a_telephone_gives_itself_back(self, owner: Owner) -> None:
        """The cookie goes, and what it was good for."""
        async with owner.phone(await owner.made()) as phone:
            page, kept = await phone.get("/counter"), dict(phone.cookies)
            left = await phone.post("/counter/leave", data={"csrf": hidden(page, "csrf")})
            assert left.status_code == 303
            phone.cookies.update(kept)
            assert "打开柜台" in (await phone.get("/counter")).text
