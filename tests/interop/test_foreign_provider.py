"""Login at a provider that is not ours: npm oidc-provider, through our /login and its own forms."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import msgspec
import pytest
import pytest_asyncio

from auth import oidc
from auth.oidc import RelyingParty, Returned
from core import idnumber
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.api.identity.client import answer_of, submit
from tests.interop.test_node_clients import SCRIPTS, run, told

pytestmark = pytest.mark.interop

PACKAGE = "oidc-provider@9.13.3"
WHO = f"王芳|{idnumber.complete('99000019900101009')}"
_MOST_PAGES = 15


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the provider and its package."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NOT RUN: no node or npm on PATH")
    here = tmp_path_factory.mktemp("provider")
    shutil.copy(SCRIPTS / "provider.mjs", here)
    (here / "package.json").write_text('{"private": true, "type": "module"}')
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", PACKAGE]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"NOT RUN: npm could not install {PACKAGE}: {done.stderr[-300:]}")
    return here


@pytest_asyncio.fixture
async def party(server: Server, place: Path) -> AsyncIterator[RelyingParty]:
    """We, at the foreign provider; our /login goes there for the length of a test."""
    back = f"{server.base_url}/login/callback"
    client = {"client_id": "city", "client_secret": "made-up-secret", "redirect_uri": back}
    process = await run(place, "provider.mjs", client)
    issuer = (await told(process))["issuer"]
    state = server.application.state
    state["relying_party"] = RelyingParty(oidc.Provider(issuer, client["client_id"], client["client_secret"], back))
    yield state["relying_party"]
    del state["relying_party"]  # made anew, for the demo's provider, when somebody logs in
    process.terminate()
    await process.wait()


async def walk(browser: httpx2.AsyncClient, address: str, *, until: str) -> tuple[httpx2.Response, list[str]]:
    """Fill in forms and follow redirects until an address begins with `until`; the last answer, the forms seen."""
    answer, forms = await browser.get(address), list[str]()
    for _ in range(_MOST_PAGES):
        if answer.is_redirect:
            target = answer.url.join(answer.headers["location"])
            if str(target).startswith(until):
                return answer, forms
            answer = await browser.get(target)
            continue
        asks = 'name="login"' in answer.text
        forms.append("login" if asks else "consent")
        answer = await submit(browser, answer, **({"login": WHO, "password": "x"} if asks else {}))
    raise AssertionError(answer.text)


class TestLogin:
    """Our /login at oidc-provider."""

    async def test_in_and_step_up(self, server: Server, party: RelyingParty) -> None:
        """A person comes by its forms; prompt=login shows its login form again, though its session lives."""
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=30) as browser:
            back = f"{server.base_url}/login/callback"
            landed, forms = await walk(browser, "/login?return_to=/v1/me", until=back)
            assert forms[0] == "login"
            entered = await browser.get(landed.url.join(landed.headers["location"]))
            assert (entered.status_code, entered.headers["location"]) == (303, "/v1/me")
            me = (await browser.get("/v1/me")).json()
            assert (me["name"], me["assurance"]) == ("王*", 3)
            _, forms = await walk(browser, "/login?prompt=login&return_to=/v1/me", until=back)
            assert forms[0] == "login"

    async def test_what_does_not_hold(self, server: Server, party: RelyingParty) -> None:
        """A code that comes twice, another nonce, another issuer, a login older than asked: each is refused."""
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=30) as browser:

            async def fresh() -> Returned:
                begun = await party.begin()
                landed, _ = await walk(browser, begun.address, until=party.provider.redirect_uri)
                given = answer_of(landed)
                assert given["iss"] == party.provider.issuer
                return Returned(given["code"], given["iss"], begun.nonce, begun.verifier, begun.since)

            good = await fresh()
            assert (await party.verify(good)).subject == WHO
            with pytest.raises(oidc.LoginFailed):
                await party.verify(good)
            for changed in (
                {"nonce": "other"},
                {"iss": "https://evil.example"},
                {"iss": None},
                {"verifier": "x" * 64},
                {"since": good.since + 9 * 3600},
            ):
                with pytest.raises(oidc.LoginFailed):
                    await party.verify(msgspec.structs.replace(await fresh(), **changed))
