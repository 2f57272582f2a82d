"""Who may call what: every operation of `/openapi.json` × every kind of caller. Generated: a new one is judged too."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.routes import HTTPRoute

from api import app as assembly
from core.settings import Settings
from tests.api.cast import Cast, gathered
from tests.api.conftest import (
    Server,
    server,  # noqa: F401  (the fixture; tests here ask for it by name)
)
from tests.api.contract import AUDIENCES, Operation, fault, operations

STRANGERS = ("anonymous", "citizen", "partner", "source", "staff", "citycard", "other staff", "idle partner", "cookie")
WHOSE = {"cookie": "citizen", "other staff": "", "idle partner": ""}  # a scope of another kind opens no door at all
BAD_BODY = {"content": b"{", "headers": {"Content-Type": "application/json"}}  # who is not let in learns nothing of it


@pytest_asyncio.fixture(scope="module")
async def cast(server: Server) -> AsyncIterator[Cast]:  # noqa: F811  (the fixture of this name)
    """Everybody, at a server of these tests."""
    async with gathered(server, "who") as everybody:
        yield everybody


@pytest_asyncio.fixture(scope="module")
async def every(cast: Cast) -> list[Operation]:
    """Every operation under /v1."""
    document = (await cast.clients["anonymous"].get("/openapi.json")).json()
    return [each for each in operations(document) if each.template.startswith("/v1")]


def routes(application: Litestar) -> Iterator[tuple[str, str]]:
    """(method, template) of every route of an application, described or not."""
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            for method in route.methods - {"OPTIONS", "HEAD"}:
                yield method, route.path


class TestMatrix:
    """Every caller at every door."""

    async def test_every_address_belongs_to_an_audience(self, every: list[Operation]) -> None:
        """An address under /v1 that nobody owns would not be judged below: its prefix must be on the list."""
        assert [each.name for each in every if "/".join(each.template.split("/")[:3]) not in AUDIENCES] == []

    async def test_no_route_under_v1_is_left_out_of_the_document(self, cast: Cast, every: list[Operation]) -> None:
        """What is not described is not judged, so everything is described."""
        application: Litestar = cast.server.application
        bare = {(method, _shape(path)) for method, path in routes(application) if path.startswith("/v1")}
        assert bare == {(each.method, _shape(each.template)) for each in every}

    @pytest.mark.parametrize("who", STRANGERS)
    async def test_nobody_passes_another_ones_door(self, cast: Cast, every: list[Operation], who: str) -> None:
        """401 for nobody, 403 `insufficient_scope` for somebody else, before a byte of the body is judged."""
        wrong = []
        for each in every:
            if each.audience in {"public", WHOSE.get(who, who)}:
                continue
            answer = await cast.clients[who].request(each.method, each.path(), **BAD_BODY)
            nameless = who in {"anonymous", "cookie"}  # a citizen's cookie means nothing at the other doors
            expected = (401, "unauthenticated") if nameless else (403, "insufficient_scope")
            if fault(answer) or (answer.status_code, answer.json()["code"]) != expected:
                wrong.append((each.name, answer.status_code, answer.text))
            if "dpop" not in answer.headers.get("www-authenticate", "").lower():
                wrong.append((each.name, "no challenge", ""))
        assert wrong == []

    @pytest.mark.parametrize("who", ["citizen", "partner", "source", "staff", "citycard", "anonymous"])
    async def test_everybody_passes_their_own(self, cast: Cast, every: list[Operation], who: str) -> None:
        """Neither 401 nor 403: the matrix above refuses for the right reason."""
        whose = {"anonymous": "public"}.get(who, who)
        own = [each for each in every if each.audience == whose and each.method != "DELETE"]
        answers = {each.name: await cast.clients[who].request(each.method, each.path(), **BAD_BODY) for each in own}
        assert own
        assert {name: got.text for name, got in answers.items() if got.status_code in {401, 403, 500}} == {}


class TestCookies:
    """What a citizen's browser may do by its cookie."""

    async def test_reading_needs_no_more(self, cast: Cast, every: list[Operation]) -> None:
        """Every GET of /v1/me answers the cookie's citizen."""
        for each in every:
            if each.audience == "citizen" and each.method == "GET":
                assert (await cast.clients["cookie"].get(each.path())).status_code in {200, 404}, each.name

    @pytest.mark.parametrize("sign", ["nothing", "another token", "another site", "another origin"])
    async def test_changing_needs_a_token_of_our_page(self, cast: Cast, every: list[Operation], sign: str) -> None:
        """403 `csrf_failed` for every unsafe operation, without the token or from elsewhere."""
        browser = cast.clients["cookie"]
        csrf = browser.cookies.get("osm_csrf")
        headers = {
            "nothing": {},
            "another token": {"X-CSRF-Token": "x" * 43},
            "another site": {"X-CSRF-Token": str(csrf), "Sec-Fetch-Site": "cross-site"},
            "another origin": {"X-CSRF-Token": str(csrf), "Origin": "https://elsewhere.example"},
        }[sign]
        assert csrf
        unsafe = [each for each in every if each.audience == "citizen" and each.method != "GET"]
        for each in unsafe:
            answer = await browser.request(each.method, each.path(), headers=headers, json={})
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), each.name
        assert unsafe

    async def test_the_token_opens(self, cast: Cast) -> None:
        """With it, from our page, the same request is judged by its body."""
        browser = cast.clients["cookie"]
        headers = {"X-CSRF-Token": str(browser.cookies.get("osm_csrf")), "Sec-Fetch-Site": "same-origin"}
        answer = await browser.post("/v1/me/credit-code", json={}, headers=headers)
        assert answer.status_code == 422


class TestPages:
    """The pages, which are not in the document."""

    async def test_a_page_shows_strangers_nothing(self, cast: Cast) -> None:
        """GET leads to the login or says so; POST changes nothing."""
        open_to_all = {"/", "/receipt", "/verify", "/docs", "/openapi.json", "/metrics", "/login", "/login/callback"}
        open_to_all |= {"/forms", "/forms/{kind:str}"}  # empty forms for the counter
        open_to_all |= {"/points", "/points/cases", "/points/cases/{name:str}"}  # the rules, and made-up people
        open_to_all.add("/neighbour/status-lists/1")  # of the made-up city beside a sandbox
        open_to_all |= {"/status-lists"}  # where lists are, that say nothing of anybody
        open_to_all |= {"/counter", "/counter/open"}  # where a shop's link is used; without one they show a form
        open_to_all |= {"/console", "/console/open"}  # the same for a partner's console
        open_to_all |= {
            "/desk/login",
            "/desk/join",
            "/desk/callback",
        }  # where a clerk's link is used; a login that nobody began
        application: Litestar = cast.server.application
        for method, template in routes(application):
            if template.startswith(("/v1", "/idp", "/docs", "/oauth", "/.well-known", "/healthz", "/oid4vci")):
                continue
            if template in open_to_all:
                continue
            path = template.replace(":str}", "}")
            path = Operation(method, path, {}).path()
            answer = await cast.clients["anonymous"].request(method, path)
            assert answer.status_code in {303, 401, 403, 404}, (method, template, answer.status_code)
            if answer.is_redirect:
                assert answer.headers["location"].startswith(("/login", "/")), template

    async def test_a_post_by_cookie_needs_our_form(self, cast: Cast) -> None:
        """No page changes anything without the form's token."""
        application: Litestar = cast.server.application
        # /verify changes nothing; counters, consoles and desks have cookies and forms of their own, and tests of these:
        # tests/api/test_counters.py, test_consoles.py, test_desk.py; wallets have questions and tokens
        pages = [
            path
            for method, path in routes(application)
            if method == "POST"
            and not path.startswith(("/v1", "/idp", "/oauth", "/oid4v", "/verify", "/counter", "/console", "/desk"))
        ]
        for template in pages:
            path = Operation("POST", template.replace(":str}", "}"), {}).path()
            answer = await cast.clients["cookie"].post(path, data={"csrf": "x"})
            assert answer.status_code == 403, (template, answer.status_code)
        assert len(pages) >= 5


class TestAssembly:
    """What a deployment that is no demo must not have."""

    def test_a_public_deployment_has_no_made_up_people_and_no_sandbox(self, cast: Cast) -> None:
        """Without the demo's settings there is neither /idp nor /v1/sandbox."""
        settings = cast.server.house.settings
        plain = Settings(
            base_url="https://credit.example", database_url=settings.database_url, master_key=settings.master_key,
            epochs_file=settings.epochs_file,
        )  # fmt: skip
        paths = {path for _, path in routes(assembly.build(plain))}
        assert [path for path in paths if path.startswith(("/idp", "/v1/sandbox"))] == []


def _shape(template: str) -> str:
    """A template without the types of its parameters."""
    return template.replace(":str}", "}").replace(":int}", "}")
