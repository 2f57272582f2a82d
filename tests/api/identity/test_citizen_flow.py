"""A citizens' app gets a token: PAR, login, the citizen's decision, the code. F numbers: FAPI 2.0, point by point."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from api.tool.signing import Signer, fresh_key
from core import clock
from tests.api.identity.app import APP, BASE, World
from tests.api.identity.client import App, answer_of, follow, log_in, pkce, submit

OTHER = "http://127.0.0.1:9999/back?from=city"


def app_of(world: World, client_id: str = "app", redirect_uri: str = APP) -> App:
    """An app with a fresh key, beside a fresh browser."""
    return App(world.browser(), Signer(fresh_key(), client_id=client_id, issuer=BASE), redirect_uri)


async def ready(world: World) -> App:
    """An app beside a browser in which Anna is logged in."""
    app = app_of(world)
    await log_in(app.browser, "anna")
    return app


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of an OAuth error."""
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


class TestTheWholeWay:
    """From the app's first request to /v1/me."""

    async def test_a_citizen_lets_an_app_in(self, world: World) -> None:
        """PAR, login at the provider on the way, yes, code, DPoP-bound token, /v1/me."""
        app = app_of(world)
        pushed = (await app.push()).json()
        query = {"client_id": "app", "request_uri": pushed["request_uri"]}
        form = await follow(app.browser, await app.browser.get("/oauth/authorize", params=query))
        assert urlsplit(str(form.url)).path == "/idp/authorize"
        page = await follow(app.browser, await submit(app.browser, form, login="anna", password="pw-anna"))
        given = answer_of(await submit(app.browser, page, decision="allow"))
        answer = await app.redeem(given["code"])
        assert answer.status_code == 200, answer.text
        app.caller.adopt(answer.json())
        app.browser.cookies.clear()
        assert (await app.caller.get("/v1/me")).json()["client_id"] == "app"

    async def test_f21_f25_the_answer(self, world: World) -> None:
        """F21, F24, F25: 303 to the registered address with code, state and iss."""
        app = await ready(world)
        answer = await submit(app.browser, await app.page(), decision="allow")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"{APP}?")
        given = answer_of(answer)
        assert set(given) == {"code", "state", "iss"}
        assert (given["state"], given["iss"]) == (app.state, BASE)

    async def test_f21_no(self, world: World) -> None:
        """F21: the answer to a no is access_denied, with state and iss, and the request is used up."""
        app = await ready(world)
        page = await app.page()
        assert answer_of(await submit(app.browser, page, decision="deny")) == {
            "error": "access_denied",
            "state": app.state,
            "iss": BASE,
        }
        assert (await submit(app.browser, page, decision="allow")).status_code == 400

    async def test_an_address_with_a_query_and_no_state(self, world: World) -> None:
        """The registered address keeps its own parameters; a state that was not sent does not come back."""
        app = app_of(world, "other-app", OTHER)
        await log_in(app.browser, "anna")
        pushed = (await app.push(state=None)).json()
        query = {"client_id": "other-app", "request_uri": pushed["request_uri"]}
        page = await app.browser.get("/oauth/authorize", params=query)
        given = answer_of(await submit(app.browser, page, decision="allow"))
        assert set(given) == {"from", "code", "iss"}


class TestPush:
    """Pushed authorization requests (F16 to F20, F22, F26, F28)."""

    async def test_f26(self, world: World) -> None:
        """F26: 201, a request_uri that nobody guesses, less than ten minutes."""
        answer = await app_of(world).push()
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["expires_in"] < 600
        assert len(answer.json()["request_uri"].rpartition(":")[2]) >= 43

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "unsupported_response_type"),
            ({"redirect_uri": None}, "invalid_request"),
            ({"redirect_uri": OTHER}, "invalid_request"),
            ({"redirect_uri": f"{APP}/"}, "invalid_request"),
            ({"redirect_uri": f"{APP}?x=1"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"scope": "me records:write"}, "invalid_scope"),
            ({"request_uri": "urn:x"}, "invalid_request"),
            ({"request": "x.y.z"}, "invalid_request"),
            ({"authorization_details": '[{"type":"unknown"}]'}, "invalid_authorization_details"),
            ({"resource": "https://elsewhere.example"}, "invalid_target"),
            ({"state": "x" * 513}, "invalid_request"),
            ({"dpop_jkt": "x" * 43}, "invalid_request"),
        ],
        ids=repr,
    )
    async def test_refused(self, world: World, changed: dict[str, str | None], code: str) -> None:
        """F15, F19, F20, F22: only code, S256, an exact registered address, our scopes; nothing nested."""
        assert refusal(await app_of(world).push(**changed)) == (400, code)

    async def test_f28_a_nonce(self, world: World) -> None:
        """F28: a nonce of 64 characters is taken."""
        assert (await app_of(world).push(nonce="n" * 64)).status_code == 201

    async def test_a_confidential_client_must_prove_itself(self, world: World) -> None:
        """Naming a partner is not enough, and a source asks no citizen at all."""
        assert refusal(await app_of(world, "library").push()) == (401, "invalid_client")
        assert refusal(await app_of(world, "nobody").push()) == (401, "invalid_client")
        form = {"response_type": "code", "redirect_uri": APP, "code_challenge": pkce()[1]}
        assert refusal(await world.caller("water").post_signed("/oauth/par", form)) == (400, "unauthorized_client")

    async def test_f12_a_key_by_name(self, world: World) -> None:
        """F12: dpop_jkt binds the code as well as a proof does; with neither there is no request."""
        app = await ready(world)
        form = {
            "client_id": "app",
            "response_type": "code",
            "redirect_uri": APP,
            "code_challenge": app.challenge,
            "code_challenge_method": "S256",
        }
        named = await app.browser.post("/oauth/par", data={**form, "dpop_jkt": app.caller.signer.jkt})
        assert named.status_code == 201
        assert refusal(await app.browser.post("/oauth/par", data=form)) == (400, "invalid_dpop_proof")
        query = {"client_id": "app", "request_uri": named.json()["request_uri"]}
        page = await app.browser.get("/oauth/authorize", params=query)
        code = answer_of(await submit(app.browser, page, decision="allow"))["code"]
        assert (await app.redeem(code)).status_code == 200


class TestPage:
    """The page that asks the citizen (F17, F27)."""

    async def test_f27_it_says_who_and_what(self, world: World) -> None:
        """F27: the client's name, where it lives, and what it will be able to do; not to be framed or kept."""
        page = await (await ready(world)).page()
        assert page.status_code == 200
        assert "市民应用 app" in page.text
        assert "https://app.example.city" in page.text
        assert "查看和办理您本人的桂花分事务" in page.text
        assert "form-action 'self' https://app.example.city;" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"

    async def test_loading_does_not_use_up(self, world: World) -> None:
        """FAPI 2.0 note 3: a page loaded in advance spends nothing; the decision does, once."""
        app = await ready(world)
        page = await app.page()
        again = await app.browser.get(page.url)
        assert again.status_code == 200
        assert (await submit(app.browser, again, decision="allow")).status_code == 303
        assert (await submit(app.browser, page, decision="allow")).status_code == 400
        assert (await app.browser.get(page.url)).status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            {"client_id": "app", "response_type": "code", "redirect_uri": APP},
            {"client_id": "app", "request_uri": "urn:ietf:params:oauth:request_uri:made-up"},
            {"client_id": "app"},
            {},
        ],
        ids=repr,
    )
    async def test_f17_without_par(self, world: World, query: dict[str, str]) -> None:
        """F7, F17: without a pushed request there is a page, and nobody is sent anywhere."""
        app = await ready(world)
        answer = await app.browser.get("/oauth/authorize", params=query)
        assert answer.status_code == 400
        assert "location" not in answer.headers

    async def test_another_clients_request(self, world: World) -> None:
        """A request_uri belongs to the client that pushed it; asking for it as another leaves it alone."""
        app = await ready(world)
        request_uri = (await app.push()).json()["request_uri"]
        as_other = {"client_id": "other-app", "request_uri": request_uri}
        assert (await app.browser.get("/oauth/authorize", params=as_other)).status_code == 400
        token = {"csrf": app.browser.cookies["osm_csrf"], "decision": "allow"}
        assert (await app.browser.post("/oauth/authorize", data={**as_other, **token})).status_code == 400
        assert (await app.browser.get("/oauth/authorize", params={**as_other, "client_id": "app"})).status_code == 200

    async def test_the_decision_needs_session_and_csrf_token(self, world: World) -> None:
        """Nobody decides for somebody else."""
        app = await ready(world)
        page = await app.page()
        assert (await submit(app.browser, page, decision="allow", csrf="made-up")).status_code == 403
        assert (await submit(world.browser(), page, decision="allow")).status_code == 401
        assert (await submit(app.browser, page, decision="allow")).status_code == 303


class TestCode:
    """Authorization codes (F11, F12, F23)."""

    async def test_f23_replay_takes_the_token_back(self, world: World) -> None:
        """F23: a code is good once; when it comes again, what it gave is revoked."""
        app = await ready(world)
        code = await app.code()
        app.caller.adopt((await app.redeem(code)).json())
        app.browser.cookies.clear()
        assert (await app.caller.get("/v1/me")).status_code == 200
        assert refusal(await app.redeem(code)) == (400, "invalid_grant")
        assert (await app.caller.get("/v1/me")).status_code == 401

    async def test_f23_racing(self, world: World) -> None:
        """F23: of 64 at once, one wins."""
        app = await ready(world)
        code = await app.code()
        answers = await asyncio.gather(*(app.redeem(code) for _ in range(64)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 63
        assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}

    async def test_f11_a_minute(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """F11: after 60 seconds it is nothing; a used one is still known, and takes its token back."""
        app = await ready(world)
        late, used = await app.code(), await app.code()
        given = (await app.redeem(used)).json()
        now = clock.wall
        monkeypatch.setattr(clock, "wall", lambda: now() + timedelta(seconds=61))
        app.caller.signer.proof = _ahead(app.caller.signer, 61)  # type: ignore[method-assign]
        assert refusal(await app.redeem(late)) == (400, "invalid_grant")
        assert refusal(await app.redeem(used)) == (400, "invalid_grant")
        app.caller.adopt(given)
        app.browser.cookies.clear()
        assert (await app.caller.get("/v1/me")).status_code == 401

    @pytest.mark.parametrize(
        "changed",
        [
            {"code": "made-up"},
            {"redirect_uri": f"{APP}/"},
            {"code_verifier": "x" * 43},
            {"code_verifier": "short"},
            {"code_verifier": "ü" * 43},
        ],
        ids=repr,
    )
    async def test_what_it_is_bound_to(self, world: World, changed: dict[str, str]) -> None:
        """Address and verifier are those of the request; a wrong try leaves the code alone."""
        app = await ready(world)
        code = await app.code()
        assert refusal(await app.redeem(**{"code": code, **changed})) == (400, "invalid_grant")
        assert (await app.redeem(code)).status_code == 200

    @pytest.mark.parametrize("name", ["code", "code_verifier"])
    async def test_missing(self, world: World, name: str) -> None:
        """Code and verifier are required."""
        assert refusal(await app_of(world).redeem(**{"code": "x", name: ""})) == (400, "invalid_request")

    async def test_f12_another_key(self, world: World) -> None:
        """F12: a stolen code with its verifier is worth nothing without the key."""
        app, thief = await ready(world), app_of(world)
        code = await app.code()
        thief.verifier = app.verifier
        assert refusal(await thief.redeem(code)) == (400, "invalid_grant")
        assert (await app.redeem(code)).status_code == 200

    async def test_another_client(self, world: World) -> None:
        """A code belongs to the client that asked."""
        app = await ready(world)
        code = await app.code()
        other = App(app.browser, Signer(fresh_key(), client_id="other-app", issuer=BASE), OTHER)
        assert refusal(await other.redeem(code)) == (400, "invalid_grant")


def _ahead(signer: Signer, seconds: int) -> Any:
    """The signer's `proof`, by a clock that is `seconds` ahead."""
    made = signer.proof

    def proof(method: str, url: str, **claims: Any) -> str:
        return made(method, url, **{"iat": int(time.time()) + seconds, **claims})

    return proof
