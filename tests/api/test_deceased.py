"""What ends with a death, and what a close relative may do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import text

from api.tool.citizen_app import LostOnTheWayError
from core import clock
from tests.api.conftest import Server
from tests.api.office import Office, id_card, new_card, office, with_pin

CERTIFICATE = "示死证〔2026〕000123号"
BOOK = "户口簿-7788"


class Family(msgspec.Struct, frozen=True):
    """An office, and two people of one family with apps and ID cards."""

    here: Office
    person: Any
    me: httpx2.AsyncClient
    child: Any
    relative: httpx2.AsyncClient

    async def recorded(self, *, clerk: str = "0001", **more: Any) -> httpx2.Response:
        """The office records the death of `person`, for `child`."""
        relative = {**id_card(self.child), "relation": "child", "document": BOOK, "lawful_interest": True}
        body = {
            "clerk": clerk,
            "id_number": self.person["id_number"],
            "died_on": clock.today().isoformat(),
            "document": CERTIFICATE,
            "relative": relative,
        }
        return await self.here.http.post("/v1/staff/deceased", json=body | more)

    async def approved(self, recorded: httpx2.Response, clerk: str = "0002") -> httpx2.Response:
        """A colleague approves."""
        address = f"/v1/staff/deceased/{recorded.json()['id']}/approve"
        return await self.here.http.post(address, json={"clerk": clerk})


@pytest_asyncio.fixture
async def family(server: Server) -> AsyncIterator[Family]:
    """A parent who takes part and a grown child."""
    person, child = server.person(name="郑老"), server.person(name="郑小明")
    async with office(server) as here, server.logged_in(person) as me, server.logged_in(child) as relative:
        assert (await server.join(me)).status_code == 201
        yield Family(here, person, me, child, relative)


class TestApprove:
    """`POST /v1/staff/deceased` and its approval."""

    async def test_nothing_ends_before_a_second_person_approves(self, family: Family) -> None:
        """409 for whoever recorded it; another office finds nothing."""
        recorded = await family.recorded()
        assert (recorded.status_code, recorded.json()["state"]) == (201, "recorded")
        same = await family.approved(recorded, clerk="0001")
        assert (same.status_code, same.json()["code"]) == (409, "second_person_needed")
        async with office(family.here.server) as other:
            address = f"/v1/staff/deceased/{recorded.json()['id']}/approve"
            assert (await other.http.post(address, json={"clerk": "0009"})).status_code == 404
        assert (await family.me.get("/v1/me/score")).status_code == 200

    async def test_everything_ends_with_it(self, family: Family) -> None:
        """Tokens, cards and points; a new login and the card open nothing; repeating changes nothing."""
        card_no = new_card()
        assert (await family.me.post("/v1/me/cards", json=with_pin(card_no))).status_code == 201
        recorded = await family.recorded()
        first, again = await family.approved(recorded), await family.approved(recorded)
        assert (
            first.json()
            == again.json()
            == {
                "id": recorded.json()["id"],
                "state": "approved",
                "relative": "may_look",
            }
        )
        assert (await family.me.get("/v1/me")).status_code == 401
        assert (await family.here.opens(with_pin(card_no))).status_code == 403
        async with family.here.server.house.doors.claims("auth") as session:
            left = (
                "select count(*) from auth.session s join auth.citizen c on c.id = s.citizen_id where ended_at is null"
            )
            before = await session.scalar(text(left))
        with pytest.raises(LostOnTheWayError):
            async with family.here.server.logged_in(family.person):
                pass
        async with family.here.server.house.doors.claims("auth") as session:
            assert await session.scalar(text(left)) == before

    async def test_the_relative_looks_and_only_looks(self, family: Family) -> None:
        """Profile, ended consents and accesses, as any proxy; each read leaves its entry."""
        await family.approved(await family.recorded())
        (held,) = (await family.relative.get("/v1/me/proxies")).json()["proxies"]
        assert (held["basis"], held["until"]) == ("relative", (clock.today() + timedelta(days=90)).isoformat())
        headers = {"Osmanthus-On-Behalf-Of": held["id"]}
        (consent,) = (await family.relative.get("/v1/me/consents", headers=headers)).json()["consents"]
        assert consent["state"] == "withdrawn"
        assert consent["erased_at"] is not None
        assert (await family.relative.get("/v1/me/score", headers=headers)).json()["code"] == "not_enrolled"
        seen = (await family.relative.get("/v1/me/accesses", headers=headers)).json()["accesses"]
        assert {"death.record", "death.approve", "proxy.read"} <= {one["action"] for one in seen}
        refused = await family.relative.post("/v1/me/consents", json={}, headers=headers)
        assert refused.json()["code"] == "view_only"

    async def test_the_deceased_said_nobody(self, family: Family) -> None:
        """Then nobody looks; what ends still ends."""
        assert (await family.me.get("/v1/me/after-death")).json() == {"after_death": "relatives"}
        for _ in range(2):
            assert (await family.me.put("/v1/me/after-death", json={"after_death": "nobody"})).status_code == 200
        approved = await family.approved(await family.recorded())
        assert approved.json()["relative"] == "refused_by_wish"
        assert (await family.relative.get("/v1/me/proxies")).json()["proxies"] == []
        assert (await family.me.get("/v1/me")).status_code == 401

    async def test_a_wish_can_be_changed(self, family: Family) -> None:
        """The last word counts."""
        for said in ("nobody", "relatives"):
            assert (await family.me.put("/v1/me/after-death", json={"after_death": said})).json()["after_death"] == said
        assert (await family.approved(await family.recorded())).json()["relative"] == "may_look"

    async def test_what_is_refused(self, family: Family) -> None:
        """A person who is not here, a day to come, a relative who did not come, an interest that was not stated."""
        stranger = family.here.server.person()
        tomorrow = (clock.today() + timedelta(days=1)).isoformat()
        relative = {**id_card(family.child), "relation": "child", "document": BOOK, "lawful_interest": True}
        assert (await family.recorded(id_number=stranger["id_number"])).status_code == 404
        for wrong in (
            {"died_on": tomorrow},
            {"relative": relative | id_card(stranger)},
            {"relative": relative | {"lawful_interest": False}},
            {"relative": relative | {"relation": "friend"}},
        ):
            assert (await family.recorded(**wrong)).status_code == 422, wrong

    async def test_the_papers_are_sealed(self, family: Family) -> None:
        """Neither document nor number is readable in the row."""
        await family.recorded()
        async with family.here.server.house.doors.claims("auth") as session:
            held = "".join((await session.execute(text("select death::text from auth.death"))).scalars())
        for secret in (CERTIFICATE, BOOK, family.person["id_number"], family.child["id_number"]):
            assert secret not in held
            assert secret.encode().hex() not in held


class TestErase:
    """`POST /v1/staff/deceased/{id}/erasure`."""

    async def test_the_relative_asks_that_nothing_remain(self, family: Family) -> None:
        """Only after the approval, only with the relative's own card, once; the certificate is checked by anybody."""
        recorded = await family.recorded()
        address = f"/v1/staff/deceased/{recorded.json()['id']}/erasure"
        body = {"clerk": "0003", "holder": id_card(family.child)}
        assert (await family.here.http.post(address, json=body)).status_code == 404
        await family.approved(recorded)
        stranger = await family.here.http.post(address, json=body | {"holder": id_card(family.here.server.person())})
        assert stranger.json()["code"] == "holder_not_proved"
        async with office(family.here.server) as other:
            assert (await other.http.post(address, json=body)).status_code == 404
        erased = await family.here.http.post(address, json=body)
        assert erased.status_code == 200, erased.text
        paper = {"receipt": erased.json()["certificate"]}
        assert (await family.relative.post("/v1/rules/receipts/verify", json=paper)).json()["valid"] is True
        assert (await family.relative.get("/v1/me/proxies")).json()["proxies"] == []
        assert (await family.here.opens(id_card(family.person))).status_code == 403
        assert (await family.here.http.post(address, json=body)).status_code == 404

    async def test_not_against_the_wish(self, family: Family) -> None:
        """Who said that nobody shall look is not erased by a relative either."""
        await family.me.put("/v1/me/after-death", json={"after_death": "nobody"})
        recorded = await family.recorded()
        await family.approved(recorded)
        address = f"/v1/staff/deceased/{recorded.json()['id']}/erasure"
        refused = await family.here.http.post(address, json={"clerk": "0003", "holder": id_card(family.child)})
        assert refused.status_code == 404
