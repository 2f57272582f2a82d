"""The pages in English: every word of ours has its English, and what stays Chinese says so."""

import tomllib

import pytest

from api.pages import accesses, acts, advice, english, forms, orders, places, reports, rights, words
from core.settings import ROOT
from scoring.rights import disputing
from tests.api.conftest import Server
from tests.api.pagereader import Browser, Element
from tests.api.test_pages import MEMBER_PAGES, PERK, check_frame

TEMPLATES = ROOT / "api/pages/templates"


def unmarked(element: Element) -> list[str]:
    """The Chinese that a reader of English meets outside what is marked as Chinese."""
    if element.attributes.get("lang") == "zh-CN":
        return []
    found: list[str] = []
    for one in element.children:
        if isinstance(one, Element):
            found += unmarked(one)
        elif english.is_chinese(one) and element.tag != "option":
            found.append(one.strip())
    shown = ("aria-label", "alt", "data-left", "data-over", "data-paused", "placeholder")
    values = [value for name, value in element.attributes.items() if name in shown and "Enter as" not in value]
    return found + [value for value in values if english.is_chinese(value)]  # a person's name is a name


class TestCatalogue:
    """`english/*.toml`."""

    @pytest.mark.parametrize("name", sorted(english.PAGES | english.PARTS))
    def test_every_word_of_a_template_is_in_it(self, name: str) -> None:
        """Texts, attributes and strings in expressions."""
        lacking: list[str] = []
        english.template_in_english((TEMPLATES / name).read_text(), lacking.append)
        assert lacking == []

    def test_nothing_in_it_is_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each sentence of `pages.toml` stands in a template, or names a place."""
        wanted: set[str] = set()
        monkeypatch.setattr(english, "catalogue", dict)
        for name in english.PAGES | english.PARTS:
            english.template_in_english((TEMPLATES / name).read_text(), wanted.add)
        listed = {one.name for one in (*places.MAIN, *places.MORE)}
        ours = tomllib.loads((ROOT / "api/pages/english/pages.toml").read_text())
        assert {one for one in set(ours) - wanted - listed if english.is_chinese(one)} == set()

    def test_every_list_of_words_has_its_english(self) -> None:
        """Outcomes, states, causes of a move, reasons, places: whatever our own lists may say to a person."""
        told = {
            *words.EVERY,
            *orders.EVERY,
            *reports.PARTS.values(),
            *rights.ABOUT.values(),
            *disputing.REASONS.values(),
            *accesses.WHO,
            *(one.name for one in (*places.MAIN, *places.MORE)),
            *(one.title for one in forms.FORMS.values()),
            *(one.lead for one in forms.FORMS.values()),
            *(each.chinese for each in (*disputing.DISPUTE.states, *disputing.DISPUTE.events)),
        }
        assert {one for one in told if english.lookup(one) is None} == set()

    def test_acts_and_advice_have_theirs_nearly_all(self) -> None:
        """They grow with every part of the house; a new one is Chinese, and marked so, until somebody translates it."""
        advised = [advice.on(code) for code in advice.CODES]
        told = {
            *acts.ACTS.values(),
            *(text for one in advised for text in (one.title, one.cause, one.step)),
            *(name for one in advised for _, name in one.links),
        }
        assert len([one for one in told if english.lookup(one) is None]) < len(told) / 10


class TestWords:
    """`english.lookup` and what prints."""

    def test_a_sentence_takes_what_is_in_it_along(self) -> None:
        """By its pattern, the inside in English too, and in the order of the English."""
        assert english.lookup("离“银”还差10.0分") == "10.0 points to “Silver”"
        assert english.lookup("80元") == "80 yuan"
        day = words.prose(str(english.lookup("2027-03-01起这一项变为9.5分")), english.FILTERS["day"])
        assert day == 'This becomes 9.5 points on <time datetime="2027-03-01">1 March 2027</time>'
        assert english.lookup("认定异议成立（工作人员）") == "upheld (staff)"

    def test_what_nobody_translated_stays_and_says_so(self) -> None:
        """Marked as Chinese between tags, as it is in an attribute; what is not Chinese is left alone."""
        assert english.said("某市决定<b>") == '<span lang="zh-CN">某市决定&lt;b&gt;</span>'
        assert english.plainly("某市决定") == "某市决定"
        assert [english.said(one) for one in ("abc", 5)] == ["abc", 5]

    def test_a_template_keeps_its_expressions(self) -> None:
        """In another order, with their strings, in attributes too."""
        source = '<p title="以{{ a }}的身份进入">离“{{ a }}”还差{{ b | points }}分</p>{{ "扣分" if c else "" }}'
        lacking: list[str] = []
        made = english.template_in_english(source, lacking.append)
        assert lacking == []
        assert made == (
            '<p title="Enter as {{ (a) | plainly }}">{{ (b | points) | said }} points to “{{ (a) | said }}”</p>'
            '{{ ("Deductions" if c else "") | said }}'
        )


class TestPages:
    """`?lang=en`."""

    async def test_every_page_speaks_english_and_marks_what_does_not(self, server: Server) -> None:
        """No Chinese outside of what is marked so; the choice is remembered; the way back is on every page."""
        browser = Browser(server)
        await browser.go("/?lang=en")
        assert browser.page.all("html")[0].attributes["lang"] == "en"
        assert unmarked(browser.page) == []
        assert unmarked(await browser.go("/login?return_to=/")) == []
        await browser.join(server.person(), "library")
        more = (
            "/orders",
            "/cards",
            "/rights",
            "/rights/leave",
            "/reports",
            "/sessions",
            "/changes",
            "/forms",
        )
        for path in (*MEMBER_PAGES, *more):
            page = await browser.go(path)
            check_frame(browser.answer, page, lang="en")
            assert unmarked(page) == [], path
        assert unmarked(await browser.go("/verify")) == []
        await browser.go(f"/code?perk={PERK}")
        assert unmarked(await browser.submit(action="/code")) == []
        back = (await browser.go("/")).all("a", _class="mode", lang="zh-CN")[0]
        assert back.text == "中文"
        page = await browser.go("/" + back.attributes["href"])
        assert page.all("html")[0].attributes["lang"] == "zh-CN"
        await browser.http.aclose()

    async def test_the_notice_and_reasons_stay_chinese_and_say_so(self, server: Server) -> None:
        """A legal text has one wording; the names of the rule book are in its own English."""
        browser = Browser(server)
        await browser.go("/?lang=en")
        page = await browser.log_in(server.person())
        assert page.all("div", role="region")[0].attributes["lang"] == "zh-CN"
        page = await browser.submit(action="/consents")
        assert "Public good" in page.text
        reasons = [one.text for one in page.all("span", lang="zh-CN")]
        assert any("最近" in one for one in reasons)
        await browser.http.aclose()

    async def test_paper_stays_chinese(self, server: Server) -> None:
        """What is printed for the counter is for the counter."""
        browser = Browser(server)
        page = await browser.go("/forms/dispute?lang=en")
        assert page.all("html")[0].attributes["lang"] == "zh-CN"
        await browser.http.aclose()
