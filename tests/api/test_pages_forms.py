"""Forms on paper: for everybody, empty, and the same on the screen as from the printer."""

import pytest

from api.pages.forms import FORMS
from tests.api.conftest import Server
from tests.api.pagereader import Browser


class TestForms:
    """`/forms`."""

    async def test_every_form_is_a_tap_away(self, server: Server) -> None:
        """Without a login, from the welcome page on."""
        browser = Browser(server)
        assert [one for one in (await browser.go("/")).all("a") if one.attributes["href"] == "/forms"]
        page = await browser.go("/forms")
        opened = [one.attributes["href"] for one in page.all("a", _class="button plain small")]
        assert opened == [f"/forms/{kind}" for kind in FORMS]
        await browser.http.aclose()

    @pytest.mark.parametrize("kind", list(FORMS))
    async def test_a_form_asks_for_a_signature_and_no_number(self, server: Server, kind: str) -> None:
        """One sheet with its title, and nothing about anybody; the ID number stays on the card."""
        browser = Browser(server)
        page = await browser.go(f"/forms/{kind}")
        sheet = page.all("article", _class="card paper")[0]
        assert sheet.all("h1")[0].text == FORMS[kind].title
        assert "签名" in sheet.text
        assert "身份证号不用写在纸上" in sheet.text
        await browser.http.aclose()

    async def test_joining_on_paper_has_the_whole_notice(self, server: Server) -> None:
        """The text in force, its digest, and every source, the optional ones with boxes."""
        browser = Browser(server)
        page = await browser.go("/forms/join")
        notice = (await browser.http.get("/v1/rules/notices/score/1")).json()
        assert notice["digest"] in page.text
        assert "18岁以前的事一律不计" in page.all("div", _class="whole")[0].text
        assert "□ 图书馆" in page.text
        assert (await browser.http.get("/forms/nothing")).status_code == 404
        await browser.http.aclose()
