"""Counters that the office makes for a shop, and how counters end: by their link's hour, their days, their number."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest_asyncio

from core import clock
from incentives.counters import MOST
from tests.api.conftest import Server
from tests.api.test_counters import PERK, PLAN, Owner, ask, hidden, secret

SHOP = "clerkless"
COUNTERS = f"/v1/staff/partners/{SHOP}/counters"


class Shop(Owner):
    """A partner without an engineer, and the office that acts for it."""

    def __init__(self, server: Server, http: httpx2.AsyncClient, office: httpx2.AsyncClient) -> None:
        """`office` holds `staff:clients`."""
        super().__init__(server, http)
        self.office = office

    async def given(self, **more: Any) -> dict[str, Any]:
        """A counter made by the office."""
        answer = await self.office.post(COUNTERS, json={**PLAN, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def sql(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Behind the doors."""
        connection = await asyncpg.connect(self.server.house.settings.database_url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def shop(lone_server: Server) -> AsyncIterator[Shop]:
    """At a server of its own."""
    mine, _ = await lone_server.register(SHOP, "partner", "eligibility:check", perks=[PERK])
    theirs, _ = await lone_server.register("shop-office", "staff", "staff:clients")
    async with (
        httpx2.AsyncClient(base_url=lone_server.base_url, auth=mine) as http,
        httpx2.AsyncClient(base_url=lone_server.base_url, auth=theirs) as office,
    ):
        yield Shop(lone_server, http, office)


class TestOffice:
    """`/v1/staff/partners/{client_id}/counters`."""

    async def test_the_office_makes_it_and_the_shop_checks_with_it(self, shop: Shop) -> None:
        """Told once, opened once, as good as the partner's own; partner and office see it, the log says who made it."""
        made = await shop.given(terminal="south")
        async with shop.phone(made) as phone:
            assert "可以享受</h1>" in (await ask(phone, await shop.code())).text
            for http, path in ((shop.http, "/v1/partner/counters"), (shop.office, COUNTERS)):
                said = await http.get(path)
                assert [(one["counter_id"], one["state"]) for one in said.json()["counters"]] == [
                    (made["counter_id"], "open")
                ]
                assert secret(made) not in said.text
            assert (await shop.office.delete(f"{COUNTERS}/{made['counter_id']}")).status_code == 204
            assert "打开柜台" in (await phone.get("/counter")).text
        assert (await shop.office.delete(f"{COUNTERS}/{made['counter_id']}")).status_code == 404
        entries = await shop.sql(
            "select actor_kind, actor, action, detail::text as detail from core.audit_entry "
            "where starts_with(action, 'shopcounter.') order by id"
        )
        assert [(one["actor_kind"], one["actor"], one["action"]) for one in entries] == [
            ("staff", "shop-office", "shopcounter.make"), ("staff", "shop-office", "shopcounter.end"),
        ]  # fmt: skip
        assert all(SHOP in one["detail"] and made["counter_id"] in one["detail"] for one in entries)
        assert all(secret(made) not in one["detail"] for one in entries)

    async def test_what_stood_in_for_the_partner_is_over_with_the_answer(self, shop: Shop) -> None:
        """No token of the partner's is left alive by what the office did."""
        await shop.given()
        await shop.office.get(COUNTERS)
        await shop.office.post(COUNTERS, json={**PLAN, "perk": "no.such"})
        alive = "select 1 from auth.token where client_id = $1 and revoked_at is null and expires_at > now()"
        assert await shop.sql(alive, SHOP) == []
        assert len(await shop.sql("select 1 from auth.token where client_id = $1", SHOP)) >= 2

    async def test_only_for_a_live_partner_and_its_perks(self, shop: Shop) -> None:
        """Nobody, a source, a partner that may not ask, one that was shut out: absent; another's perk is unknown."""
        await shop.server.register("shop-source", "source", "records:write", kinds=["P01"])
        await shop.server.register("shop-orders", "partner", "orders:write", perks=[PERK])
        for client_id in ("nobody", "shop-source", "shop-orders"):
            answer = await shop.office.post(f"/v1/staff/partners/{client_id}/counters", json=PLAN)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), client_id
        answer = await shop.office.post(COUNTERS, json={**PLAN, "perk": "rental.deposit-free"})
        assert (answer.status_code, answer.json()["code"]) == (404, "perk_unknown")
        made = await shop.given()
        async with shop.phone(made) as phone:
            assert (await shop.office.post(f"/v1/staff/clients/{SHOP}/disable")).status_code == 200
            assert "打开柜台" in (await phone.get("/counter")).text
        assert (await shop.office.post(COUNTERS, json=PLAN)).status_code == 404
        assert (await shop.office.get(COUNTERS)).status_code == 404


class TestEnds:
    """What time and number do."""

    async def test_a_link_is_good_for_an_hour(self, shop: Shop) -> None:
        """Told so; after that the telephone is asked for another link, and the list says that this one was missed."""
        made = await shop.made()
        (left,) = await shop.sql("select link_until - made_at as left from incentives.counter")
        assert left["left"] == timedelta(hours=1)
        await shop.sql("update incentives.counter set link_until = now() - interval '1 second'")
        async with shop.phone() as phone:
            refused = await phone.post("/counter/open", data={"secret": secret(made)})
            assert (refused.status_code, "set-cookie" in refused.headers) == (410, False)
        listed = (await shop.http.get("/v1/partner/counters")).json()["counters"]
        assert [one["state"] for one in listed] == ["missed"]

    async def test_a_counter_ends_with_its_days(self, shop: Shop) -> None:
        """On the day that it was told; the page asks for a link, no check goes through, and the list forgets it."""
        made, code = await shop.made(days=3), await shop.code()
        (row,) = await shop.sql("select ends_at - made_at as days, ends_at from incentives.counter")
        assert row["days"] == timedelta(days=3)
        async with shop.phone(made) as phone:
            (token,) = await shop.sql("select expires_at from auth.token where actor = 'counter'")
            assert token["expires_at"] == row["ends_at"]
            page = await phone.get("/counter")
            await shop.sql("update incentives.counter set ends_at = now()")
            form = {"csrf": hidden(page, "csrf"), "key": "k", "code": code}
            refused = await phone.post("/counter/check", data=form)
            assert (refused.status_code, refused.headers["location"]) == (303, "/counter")
            assert "打开柜台" in (await phone.get("/counter")).text
        assert (await shop.http.get("/v1/partner/counters")).json() == {"counters": []}
        assert await shop.sql("select 1 from incentives.decision") == []

    async def test_the_token_behind_it_ends_by_itself(self, shop: Shop) -> None:
        """Even if only the token is over, nothing is asked any more: the ordinary way, and no decision."""
        async with shop.phone(await shop.made()) as phone:
            await shop.sql("update auth.token set expires_at = $1 where actor = 'counter'", clock.wall())
            said = await ask(phone, await shop.code())
            assert "可以享受</h1>" not in said.text
        assert await shop.sql("select 1 from incentives.decision") == []

    async def test_fifty_and_not_one_more(self, shop: Shop) -> None:
        """Whoever makes it; those that ended make room."""
        made = await shop.made()
        await shop.sql(
            "insert into incentives.counter (id, partner_id, perk_id, name, made_at, link, link_until, ends_at) "
            "select gen_random_uuid(), partner_id, perk_id, name, made_at, sha256(n::text::bytea), link_until, ends_at "
            "from incentives.counter, generate_series(2, $1::integer) n", MOST,
        )  # fmt: skip
        for http, path in ((shop.http, "/v1/partner/counters"), (shop.office, COUNTERS)):
            full = await http.post(path, json=PLAN)
            assert (full.status_code, full.json()["code"]) == (409, "too_many_counters")
            assert len((await http.get(path)).json()["counters"]) == MOST
        assert (await shop.http.delete(f"/v1/partner/counters/{made['counter_id']}")).status_code == 204
        await shop.given()

    async def test_who_races_for_the_last_place_waits_to_be_counted(self, shop: Shop) -> None:
        """A request that comes while another makes the fiftieth waits for it, and is too many then."""
        await shop.made()
        other = await asyncpg.connect(shop.server.house.settings.database_url)
        async with other.transaction():
            await other.execute("select pg_advisory_xact_lock(hashtextextended('counters|' || $1::text, 0))", SHOP)
            await other.execute(
                "insert into incentives.counter (id, partner_id, perk_id, name, made_at, link, link_until, ends_at) "
                "select gen_random_uuid(), partner_id, perk_id, name, made_at, sha256(n::text::bytea), link_until, "
                "ends_at from incentives.counter, generate_series(2, $1::integer) n", MOST,
            )  # fmt: skip
            asking = asyncio.create_task(shop.http.post("/v1/partner/counters", json=PLAN))
            waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            while not asking.done() and not await other.fetchval(waiting):
                await asyncio.sleep(0.01)
        await other.close()
        assert (await asking).status_code == 409
