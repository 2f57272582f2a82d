"""The page of recognition: from the choice of a city to the wallet, without scripts."""

import re

import httpx2

from tests.api.conftest import Server
from tests.api.pagereader import Browser
from tests.walletapp import Wallet


class TestRecognition:
    """`/recognition`."""

    async def test_a_city_is_chosen_agreed_to_and_fetched(self, server: Server) -> None:
        """Notice, consent, picture and digits; a wallet takes them; the page counts; withdrawing ends it."""
        browser = Browser(server)
        await browser.join(server.person())
        page = await browser.go("/recognition")
        (choose,) = page.all("a", _class="button plain", href="/recognition/agree?city=990100")
        page = await browser.go(choose.attributes["href"])
        assert "不提供您的分数" in page.all("div", _class="text")[0].text.replace(" ", "")
        page = await browser.submit(action="/recognition/agree")
        assert "已同意" in page.text
        page = await browser.submit(action="/recognition/offers")
        assert page.all("svg")
        (letters,) = page.all("p", _class="letters")
        assert re.fullmatch(r"[0-9]{6}", letters.text)
        uri = next(one.attributes["href"] for one in page.all("a") if "openid-credential" in one.attributes["href"])
        async with httpx2.AsyncClient(timeout=30) as http:
            assert len(await Wallet(http, server.base_url).copies(uri, letters.text, 5)) == 5
        page = await browser.go("/recognition")
        assert "5 份可用" in page.text
        page = await browser.go(page.all("a", _class="button stop")[0].attributes["href"])
        assert "示范邻市" in page.text
        await browser.submit(action=browser.answer.url.path)
        assert "您没有同意这座城市" in (await browser.go("/recognition")).text
        await browser.http.aclose()

    async def test_without_points_it_says_so(self, server: Server) -> None:
        """No offer is drawn, and the page says why; an unknown city is absent."""
        browser = Browser(server)
        await browser.log_in(server.person())
        assert "没有可以证明的内容" in (await browser.go("/recognition")).text
        assert (await browser.http.get("/recognition/agree?city=110000")).status_code == 404
        await browser.http.aclose()
