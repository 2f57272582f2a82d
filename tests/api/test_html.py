"""Every HTML answer that we give, whoever asks: a strict policy, nothing inline, nothing from another host."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from litestar.routes import HTTPRoute

from api.requests import content_policy
from api.tool import registration
from tests.api.conftest import Server
from tests.api.pagereader import Browser, read
from tests.api.test_consoles import PERK, Owner
from tests.api.test_desk import SCOPES, Office, log_in

FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "object": "data", "video": "src"}


def loose(answer: httpx2.Response) -> list[str]:
    """What in an answer is not as strict as it should be."""
    page, policy = read(answer.text), answer.headers["content-security-policy"]
    wrong = [] if policy.startswith(content_policy().partition("frame-ancestors")[0]) else [policy]
    for one in page:
        wrong += [f"{one.tag} {name}" for name in one.attributes if name == "style" or name.startswith("on")]
        address = one.attributes.get(FETCHED.get(one.tag, ""), "")
        if address and not re.match("/(?!/)|data:", address):
            wrong.append(address)
        if one.tag == "style" or (one.tag == "script" and one.text):
            wrong.append(one.tag)
    return wrong


@pytest_asyncio.fixture(scope="module")
async def everybody(server: Server) -> AsyncIterator[dict[str, Browser]]:
    """Nobody, a citizen who takes part, a partner's console, and a clerk at the desk."""
    made = {"nobody": Browser(server), "citizen": Browser(server)}
    await made["citizen"].join(server.person())
    shop = await registration.add(
        server.house.settings, client_id="strict-shop", role="partner", name="书店",
        scopes=["eligibility:check", "orders:write"], perks=[PERK],
    )  # fmt: skip
    desk = await registration.add(
        server.house.settings, client_id="strict-office", role="staff", name="信用办",
        scopes=["staff:clerks", *SCOPES, "staff:counter"],
    )  # fmt: skip
    async with (
        httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(shop), timeout=30) as partner,
        httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(desk), timeout=30) as system,
    ):
        made["console"] = await Owner(server, partner, shop).browser()
        clerk = made["clerk"] = Browser(server)
        await clerk.go("/desk/join")
        secret = await Office(server, system).link("8001", *SCOPES, "staff:counter")
        await clerk.submit(action="/desk/join", secret=secret)
        await log_in(clerk, server.person())
        yield made
    for one in made.values():
        await one.http.aclose()


def addresses(server: Server) -> list[str]:
    """Every address that answers GET, its parameters filled in; the pages of the API's tool have their own policy."""
    found = {one.path for one in server.application.routes if isinstance(one, HTTPRoute) and "GET" in one.methods}
    return sorted(re.sub(r"\{[^}]+\}", "x", one) for one in found if not one.startswith(("/docs", "/static")))


class TestEveryPage:
    """GET, everywhere."""

    @pytest.mark.parametrize("who", ["nobody", "citizen", "console", "clerk"])
    async def test_it_is_strict(self, server: Server, everybody: dict[str, Browser], who: str) -> None:
        """Whether it is a page, a way in or a refusal; the API's addresses are asked by nobody alone."""
        wrong: dict[str, list[str]] = {}
        pages = 0
        for path in addresses(server):
            if who != "nobody" and path.startswith(("/v1", "/oauth", "/.well-known")):
                continue
            answer = await everybody[who].http.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
            if answer.headers.get("content-type", "").startswith("text/html"):
                pages += 1
                if found := loose(answer):
                    wrong[path] = found
        assert wrong == {}
        assert pages > 10, who
