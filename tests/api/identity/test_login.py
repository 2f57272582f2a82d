"""Login at the demo's identity provider, and out again."""

import argparse
import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest

from api import cookies
from api.identity import idp, login
from api.tool import commands
from auth import oidc
from core import idnumber
from core.settings import Settings
from tests.api.identity.app import BASE, World
from tests.api.identity.client import Form, answer_of, follow, log_in, submit


async def form_for(browser: httpx2.AsyncClient, return_to: str = "/v1/me") -> httpx2.Response:
    """The identity provider's form."""
    return await follow(browser, await browser.get("/login", params={"return_to": return_to}))


async def callback_for(browser: httpx2.AsyncClient, who: str = "anna") -> str:
    """The address that the identity provider sends the browser back to."""
    answer = await submit(browser, await form_for(browser), login=who, password=f"pw-{who}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


class TestLogin:
    """GET /login and its callback."""

    async def test_in_and_out(self, world: World) -> None:
        """A person logs in, is known, logs out, and is nobody; the session is dead on the server too."""
        browser = world.browser()
        assert (await log_in(browser, "anna")).status_code == 200
        kept = browser.cookies["osm_session"]
        answer = await browser.post("/logout", data={"csrf": browser.cookies["osm_csrf"]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert answer.headers["clear-site-data"] == '"cache", "storage"', "nothing is left on a shared computer"
        assert "osm_session" not in browser.cookies
        assert (await world.browser().get("/v1/me", headers={"Cookie": f"osm_session={kept}"})).status_code == 401

    async def test_the_cookie(self, world: World) -> None:
        """Host-only, HttpOnly, SameSite=Lax, for the whole origin; not kept by caches."""
        browser = world.browser()
        answer = await browser.get(await callback_for(browser))
        assert answer.status_code == 303
        assert answer.headers["cache-control"] == "no-store"
        cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("osm_session="))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie

    async def test_a_live_session_is_not_asked_again(self, world: World) -> None:
        """Somebody who is logged in goes straight on."""
        browser = world.browser()
        await log_in(browser, "anna")
        answer = await browser.get("/login", params={"return_to": "/v1/me"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/v1/me")

    async def test_logging_out_needs_the_csrf_token(self, world: World) -> None:
        """Nobody logs somebody else out; without a session there is nothing to do."""
        browser = world.browser()
        await log_in(browser, "anna")
        assert (await browser.post("/logout")).status_code == 403
        assert (await browser.get("/v1/me")).status_code == 200
        assert (await world.browser().post("/logout")).status_code == 303

    async def test_login_csrf(self, world: World) -> None:
        """A login begun in one browser cannot be finished in another."""
        attacker, victim = world.browser(), world.browser()
        address = await callback_for(attacker)
        await form_for(victim)
        assert (await victim.get(address)).status_code == 400
        assert "osm_session" not in victim.cookies

    async def test_fixation(self, world: World) -> None:
        """A login makes a new session, and ends the one that the browser had."""
        browser = world.browser()
        await log_in(browser, "anna")
        first = browser.cookies["osm_session"]
        address = await callback_for(other := world.browser(), "bo")
        other.cookies.set("osm_session", first)
        await other.get(address)
        assert (await world.browser().get("/v1/me", headers={"Cookie": f"osm_session={first}"})).status_code == 401
        chosen = world.browser()
        answer = await chosen.get(await callback_for(chosen), headers={"Cookie": _with(chosen, osm_session="chosen")})
        assert answer.status_code == 303
        assert chosen.cookies["osm_session"] != "chosen"

    async def test_replay(self, world: World) -> None:
        """The callback is good once."""
        browser = world.browser()
        address = await callback_for(browser)
        assert (await browser.get(address)).status_code == 303
        assert (await browser.get(address)).status_code == 400

    @pytest.mark.parametrize(
        "changed",
        [{"iss": "https://elsewhere.example"}, {"iss": ""}, {"code": "made-up"}, {"state": "made-up"}, {"code": ""}],
        ids=repr,
    )
    async def test_a_changed_answer(self, world: World, changed: dict[str, str]) -> None:
        """Another issuer (mix-up), code or state: a page, no session."""
        browser = world.browser()
        parts = urlsplit(await callback_for(browser))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
        kept = {name: value for name, value in query.items() if value}
        answer = await browser.get(parts.path, params=kept)
        assert answer.status_code == 400
        assert "osm_session" not in browser.cookies

    async def test_a_no_at_the_provider(self, world: World) -> None:
        """An error comes back as a page with the way home."""
        browser = world.browser()
        state = Form((await form_for(browser)).text).fields["state"]
        answer = await browser.get("/login/callback", params={"error": "access_denied", "state": state})
        assert answer.status_code == 400
        assert "重新登录" in answer.text

    async def test_two_logins_at_once(self, world: World) -> None:
        """Two tabs may log in side by side."""
        browser = world.browser()
        first, second = await callback_for(browser), await callback_for(browser)
        assert (await browser.get(second)).status_code == 303
        assert (await browser.get(first)).status_code in {303, 400}
        assert (await browser.get("/v1/me")).status_code == 200


class TestReturnTo:
    """Where a login leads."""

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "/\t/evil.example",
            "\\/evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/a b",
            "/ü",
            "/\r\nSet-Cookie: x=1",
            "",
            "/" + "x" * 2001,
        ],
    )
    def test_f7_nowhere_else(self, elsewhere: str) -> None:
        """F7: only a path of this origin; anything else is the first page."""
        assert login.safe_path(elsewhere) == "/"
        assert login.safe_path(None) == "/"

    @pytest.mark.parametrize("path", ["/", "/score", "/oauth/authorize?client_id=a&request_uri=urn:x%2Fy"])
    def test_a_path(self, path: str) -> None:
        """A path with its parameters is kept as it is."""
        assert login.safe_path(path) == path


class TestWho:
    """Who arrives."""

    async def test_one_person_two_accounts(self, world: World) -> None:
        """The same ID number by another account is the same citizen, and the first account still works."""
        found = [(await log_in(world.browser(), who)).json()["id"] for who in ("anna", "anna-again", "anna")]
        assert len(set(found)) == 1

    async def test_an_account_does_not_change_hands(self, world: World) -> None:
        """An account that comes with another ID number is refused, and nothing changes."""
        before = (await log_in(world.browser(), "bo")).json()["id"]
        people, browser = world.state["demo_accounts"], world.browser()
        place = next(number for number, one in enumerate(people) if one.login == "bo")
        honest = people[place]
        people[place] = msgspec.structs.replace(honest, id_number=idnumber.complete("99000019770707007"))
        assert (await log_in(browser, "bo")).status_code == 409
        people[place] = honest
        assert "osm_session" not in browser.cookies
        assert (await log_in(world.browser(), "bo")).json()["id"] == before

    async def test_a_number_that_cannot_exist(self, world: World) -> None:
        """An ID number with a wrong check character is no identity."""
        assert (await log_in(world.browser(), "forged")).status_code == 403

    async def test_the_young_may_log_in(self, world: World) -> None:
        """Somebody under 18 logs in, to be told why not."""
        assert (await log_in(world.browser(), "kid")).status_code == 200


class TestDeployments:
    """What differs between a demo and a city."""

    def test_the_configured_provider(self, world: World) -> None:
        """Without the embedded provider the configured one is asked, and without any there is no login."""
        city = {"base_url": "https://credit.example.city", "demo_idp": False}
        settings = msgspec.structs.replace(
            world.house.settings, **city, idp_issuer="https://id.example.city", idp_client_id="c", idp_client_secret="s"
        )
        there = login.relying_party(msgspec.structs.replace(world.house, settings=settings)).provider
        assert (there.issuer, there.client_id, there.secret) == ("https://id.example.city", "c", "s")
        assert there.redirect_uri == "https://credit.example.city/login/callback"
        nowhere = msgspec.structs.replace(settings, idp_issuer=None)
        with pytest.raises(oidc.ProviderDown):
            login.relying_party(msgspec.structs.replace(world.house, settings=nowhere))

    def test_cookies_of_a_secure_origin(self, world: World) -> None:
        """Over https every cookie is Secure and has the __Host- prefix."""
        settings = msgspec.structs.replace(world.house.settings, base_url="https://credit.example.city")
        for name in (cookies.session_name, cookies.csrf_name, cookies.login_name):
            made = cookies.cookie(settings, name(settings), "x")
            assert made.key.startswith("__Host-osm_")
            assert (made.secure, made.httponly, made.path, made.domain) == (True, True, "/", None)


class TestDemoProvider:
    """The embedded identity provider by itself."""

    def test_refuses_a_public_origin(self) -> None:
        """It is assembled on plain http and loopback only, and only when asked for."""
        settings = Settings(
            base_url="https://credit.example.city",
            database_url="",
            master_key=b"",
            epochs_file=Path("unread"),
            demo_idp=True,
        )
        with pytest.raises(idp.NotADemo):
            idp.handlers_for(settings)
        public = msgspec.structs.replace(settings, base_url="http://credit.example.city")
        with pytest.raises(idp.NotADemo):
            idp.handlers_for(public)
        assert idp.handlers_for(msgspec.structs.replace(settings, demo_idp=False)) == []

    @pytest.mark.parametrize(("host", "refused"), [("::", True), ("192.0.2.1", True), ("127.0.0.1", False)])
    def test_listens_on_loopback(self, host: str, monkeypatch: pytest.MonkeyPatch, *, refused: bool) -> None:
        """`serve` with the demo's provider starts nowhere else, whatever its origin is called."""
        for name, value in (
            ("OSMANTHUS_MASTER_KEY", "ab" * 32),
            ("OSMANTHUS_BASE_URL", BASE),
            ("OSMANTHUS_EPOCHS_FILE", "unread"),
            ("DATABASE_URL", "postgresql://unused"),
            ("OSMANTHUS_DEMO_IDP", "1"),
        ):
            monkeypatch.setenv(name, value)
        started = list[str]()
        monkeypatch.setattr("uvicorn.run", lambda *_, host, **__: started.append(host))
        chosen = argparse.Namespace(host=host, port=1, workers=1)
        if refused:
            with pytest.raises(idp.NotADemo):
                commands.serve(chosen)
        else:
            commands.serve(chosen)
        assert started == ([] if refused else [host])

    def test_only_people_with_a_login(self) -> None:
        """Of a kit's citizens, those with a login can log in; their account is their login."""
        kit: list[dict[str, Any]] = [
            {"login": "li", "password": "p", "name": "李", "id_number": "1", "note": "high", "card_no": "7"},
            {"login": None, "password": None, "name": "卡", "id_number": "2", "note": "card_only"},
            {"login": "wu", "password": "p", "name": "吴", "id_number": "3"},
        ]
        assert [(one.sub, one.note) for one in idp.accounts(kit)] == [("li", "high"), ("wu", "")]

    async def test_it_lists_its_people(self, world: World) -> None:
        """A visitor can choose a made-up person and go straight in."""
        browser = world.browser()
        page = await form_for(browser)
        assert "安娜" in page.text
        assert "虚构" in page.text
        second = page.text.split("<form")[2]
        fields = Form("<form" + second).fields
        assert (fields["login"], fields["password"]) == ("anna", "pw-anna")

    async def test_a_wrong_password(self, world: World) -> None:
        """The form again, with the login kept and no hint which of the two was wrong."""
        browser = world.browser()
        answers = [
            await submit(browser, await form_for(browser), login=who, password="wrong") for who in ("anna", "nobody")
        ]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert all("账号或密码不对" in answer.text for answer in answers)

    async def test_brute_force(self, world: World) -> None:
        """After ten wrong passwords the account is shut for five minutes, for the right one too."""
        browser = world.browser()
        form = await form_for(browser)
        for _ in range(10):
            assert (await submit(browser, form, login="locked", password="wrong")).status_code == 401
        assert (await submit(browser, form, login="locked", password="pw-locked")).status_code == 429
        assert (await submit(browser, form, login="anna", password="pw-anna")).status_code == 303

    @pytest.mark.parametrize(
        "changed",
        [
            {"client_id": "other"},
            {"redirect_uri": "https://evil.example/"},
            {"response_type": "token"},
            {"code_challenge_method": "plain"},
            {"scope": "profile"},
            {"nonce": ""},
        ],
        ids=repr,
    )
    async def test_one_client(self, world: World, changed: dict[str, str]) -> None:
        """It knows us alone, with PKCE and a nonce."""
        fields = Form((await form_for(world.browser())).text).fields
        query = {name: value for name, value in {**fields, **changed}.items() if name not in {"login", "password"}}
        assert (await world.browser().get("/idp/authorize", params=query)).status_code == 400

    async def test_its_token_endpoint(self, world: World) -> None:
        """Client secret, grant type, code and verifier are checked; a code is good once."""
        address = await callback_for(world.browser())
        form = {"grant_type": "authorization_code", "code": answer_of(_to(address))["code"], "code_verifier": "wrong"}
        ours = ("osmanthus", login.demo_secret(world.house))
        http = world.browser()
        for auth, changed, status in (
            (None, {}, 401),
            (("osmanthus", "wrong"), {}, 401),
            (ours, {"grant_type": "password"}, 400),
            (ours, {}, 400),
            (ours, {}, 400),
        ):
            answer = await http.post("/idp/token", data={**form, **changed}, auth=auth)
            assert answer.status_code == status
        bad = await http.post("/idp/token", data=form, headers={"Authorization": "Basic %%%"})
        assert bad.json()["error"] == "invalid_client"

    async def test_discovery(self, world: World) -> None:
        """Its document names itself and its keys are public."""
        document = (await world.browser().get("/idp/.well-known/openid-configuration")).json()
        assert document["issuer"] == f"{BASE}/idp"
        keys = (await world.browser().get(document["jwks_uri"])).json()["keys"]
        assert all("d" not in key for key in keys)


class TestFirstArrival:
    """The same person at two doors at once."""

    async def test_racing(self, world: World) -> None:
        """Eight first logins of one person at once make one citizen."""
        person = idp.Account("twin", "pw-twin", "s-9", "双", idnumber.complete("99000019920202007"))
        world.state["demo_accounts"].append(person)
        found = await asyncio.gather(*(log_in(world.browser(), "twin") for _ in range(8)))
        assert len({answer.json()["id"] for answer in found}) == 1


def _with(browser: httpx2.AsyncClient, **more: str) -> str:
    """The browser's cookies and some more, as a header."""
    return "; ".join(f"{name}={value}" for name, value in {**dict(browser.cookies), **more}.items())


def _to(address: str) -> httpx2.Response:
    return httpx2.Response(303, headers={"location": address})
