"""Occupational records are a class of their own: no rule, no ledger and no paper mixes them with points."""

from datetime import date
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policyfile import Faulty
from scoring.book import catalogue, scorecard
from scoring.book.classes import is_occupational
from scoring.points.facts import RecordRow, facts
from scoring.reports import career, careerpaper
from scoring.reports.career import Content
from scoring.reports.paper import Holder
from tests.rulebook import CARD, book, card, evaluator, text
from tests.scoring.records import ADULT, AS_OF, RECORDS

CODES = ("O01", "O02", "O03", "O04", "O05")
DAY = date(2026, 11, 22)


class TestCatalogue:
    """The reader."""

    def test_the_shipped_kinds_are_apart(self) -> None:
        """None of them is among the kinds that may be taken for points."""
        assert tuple(book().occupational) == CODES
        assert not any(map(is_occupational, book().kinds))
        assert set(book().career().kinds) == set(CODES)

    @pytest.mark.parametrize(("old", "new"), [('code = "P15"', 'code = "O15"'), ('code = "O01"', 'code = "P91"')])
    def test_a_kind_in_the_wrong_class_is_refused(self, old: str, new: str) -> None:
        """An O among the kinds of points, or another letter among the occupational ones."""
        with pytest.raises(Faulty) as refused:
            catalogue.load(text("catalogue.toml").replace(old, new), "catalogue.toml")
        assert any("begin with O" in fault.message for fault in refused.value.faults)

    def test_a_deduction_of_the_class_ends_after_five_years_at_the_latest(self) -> None:
        """And shows for twelve months, the strictest limit (Order 36; CIR article 16)."""
        for kind in book().occupational.values():
            if not kind.positive:
                assert kind.interval is not None
                assert (kind.interval.stop_months, kind.interval.hard_stop_months) == (12, 60)
                assert (kind.document, kind.notice) == (True, True)


class TestScorecard:
    """The loader."""

    @pytest.mark.parametrize("old", ['"P15"', 'kind = "N01"', 'kind = "N03"'])
    def test_a_scorecard_that_names_one_is_refused(self, old: str) -> None:
        """As an indicator, as a deduction, as a hold."""
        changed = text(CARD).replace(old, old.replace(old[-4:-1], "O04"))
        assert changed != text(CARD)
        with pytest.raises(Faulty) as refused:
            scorecard.load(changed, CARD)
        assert any("occupational and never counts" in fault.message for fault in refused.value.faults)

    def test_the_shipped_one_names_none(self) -> None:
        """Whatever counts is not of the class."""
        assert not any(map(is_occupational, card().kinds()))


class TestPoints:
    """The evaluator."""

    @settings(max_examples=60, deadline=None)
    @given(RECORDS, st.lists(st.sampled_from(CODES), max_size=5))
    def test_points_are_equal_with_and_without_them(self, records: list[RecordRow], codes: list[str]) -> None:
        """Even if rows of the class came into a ledger, every part of the points would be what it was."""
        row = RecordRow("x", "P01", "s", DAY, 1, 4, "serious", DAY, None, "active")
        strange = [msgspec.structs.replace(row, id=f"o{at}", kind=code) for at, code in enumerate(codes)]
        alone = evaluator()(facts(records), ADULT, AS_OF)
        assert evaluator()(facts([*records, *strange]), ADULT, AS_OF).columns() == alone.columns()


class TestKeepUntil:
    """How long a record stands on a report."""

    def test_a_window_a_limit_or_no_end(self) -> None:
        """An honour ten years, a penalty until its interval is over, a licence for good."""
        kinds = book().career()
        plain = Content("O01", DAY, 1, None, None, None, {})
        assert career.keep_until(kinds, plain) is None
        assert career.keep_until(kinds, msgspec.structs.replace(plain, kind="O03")) == date(2036, 11, 22)
        penalty = msgspec.structs.replace(plain, kind="O04", from_on=DAY, until_on=date(2027, 11, 22))
        assert career.keep_until(kinds, penalty) == date(2027, 11, 22)


class TestPaper:
    """What stands on the report."""

    def test_without_records_it_says_so(self) -> None:
        """And says nothing of points."""
        one = careerpaper.of_career(
            careerpaper.Choice(), Holder("王小明", "王*明"), [], names={}, issuer="x", issued_on=DAY, valid_until=DAY
        )
        assert [part.note for part in one.parts] == ["没有可以显示的记录。"]
        assert "分数" not in msgspec.json.encode(one).decode()

    def test_kinds_stand_in_order_with_the_papers_behind_them(self) -> None:
        """The document's authority and number, and who sent it."""
        paper = {"no": "1号", "authority": "卫健委"}
        rows = [
            SimpleNamespace(
                source="s", name=name, label=name, content=Content(kind, DAY, 1, None, None, None, {}, paper)
            )
            for kind, name in (("O03", "荣誉"), ("O01", "资格"))
        ]
        one = careerpaper.of_career(
            careerpaper.Choice(), Holder("王小明", "王*明"), rows, names={"s": "来源"}, issuer="x", issued_on=DAY,
            valid_until=DAY,
        )  # fmt: skip
        assert [part.title for part in one.parts] == ["资格", "荣誉"]
        assert (one.parts[0].rows[0].value, one.parts[0].rows[0].note) == ("来源", "卫健委 1号")
