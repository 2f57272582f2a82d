"""The pages in English: every word of ours has its English, and what stays Chinese says so."""

import ast
import itertools
import re
import tomllib

import jinja2
import pytest

from api.pages import accesses, acts, advice, english, forms, orders, places, reports, rights, words
from core.settings import ROOT
from scoring.rights import disputing
from tests.api.conftest import Server
from tests.api.pagereader import Browser, Element
from tests.api.test_pages import MEMBER_PAGES, PERK, check_frame

TEMPLATES = ROOT / "api/pages/templates"
ENGLISH = ROOT / "api/pages/english"
SPOKEN = {str(one.relative_to(TEMPLATES)) for one in TEMPLATES.rglob("*.html")} - english.PAPER
MODULES = {
    "api/workpages.py",
    *(
        str(one.relative_to(ROOT))
        for room in ("pages", "desk", "console")
        for one in (ROOT / "api" / room).rglob("*.py")
    ),
} - {"api/pages/english.py"}


def chinese(source: str) -> set[str]:
    """The Chinese strings of a module, as they stand; what an f-string holds is {}."""
    nodes = list(ast.walk(ast.parse(source)))
    apart = {id(one.value) for one in nodes if isinstance(one, ast.Expr)}  # docstrings
    found: set[str] = set()
    for one in nodes:
        if isinstance(one, ast.JoinedStr):
            apart |= {id(each) for each in one.values}
            found.add("".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in one.values))
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in apart:
            found.add(one.value)
    return set(filter(english.is_chinese, found))


def numbered(text: str) -> str:
    """As a key of the catalogue: what it holds is {1}, {2}."""
    turn = itertools.count(1)
    return re.sub(r"\{[a-z]*\}", lambda _: f"{{{next(turn)}}}", text)


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

    @pytest.mark.parametrize("name", sorted(SPOKEN))
    def test_every_word_of_a_template_is_in_it(self, name: str) -> None:
        """Texts, attributes and strings in expressions, of every template there is but paper."""
        lacking: list[str] = []
        english.template_in_english((TEMPLATES / name).read_text(), lacking.append)
        assert lacking == []

    def test_a_new_template_is_walked_and_paper_exists(self) -> None:
        """Every set of pages is among them, and nothing is called paper that is not there."""
        assert {"score.html", "console/home.html", "desk/home.html", "counter.html", "embed.html"} <= SPOKEN
        assert all((TEMPLATES / name).exists() for name in english.PAPER)

    @pytest.mark.parametrize("name", sorted(MODULES))
    def test_every_word_of_a_module_of_pages_is_in_it(self, name: str) -> None:
        """Each Chinese string in the code of citizens' pages, the counter, the console and the desk; paper's apart."""
        if name == "api/pages/forms.py":  # an empty form is paper; its titles are held below
            return
        found = chinese((ROOT / name).read_text())
        assert [one for one in found if {english.lookup(one), english.lookup(numbered(one))} == {None}] == []

    @pytest.mark.parametrize("name", sorted(SPOKEN))
    def test_a_notice_says_that_it_is_chinese(self, name: str) -> None:
        """Wherever the whole text is shown."""
        for line in (TEMPLATES / name).read_text().splitlines():
            assert "notice_html }}" not in line or 'lang="zh-CN"' in line

    def test_no_script_has_words_of_its_own(self) -> None:
        """A page hands them over in its own language."""
        for script in (ROOT / "api/pages/static").glob("*.js"):
            assert not re.search("[\u4e00-\u9fff]", script.read_text()), script.name

    def test_nothing_in_it_is_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each sentence stands in a template or in the code, or names a place; run-time words may come from below."""
        wanted: set[str] = set()
        files = ("pages", "console", "desk", "assisted", "more")
        ours = {one for name in files for one in tomllib.loads((ENGLISH / f"{name}.toml").read_text())}
        monkeypatch.setattr(english, "catalogue", dict)
        for name in SPOKEN:
            english.template_in_english((TEMPLATES / name).read_text(), wanted.add)
        for name in MODULES:
            found = chinese((ROOT / name).read_text())
            wanted |= found | {numbered(one) for one in found}
        listed = {one.name for one in (*places.MAIN, *places.MORE)}
        assert {one for one in ours - wanted - listed if english.is_chinese(one)} == set()

    def test_no_sentence_is_translated_twice(self) -> None:
        """Between files, the last would win in silence."""
        every = [one for file in ENGLISH.glob("*.toml") for one in tomllib.loads(file.read_text())]
        assert sorted({one for one in every if every.count(one) > 1}) == []

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

    @pytest.mark.parametrize(("value", "said"), [("1", "1 hour"), ("24", "24 hours")])
    def test_a_number_has_its_word(self, value: str, said: str) -> None:
        """At run time as in a template."""
        assert english.lookup(f"{value}小时") == said
        made = english.template_in_english("<p>{{ n }}小时</p>", pytest.fail)
        environment = jinja2.Environment(autoescape=True)
        environment.filters["said"] = english.said
        assert environment.from_string(made).render(n=int(value)) == f"<p>{said}</p>"

    def test_somebodys_many_marks_cost_no_time(self) -> None:
        """A text that fits many sentences in many ways is answered at once: it is looked at part by part, once each."""
        asked: list[str] = []

        class Counted(dict[str, str]):
            def get(self, key: str, default: str | None = None) -> str | None:  # pyright: ignore[reportIncompatibleMethodOverride]  (counts what is asked)
                asked.append(key)
                return default

        text = "甲，乙：丙；丁。" * 30
        assert english.lookup(text, Counted()) is None
        assert len(asked) < len(text) ** 2 / 10
        assert english.lookup("甲，" * 200, Counted()) is None

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
            "/points",
            "/points/cases",
            "/points/cases/city-card-pass",
            "/plates",
            "/recognition",
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
