"""What is grave needs somebody who has just proved who they are (RFC 9470)."""

import uuid
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.identity import stepup
from api.tool.signing import Signer, fresh_key
from auth import assurance
from auth.tables import session as table
from core import clock, ids
from tests.api.identity.app import APP, BASE, World
from tests.api.identity.client import App, answer_of, follow, log_in, submit
from tests.api.identity.test_guards import later

GRAVE = "/v1/me/grave"


async def act(browser: httpx2.AsyncClient) -> httpx2.Response:
    """The grave act, from our page."""
    return await browser.post(GRAVE, headers={"X-CSRF-Token": browser.cookies["osm_csrf"]})


async def again(browser: httpx2.AsyncClient, login: str, address: str) -> httpx2.Response:
    """Log in anew where a refusal says."""
    form = await follow(browser, await browser.get(address))
    return await follow(browser, await submit(browser, form, login=login, password=f"pw-{login}"))


class TestLevels:
    """`stepup.must_be_fresh` by itself."""

    @pytest.mark.parametrize(("acr", "passes"), [(1, False), (2, False), (3, True)])
    def test_level(self, acr: int, passes: bool) -> None:  # noqa: FBT001
        """A fresh login of a lower level is not enough."""
        caller = guards.Citizen(ids.new(), "app", acr, clock.wall(), b"")
        if passes:
            stepup.must_be_fresh(caller)
        else:
            with pytest.raises(stepup.StaleLogin):
                stepup.must_be_fresh(caller)
        stepup.must_be_fresh(caller, acr=acr)

    @pytest.mark.parametrize("claim", [None, 3, "3", "urn:cc:acr:4", "URN:CC:ACR:3", ["urn:cc:acr:3"]], ids=repr)
    def test_one_form_on_the_wire(self, claim: object) -> None:
        """A level is its URN; anything else is no level at all."""
        assert assurance.level(claim) == 0
        assert [assurance.level(assurance.urn(one)) for one in (1, 2, 3)] == [1, 2, 3]


class TestCookie:
    """The citizens' page."""

    async def test_stale_then_fresh(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Within ten minutes it is done; later the answer says where to log in again, and after that it is done."""
        browser = world.browser()
        await log_in(browser, "anna")
        assert (await act(browser)).status_code == 200
        later(monkeypatch, 605)
        assert (await browser.get("/v1/me")).status_code == 200
        later(monkeypatch, 5)
        refused = await act(browser)
        said = refused.json()
        assert (refused.status_code, said["code"]) == (401, "insufficient_user_authentication")
        assert (said["acr_values"], said["max_age"]) == ("urn:cc:acr:3", 600)
        assert said["login"] == "/login?prompt=login&return_to=%2Fv1%2Fme"
        assert (await again(browser, "anna", said["login"])).status_code == 200
        assert (await act(browser)).status_code == 200

    async def test_pages(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page sends to the login and comes back to where it was; a form to the page that it names."""
        browser = world.browser()
        await log_in(browser, "anna")
        later(monkeypatch, 700)
        answer = await browser.get("/grave", params={"about": "me"})
        assert answer.headers["location"] == "/login?prompt=login&return_to=%2Fgrave%3Fabout%3Dme"
        form = await browser.post("/grave", data={"csrf": browser.cookies["osm_csrf"]})
        assert (form.status_code, form.headers["location"]) == (303, "/login?prompt=login&return_to=%2Fgrave")
        assert (await again(browser, "anna", form.headers["location"])).text == "done"

    async def test_the_session_before_ends(self, world: World) -> None:
        """A new proof makes a new session; the older cookie is dead."""
        browser = world.browser()
        await log_in(browser, "anna")
        before = browser.cookies["osm_session"]
        await again(browser, "anna", stepup.address("/v1/me"))
        assert browser.cookies["osm_session"] != before
        assert (await world.browser().get("/v1/me", headers={"Cookie": f"osm_session={before}"})).status_code == 401


class TestApp:
    """A citizens' app."""

    async def test_the_challenge(self, world: World) -> None:
        """A token of an old login is told level and age in WWW-Authenticate; an app has its own way to log in."""
        app = App(world.browser(), Signer(fresh_key(), client_id="app", issuer=BASE), APP)
        me = (await log_in(app.browser, "anna")).json()["id"]
        app.caller.adopt((await app.redeem(await app.code())).json())
        assert (await app.caller.request("POST", GRAVE)).status_code == 200
        await world.operate(lambda owner: age(owner, uuid.UUID(me), timedelta(minutes=11)))
        late = App(app.browser, app.caller.signer, APP)
        late.caller.adopt((await late.redeem(await late.code())).json())
        refused = await late.caller.request("POST", GRAVE)
        challenge = refused.headers["www-authenticate"]
        assert refused.status_code == 401
        assert challenge.startswith('DPoP error="insufficient_user_authentication", ')
        assert ', acr_values="urn:cc:acr:3", max_age="600", algs="' in challenge
        assert "login" not in refused.json()

    async def test_the_way_out(self, world: World) -> None:
        """A request with the challenge's acr_values and max_age leads over a new login to a token that passes."""
        app = App(world.browser(), Signer(fresh_key(), client_id="app", issuer=BASE), APP)
        me = uuid.UUID((await log_in(app.browser, "anna")).json()["id"])
        wanted = {"acr_values": "urn:cc:acr:3", "max_age": "600"}
        shown = await app.page(request_uri=(await app.push(**wanted)).json()["request_uri"])
        assert shown.status_code == 200
        await world.operate(lambda owner: age(owner, me, timedelta(minutes=11)))
        late = await submit(app.browser, shown, decision="allow")
        assert late.headers["location"].startswith("/login?prompt=login&return_to=%2Foauth%2Fauthorize")
        page = await follow(app.browser, await app.browser.get(shown.url))
        assert page.url.path == "/idp/authorize"
        page = await follow(app.browser, await submit(app.browser, page, login="anna", password="pw-anna"))
        app.caller.adopt(
            (await app.redeem(answer_of(await submit(app.browser, page, decision="allow"))["code"])).json()
        )
        assert (await app.caller.request("POST", GRAVE)).status_code == 200

    @pytest.mark.parametrize(
        "changed",
        [{"acr_values": "3"}, {"acr_values": "urn:cc:acr:9"}, {"max_age": "-1"}, {"max_age": "soon"}],
        ids=repr,
    )
    async def test_what_cannot_be_met(self, world: World, changed: dict[str, str]) -> None:
        """A level or an age that is none is refused when it is pushed."""
        answer = await App(world.browser(), Signer(fresh_key(), client_id="app", issuer=BASE), APP).push(**changed)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def age(session: AsyncSession, citizen_id: uuid.UUID, by: timedelta) -> None:
    """Make every login of a citizen so much older."""
    own = update(table).where(table.c.citizen_id == citizen_id)
    await session.execute(own.values(auth_time=table.c.auth_time - by))
