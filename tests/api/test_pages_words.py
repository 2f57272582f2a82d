"""The words of the pages: nothing that a citizen reads is a code, and dates never break."""

import ast
from datetime import UTC, date, datetime

import pytest

from api.pages import advice, words
from core.settings import ROOT

_NOBODYS = (
    "measures.",
    "release.",
    "client.",
    "epoch.",
    "keys.",
    "audit.",
    "assessment.",
    "incident.",
    "perk.",
    "workdays.",
    "rehearsal.",
    "statistics.",
)
_THEIRS = ("incident.notify", "audit.search", "staff.refused")  # of such acts, what a person reads
_ROOMS = ("core", "auth", "scoring", "incentives", "api")


def constants(keyword: str) -> set[str]:
    """Every literal that our code gives to a keyword of this name."""
    found: set[str] = set()
    for file in (path for room in _ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == keyword and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return found


def is_chinese(text: str) -> bool:
    """Whether the text has a Chinese letter."""
    return any("一" <= letter <= "鿿" for letter in text)


class TestEveryCodeHasWords:
    """What the rooms write into a citizen's log is readable on the page."""

    def test_acts(self) -> None:
        """Every `action=` about a citizen; acts on the rule book, keys and log concern nobody."""
        acts = {one for one in constants("action") if "." in one and not one.startswith(_NOBODYS)} | {*_THEIRS}
        assert {one for one in acts if not is_chinese(words.act(one))} == set()

    def test_outcomes(self) -> None:
        """Every `outcome=`."""
        assert {one for one in constants("outcome") if not is_chinese(words.outcome(one))} == set()

    def test_moves(self) -> None:
        """Every `cause=` of a change of points has its own words."""
        general = words.move("something new")[0]
        assert {one for one in constants("cause") if words.move(one)[0] == general} == set()

    @pytest.mark.parametrize("state", ["active", "hidden", "disputed", "repaired", "revoked"])
    def test_states_of_records(self, state: str) -> None:
        """As the table's check names them."""
        assert is_chinese(words.status(state))

    def test_advice_leads_on(self) -> None:
        """Any problem, even a new one, says what to do and leads somewhere."""
        for code in ("not_granted", "something_new"):
            assert advice.on(code).links
            assert is_chinese(advice.on(code).step)


class TestDates:
    """Days and instants in words."""

    def test_an_instant_is_told_in_the_citys_zone(self) -> None:
        """Eight hours after UTC."""
        told = words.moment(datetime(2026, 3, 1, 17, 5, tzinfo=UTC))
        assert "2026年3月2日 01:05" in told

    def test_prose_keeps_its_words_and_escapes_them(self) -> None:
        """ISO dates become elements that do not break; everything else is text."""
        told = words.prose("<b>到2027-05-01可得3分")
        assert told == f"&lt;b&gt;到{words.day(date(2027, 5, 1))}可得3分"

    def test_prose_leaves_what_is_no_day(self) -> None:
        """2027-13-45 is nobody's date."""
        assert words.prose("文号2027-13-45") == "文号2027-13-45"


class TestContacts:
    """How to reach somebody."""

    def test_a_telephone_number_never_breaks(self) -> None:
        """The number in a span of its own, the rest as text."""
        assert words.dial("电话 12345-9 <窗口>") == '电话 <span class="num">12345-9</span> &lt;窗口&gt;'


class TestNumbers:
    """Points and changes."""

    def test_changes_have_their_sign(self) -> None:
        """With a real minus; nothing for nothing."""
        assert [words.change(one) for one in (0.5, -2.0, 0.0)] == ["+0.5", "−2.0", "0.0"]
