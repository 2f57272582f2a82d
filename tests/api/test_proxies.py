"""Relatives who look, and only look."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2
import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import text

from core import clock
from tests.api.conftest import Server
from tests.api.office import id_card, new_card, office, with_pin
from tests.gateworld import LIBRARY

UNTIL = (clock.today() + timedelta(days=90)).isoformat()
SHOWN = ("/v1/me", "/v1/me/score", "/v1/me/records", "/v1/me/accesses", "/v1/me/consents", "/v1/me/perks")


class Pair(msgspec.Struct, frozen=True):
    """A citizen who takes part, and their relative, each with an app."""

    server: Server
    owner: httpx2.AsyncClient
    relative: httpx2.AsyncClient

    async def bound(self, until: str = UNTIL) -> str:
        """The id of a new proxy of these two."""
        code = (await self.owner.post("/v1/me/proxies/invitations", json={"until": until})).json()["code"]
        accepted = await self.relative.post("/v1/me/proxies/accept", json={"code": code})
        assert accepted.status_code == 201, accepted.text
        return accepted.json()["id"]

    async def looks(self, proxy: str, path: str = "/v1/me/score", method: str = "GET") -> httpx2.Response:
        """The relative asks on the citizen's behalf."""
        return await self.relative.request(method, path, headers={"Osmanthus-On-Behalf-Of": proxy})


@pytest_asyncio.fixture
async def pair(server: Server) -> AsyncIterator[Pair]:
    """Two new people."""
    async with AsyncExitStack() as stack:
        owner, relative = [
            await stack.enter_async_context(server.logged_in(server.person(name=name))) for name in ("郑老", "郑小明")
        ]
        assert (await server.join(owner)).status_code == 201
        yield Pair(server, owner, relative)


class TestInvite:
    """Drawing and accepting."""

    async def test_both_see_what_was_agreed(self, pair: Pair) -> None:
        """Until when, with whom (masked), and who is who."""
        proxy = await pair.bound()
        (mine,) = (await pair.owner.get("/v1/me/proxies")).json()["proxies"]
        (theirs,) = (await pair.relative.get("/v1/me/proxies")).json()["proxies"]
        assert (mine["id"], mine["role"], mine["person"], mine["until"]) == (proxy, "owner", "郑*明", UNTIL)
        assert (theirs["id"], theirs["role"], theirs["person"]) == (proxy, "proxy", "郑*")

    async def test_a_code_is_good_once_and_not_for_oneself(self, pair: Pair) -> None:
        """Used, unknown, over and foreign codes are 404 alike; one's own is 409 and is not spent."""
        code = (await pair.owner.post("/v1/me/proxies/invitations", json={"until": UNTIL})).json()["code"]
        own = await pair.owner.post("/v1/me/proxies/accept", json={"code": code})
        assert (own.status_code, own.json()["code"]) == (409, "own_invitation")
        assert (await pair.relative.post("/v1/me/proxies/accept", json={"code": code})).status_code == 201
        counter = (await pair.owner.post("/v1/me/counter-code")).json()["code"]
        for dead in (code, "0000-0000", counter):
            assert (await pair.relative.post("/v1/me/proxies/accept", json={"code": dead})).status_code == 404
        late = (await pair.owner.post("/v1/me/proxies/invitations", json={"until": UNTIL})).json()["code"]
        async with pair.server.house.doors.claims("auth") as session:
            await session.execute(text("update auth.spoken_code set expires_at = now()"))
        assert (await pair.relative.post("/v1/me/proxies/accept", json={"code": late})).status_code == 404

    async def test_guesses_are_counted(self, pair: Pair) -> None:
        """The eleventh code within an hour is 429."""
        answers = [
            (await pair.relative.post("/v1/me/proxies/accept", json={"code": f"0000-00{i:02}"})).status_code
            for i in range(11)
        ]
        assert answers == [404] * 10 + [429]

    async def test_twelve_months_at_most(self, pair: Pair) -> None:
        """Nobody is let in for ever, nor for a day that is over."""
        for days in (400, 0, -1):
            until = (clock.today() + timedelta(days=days)).isoformat()
            refused = await pair.owner.post("/v1/me/proxies/invitations", json={"until": until})
            assert refused.json()["errors"][0]["code"] == "out_of_range"

    async def test_an_invitation_drawn_at_a_counter(self, pair: Pair) -> None:
        """Who has no telephone invites at the counter, with the card read once more."""
        card_no, person = new_card(), pair.server.person()
        async with office(pair.server) as here:
            await here.knows(person, card_no=card_no)
            async with here.sitting(with_pin(card_no), purpose="relative") as (me, session_id):
                assert (await me.post("/v1/me/proxies/invitations", json={"until": UNTIL})).status_code == 401
                assert (await here.proves(session_id, id_card(person))).status_code == 200
                code = (await me.post("/v1/me/proxies/invitations", json={"until": UNTIL})).json()["code"]
                assert (await me.post("/v1/me/proxies/accept", json={"code": code})).status_code == 403
        accepted = await pair.relative.post("/v1/me/proxies/accept", json={"code": code})
        assert (await pair.looks(accepted.json()["id"], "/v1/me")).json()["enrolled"] is False


class TestLook:
    """What a proxy opens."""

    async def test_the_relative_reads_what_is_the_citizens(self, pair: Pair) -> None:
        """The citizen's answers, not the relative's; each leaves an entry that names the proxy."""
        proxy = await pair.bound()
        for path in SHOWN:
            answer = await pair.looks(proxy, path)
            assert answer.status_code == 200, answer.text
        assert (await pair.looks(proxy, "/v1/me")).json() == (await pair.owner.get("/v1/me")).json()
        assert (await pair.relative.get("/v1/me")).json()["enrolled"] is False
        seen = (await pair.owner.get("/v1/me/accesses")).json()["accesses"]
        reads = [one for one in seen if one["action"] == "proxy.read"]
        assert [one["detail"]["request"] for one in reversed(reads)] == [f"GET {path}" for path in (*SHOWN, "/v1/me")]
        assert {(one["by"], one["by_kind"]) for one in reads} == {("您授权查看的亲友", "proxy")}

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/me/consents"),
            ("DELETE", "/v1/me/consents/co_00000000000000000000000000"),
            ("POST", "/v1/me/credit-code"),
            ("POST", "/v1/me/counter-code"),
            ("GET", "/v1/me/cards"),
            ("GET", "/v1/me/proxies"),
            ("POST", "/v1/me/proxies/invitations"),
            ("GET", "/v1/me/score/history"),
            ("GET", "/records"),
        ],
    )
    async def test_nothing_else(self, pair: Pair, method: str, path: str) -> None:
        """403 `view_only` before anything is read, and the citizen sees the attempt."""
        proxy = await pair.bound()
        refused = await pair.looks(proxy, path, method)
        if path.startswith("/v1"):
            assert (refused.status_code, refused.json()["code"]) == (403, "view_only")
        assert refused.status_code == 403
        newest = (await pair.owner.get("/v1/me/accesses")).json()["accesses"][0]
        assert (newest["action"], newest["outcome"]) == ("proxy.read", "denied")

    async def test_not_yours_is_absent(self, pair: Pair) -> None:
        """Another's proxy, one's own given one, an unknown id and nonsense: 404."""
        proxy = await pair.bound()
        async with pair.server.logged_in(pair.server.person()) as third:
            headers = {"Osmanthus-On-Behalf-Of": proxy}
            assert (await third.get("/v1/me", headers=headers)).status_code == 404
        assert (await pair.owner.get("/v1/me", headers=headers)).status_code == 404
        for named in ("px_00000000000000000000000000", "me", ""):
            assert (await pair.looks(named, "/v1/me")).status_code == 404

    @pytest.mark.parametrize("who", ["owner", "relative"])
    async def test_either_ends_it_at_once(self, pair: Pair, who: str) -> None:
        """The next read is 404, the other citizen is told, and ending it again is 404."""
        proxy = await pair.bound()
        assert (await pair.looks(proxy)).status_code == 200
        ends: httpx2.AsyncClient = getattr(pair, who)
        assert (await ends.delete(f"/v1/me/proxies/{proxy}")).status_code == 204
        assert (await pair.looks(proxy)).status_code == 404
        assert (await ends.delete(f"/v1/me/proxies/{proxy}")).status_code == 404
        newest = (await pair.owner.get("/v1/me/accesses")).json()["accesses"][0]
        assert (newest["action"], newest["by_kind"]) == ("proxy.end", "citizen" if who == "owner" else "proxy")

    async def test_it_expires(self, pair: Pair) -> None:
        """After its day nothing is found."""
        proxy = await pair.bound()
        async with pair.server.house.doors.claims("auth") as session:
            await session.execute(text("update auth.proxy set expires_at = now()"))
        assert (await pair.looks(proxy)).status_code == 404

    async def test_a_counter_looks_for_nobody_through_a_relative(self, pair: Pair) -> None:
        """The header and an assisted session do not go together."""
        proxy, card_no = await pair.bound(), new_card()
        async with office(pair.server) as here:
            assert (await pair.relative.post("/v1/me/cards", json=with_pin(card_no))).status_code == 201
            async with here.sitting(with_pin(card_no)) as (me, _):
                refused = await me.get("/v1/me", headers={"Osmanthus-On-Behalf-Of": proxy})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")

    async def test_a_code_is_never_drawn_for_another(self, pair: Pair) -> None:
        """Even a granted perk of the citizen's gives the relative no code."""
        proxy = await pair.bound()
        refused = await pair.relative.post(
            "/v1/me/credit-code", json={"perk": LIBRARY}, headers={"Osmanthus-On-Behalf-Of": proxy}
        )
        assert refused.json()["code"] == "view_only"
