"""The shipped catalogue, and what a broken one is told."""

from datetime import date

import pytest

from core.policyfile import Faulty
from scoring.book import catalogue
from tests.rulebook import book, card, text

SHIPPED = text("catalogue.toml")


def broken(old: str, new: str) -> list[str]:
    """Give the faults of the shipped catalogue with a change."""
    assert old in SHIPPED
    with pytest.raises(Faulty) as caught:
        catalogue.load(SHIPPED.replace(old, new, 1), "catalogue.toml")
    return [str(fault) for fault in caught.value.faults]


class TestShipped:
    """`policy/catalogue.toml`."""

    def test_every_kind_of_the_contract_is_there(self) -> None:
        """24 kinds; blood and marrow ship disabled and sensitive."""
        kinds = book().kinds
        assert len(kinds) == 24
        assert {code for code, kind in kinds.items() if not kind.enabled} == {"P10", "P11"}
        assert {code for code, kind in kinds.items() if kind.sensitivity == "S"} == {"P10", "P11"}

    def test_what_is_enabled_is_what_the_scorecard_counts(self) -> None:
        """A kind without an indicator in force is not taken (PIPL article 6)."""
        assert book().enabled() == card().kinds()

    def test_documents_and_notices_are_asked_for_where_the_law_does(self) -> None:
        """`document` for N01-N06 and P13-P15, `notice` for every N."""
        kinds = book().kinds
        negative = {f"N0{number}" for number in range(1, 7)}
        assert {code for code, kind in kinds.items() if kind.document} == {*negative, "P13", "P14", "P15"}
        assert {code for code, kind in kinds.items() if kind.notice} == negative

    def test_every_group_has_its_kinds(self) -> None:
        """Core groups are taken or refused with the consent, optional ones by a switch each."""
        groups = {group.id: (group.core, book().kinds_of(group.id)) for group in book().groups}
        assert groups == {
            "utilities": (True, {"P01", "P02", "P03", "P07", "P21", "P22"}),
            "enforcement": (True, {"P06", "N01", "N02", "N03", "N04", "N05", "N06"}),
            "library": (False, {"P04"}),
            "volunteer": (False, {"P08", "P09"}),
            "civic": (False, {"P12", "P13", "P14", "P15", "P16", "P17"}),
        }

    @pytest.mark.parametrize(
        ("kind", "quantity", "level", "label"),
        [
            ("P01", 1, None, "2026-03 水费按时缴纳"),
            ("P08", 4, None, "2026-03-01 志愿服务 4小时"),
            ("P09", 1, 15, "2026-03-01 志愿服务荣誉：最美志愿者5级"),
            ("P13", 1, 2, "2026-03-01 见义勇为（市级）"),
            ("P16", 1, 6, "2026-03-01 农村信用积分：第六档"),
        ],
    )
    def test_a_record_is_named_from_its_plain_columns(
        self, kind: str, quantity: int, level: int | None, label: str
    ) -> None:
        """What the citizen sees in a list needs no sealed column."""
        assert book().label(kind, date(2026, 3, 1), quantity, level) == label

    def test_a_birthday_on_29_february_comes_of_age_on_the_28th(self) -> None:
        """Months are calendar months, clamped."""
        assert book().adult_on(date(2008, 2, 29)) == date(2026, 2, 28)


class TestFaults:
    """What `catalogue.load` says about a broken file."""

    def test_a_deduction_without_an_end_is_a_fault(self) -> None:
        """Every deduction must stop by itself or by a date."""
        assert any("may never end" in fault for fault in broken('ends = "removed_on"\n', ""))

    def test_a_field_that_is_not_there_is_named(self) -> None:
        """An interval may only speak of the kind's own fields."""
        faults = broken('ends = "cleared_on"', 'ends = "payed_on"')
        assert any("`payed_on` is no field of N05" in fault for fault in faults)

    def test_a_limit_beyond_the_law_does_not_load(self) -> None:
        """No hard stop after five years."""
        assert any("1 to 60" in fault for fault in broken("hard_stop = {months = 60", "hard_stop = {months = 61"))

    def test_a_label_may_not_show_a_sealed_field(self) -> None:
        """Labels are made from plain columns only."""
        assert any("account is no placeholder" in fault for fault in broken("{month} 水费", "{account} 水费"))

    def test_a_kind_stands_once(self) -> None:
        """Two kinds with one code are a fault."""
        assert any("listed twice" in fault for fault in broken('code = "P02"', 'code = "P01"'))
