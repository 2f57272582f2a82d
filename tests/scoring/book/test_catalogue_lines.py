"""One source line: every code of the contract, decided by the line alone."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import idnumber
from scoring.book.lines import Accepted, Rejected
from tests.rulebook import book, reader

TODAY = date(2026, 11, 22)
NUMBER = idnumber.complete("99000019900101001")
GONE = object()
USCC = "91350100M000100Y43"
BILL = {"account": "7", "period": "2026-10", "on_time": True}
PENALTY: dict[str, Any] = {
    "kind": "N01",
    "occurred_on": "2026-04-01",
    "document": {"no": "1", "authority": "x", "effective_on": "2026-05-01"},
    "notice": {"no": "2", "served_on": "2026-05-09"},
    "fields": {"class": "fine", "clause": "1", "severity": "general", "procedure": "ordinary"},
}


def line(**changes: Any) -> dict[str, Any]:
    """Give a good water bill with changes; GONE removes a member."""
    made = {
        "ref": "r-1",
        "version": 1,
        "kind": "P01",
        "id_number": NUMBER,
        "occurred_on": "2026-11-03",
        "fields": BILL,
        **changes,
    }
    return {key: value for key, value in made.items() if value is not GONE}


def read(raw: bytes, permitted: frozenset[str] | None = None) -> Accepted | Rejected:
    """Read one line."""
    kinds = book().enabled() if permitted is None else permitted
    return reader().read(raw, permitted=kinds, received_on=TODAY)


def send(**changes: Any) -> Accepted | Rejected:
    """Send a line with changes."""
    return read(json.dumps(line(**changes), ensure_ascii=False).encode())


def code(**changes: Any) -> str:
    """Give the code of a rejected line, empty when it is accepted."""
    found = send(**changes)
    return found.code if isinstance(found, Rejected) else ""


def taken(**changes: Any) -> Accepted:
    """Give an accepted line."""
    found = send(**changes)
    assert isinstance(found, Accepted), found
    return found


class TestCodes:
    """Each code of the contract has its line."""

    @pytest.mark.parametrize(
        ("expected", "changes"),
        [
            ("unknown_kind", {"kind": "Z99"}),
            ("kind_not_permitted", {"kind": "P10", "fields": {"units": 1, "component": "plasma"}}),
            ("unknown_field", {"colour": 1}),
            ("unknown_field", {"fields": {**BILL, "colour": 1}}),
            ("unknown_field", {"document": {"colour": 1}}),
            ("prohibited_field", {"fields": {**BILL, "income": 1}}),
            ("bad_id_number", {"id_number": NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")}),
            ("bad_id_number", {"id_number": 7}),
            ("bad_id_number", {"id_number": idnumber.complete("00000019900101001")}),
            ("bad_id_number", {"id_number": idnumber.complete("99000019900230001")}),
            ("minor", {"id_number": idnumber.complete("99000020081104001")}),
            ("minor", {"id_number": idnumber.complete("99000020081101001"), "fields": {**BILL, "period": "2026-09"}}),
            ("missing_document", {**PENALTY, "document": GONE}),
            ("missing_document", {**PENALTY, "document": {"no": "1", "authority": "x"}}),
            ("missing_notice", {**PENALTY, "notice": GONE}),
            ("missing_notice", {**PENALTY, "notice": {"no": "2"}}),
            ("simple_procedure", {**PENALTY, "fields": {**PENALTY["fields"], "procedure": "simple"}}),
            ("nothing_to_record", {**PENALTY, "fields": {**PENALTY["fields"], "severity": "minor"}}),
            ("nothing_to_record", {"fields": {**BILL, "on_time": False}}),
            ("future_date", {"occurred_on": "2026-11-23"}),
            ("future_date", {"fields": {**BILL, "period": "2026-12"}}),
            ("future_date", {**PENALTY, "document": {**PENALTY["document"], "effective_on": "2026-12-01"}}),
            ("future_date", {**PENALTY, "notice": {**PENALTY["notice"], "served_on": "2026-12-01"}}),
            ("malformed", {"ref": GONE}),
            ("malformed", {"ref": ""}),
            ("malformed", {"ref": "x" * 65}),
            ("malformed", {"ref": "a\u0000"}),
            ("malformed", {"version": 0}),
            ("malformed", {"version": True}),
            ("malformed", {"version": 1.0}),
            ("malformed", {"version": 2**31}),
            ("malformed", {"kind": GONE}),
            ("malformed", {"id_number": GONE}),
            ("malformed", {"subject": "0" * 64}),
            ("malformed", {"id_number": GONE, "subject": "A" * 64}),
            ("malformed", {"occurred_on": "2026-02-30"}),
            ("malformed", {"occurred_on": "20261103"}),
            ("malformed", {"occurred_on": "1899-12-31"}),
            ("malformed", {"fields": []}),
            ("malformed", {"document": 1}),
            ("malformed", {"fields": {"account": "7", "period": "2026-10"}}),
            ("malformed", {"fields": {**BILL, "account": ""}}),
            ("malformed", {"fields": {**BILL, "account": "x" * 65}}),
            ("malformed", {"fields": {**BILL, "account": "a\nb"}}),
            ("malformed", {"fields": {**BILL, "period": "2026-13"}}),
            ("malformed", {"fields": {**BILL, "on_time": "true"}}),
            ("malformed", {**PENALTY, "fields": {**PENALTY["fields"], "severity": "serious"}}),
            ("malformed", {"kind": "P08", "fields": {"project": "x", "hours": 0, "organisation": USCC}}),
            ("malformed", {"kind": "P08", "fields": {"project": "x", "hours": 25, "organisation": USCC}}),
            ("malformed", {"kind": "P08", "fields": {"project": "x", "hours": 2, "organisation": USCC[:-1] + "4"}}),
            ("malformed", {"kind": "P07", "fields": {"scheme": 1, "period": "2026-10"}}),
            ("malformed", {"kind": "P09", "fields": {"award": "star", "level": 6}}),
            ("malformed", {"kind": "P16", "fields": {"scheme": "demo-village", "period": "2026-10", "grade": 7}}),
            ("malformed", {"kind": "P16", "fields": {"scheme": "x", "period": "2026-10", "grade": 3}}),
        ],
    )
    def test_a_bad_line_has_its_code(self, expected: str, changes: dict[str, Any]) -> None:
        """The code names the cause, the detail the next step, and the reference comes back."""
        found = send(**changes)
        assert isinstance(found, Rejected)
        assert found.code == expected
        assert found.detail
        assert found.ref == ("r-1" if "ref" not in changes else None)

    def test_a_kind_that_was_not_agreed_is_refused(self) -> None:
        """The catalogue may know it; this source may not send it."""
        found = read(json.dumps(line()).encode(), frozenset({"P02"}))
        assert isinstance(found, Rejected)
        assert found.code == "kind_not_permitted"

    def test_a_late_return_is_nothing_to_record(self) -> None:
        """Neither good nor bad."""
        loan = {"loan": "1", "due_on": "2026-11-01", "returned_on": "2026-11-02"}
        assert code(kind="P04", fields=loan) == "nothing_to_record"
        assert code(kind="P04", fields={**loan, "due_on": "2026-12-24"}) == ""

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"[]",
            b"7",
            b"{",
            b'{"ref": "\xff"}',
            b'{"ref": "\\ud800"}',
            b"{} {}",
            b"[" * 100_000,
            b'{"version": 1e999}',
            b'{"version": ' + b"9" * 5_000 + b"}",
            b"\xef\xbb\xbf{}",
            b'{"ref": NaN}',
        ],
    )
    def test_what_is_no_json_object_is_malformed(self, raw: bytes) -> None:
        """Wrong encoding, cut short, too deep, too large a number: one clear answer."""
        found = read(raw)
        assert isinstance(found, Rejected)
        assert found.code == "malformed"

    def test_a_ref_names_nobody(self) -> None:
        """A ref is kept unsealed, so it may not hold the line's own ID number, however it is spelt."""
        found = send(ref=f"water-{NUMBER.lower()}-2026")
        assert isinstance(found, Rejected)
        assert (found.code, NUMBER in found.detail) == ("malformed", False)
        assert taken(ref="water-990000199001010000-2026").ref


class TestProhibited:
    """Names that may not be collected, wherever they stand."""

    @pytest.mark.parametrize("name", book().prohibited)
    def test_every_listed_name_is_found(self, name: str) -> None:
        """English and Chinese."""
        assert code(**{name: 1}) == "prohibited_field"

    @pytest.mark.parametrize(
        "name",
        [
            "bloodType",
            "Blood-Type",
            "BLOOD TYPE",
            "ｉｎｃｏｍｅ",
            "annual_income",
            "TaxAmount",
            "年收入",
            "家庭财产情况",
        ],
    )
    def test_other_spellings_are_found(self, name: str) -> None:
        """Case, hyphens, full width, and words around it hide nothing."""
        assert code(fields={**BILL, "x": [{"y": [{name: "secret"}]}]}) == "prohibited_field"

    def test_they_come_before_everything_else(self) -> None:
        """An unknown field, a bad number and a missing version beside it do not change the code."""
        assert code(colour=1, id_number="7", version=GONE, document={"gene": 1}) == "prohibited_field"

    def test_the_value_is_never_shown(self) -> None:
        """Neither value nor the sent spelling is in the detail."""
        found = send(fields={**BILL, "my_disease_is_gout": "gout"})
        assert isinstance(found, Rejected)
        assert "gout" not in found.detail

    def test_values_and_words_in_use_are_left_alone(self) -> None:
        """`social_insurance` is a scheme, not a field."""
        assert code(kind="P07", fields={"scheme": "social_insurance", "period": "2026-10"}) == ""

    def test_an_odd_name_is_not_repeated(self) -> None:
        """A name that could be a person's is not shown back."""
        found = send(**{"张三 13800000000": 1})
        assert isinstance(found, Rejected)
        assert found.code == "unknown_field"
        assert "张三" not in found.detail


class TestAccepted:
    """What comes out of a good line."""

    def test_a_bill_becomes_its_month(self) -> None:
        """`occurred_on` is the first day of `period`; the fields go into the sealed column."""
        found = taken()
        assert (found.occurred_on, found.quantity, found.level, found.from_on) == (date(2026, 10, 1), 1, None, None)
        assert found.sealed == {"fields": BILL}
        assert found.label == "2026-10 水费按时缴纳"

    def test_a_small_x_is_written_large(self) -> None:
        """There is one spelling to digest."""
        number = next(n for i in range(99) if (n := idnumber.complete(f"99000019900101{i:03d}")).endswith("X"))
        assert taken(id_number=number.lower()).id_number == number

    def test_a_subject_is_taken_without_a_number(self) -> None:
        """Then neither `minor` nor `bad_id_number` can be said."""
        found = taken(id_number=GONE, subject="a" * 64, occurred_on="1950-01-01")
        assert (found.id_number, found.subject) == (None, "a" * 64)

    def test_papers_that_a_kind_does_not_need_are_not_kept(self) -> None:
        """Minimum necessary (PIPL article 6)."""
        assert "document" not in taken(document={"no": "1"}).sealed

    @pytest.mark.parametrize(
        ("kind", "fields", "level"),
        [
            ("P09", {"award": "star", "level": 5}, 5),
            ("P09", {"award": "best", "level": 8}, 18),
            ("P09", {"award": "special", "level": 1}, 21),
            ("P16", {"scheme": "demo-village", "period": "2026-10", "grade": 3}, 3),
            ("P16", {"scheme": "demo-village", "period": "2026-10", "grade": "五星"}, 6),
        ],
    )
    def test_levels_are_numbers(self, kind: str, fields: dict[str, Any], level: int) -> None:
        """Star n is n, best 10 + n, special 20 + n; a grade is its row."""
        assert taken(kind=kind, fields=fields).level == level

    @pytest.mark.parametrize(("name", "level"), [("county", 1), ("city", 2), ("province", 3), ("nation", 4)])
    def test_honours_have_four_levels(self, name: str, level: int) -> None:
        """County 1 to nation 4."""
        found = taken(kind="P14", document=PENALTY["document"], fields={"title": "x", "level": name})
        assert (found.level, found.sealed["document"]) == (level, PENALTY["document"])


class TestIntervals:
    """From when until when a deduction counts."""

    def test_a_penalty_counts_from_service_to_twelve_months_after_effect(self) -> None:
        """The later of effect and service; Order 36 counts from the document."""
        found = taken(**PENALTY)
        assert (found.severity, found.from_on, found.until_on) == ("general", date(2026, 5, 9), date(2027, 5, 1))

    def test_five_years_after_the_act_comes_first(self) -> None:
        """A late decision does not outlive the act."""
        fields = {**PENALTY["fields"], "severity": "serious"}
        found = taken(**{**PENALTY, "kind": "N02", "occurred_on": "2024-02-29", "fields": fields})
        assert (found.severity, found.until_on) == ("serious", date(2029, 2, 28))

    def test_arrears_wait_ninety_days_and_end_when_paid(self) -> None:
        """Not before `since` + 90 days; `cleared_on` ends it."""
        fields = {"account": "7", "since": "2026-04-01"}
        found = taken(**{**PENALTY, "kind": "N05", "fields": fields})
        assert (found.from_on, found.until_on) == (date(2026, 6, 30), None)
        paid = taken(**{**PENALTY, "kind": "N05", "fields": {**fields, "cleared_on": "2026-08-01"}})
        assert paid.until_on == date(2026, 8, 1)

    def test_a_listing_counts_from_its_day_until_removal(self) -> None:
        """N03 takes `listed_on`, whatever the papers say."""
        found = taken(**{**PENALTY, "kind": "N03", "fields": {"case": "1", "listed_on": "2026-04-15"}})
        assert (found.from_on, found.until_on) == (date(2026, 4, 15), None)

    @pytest.mark.parametrize(
        ("kind", "fields"), [("N04", {"fraud": "x", "clause": "1"}), ("N06", {"commitment": "x", "finding": "y"})]
    )
    def test_fraud_lasts_three_years_and_a_broken_promise_one(self, kind: str, fields: dict[str, str]) -> None:
        """Counted from the document's effect."""
        years = {"N04": 2029, "N06": 2027}
        assert taken(**{**PENALTY, "kind": kind, "fields": fields}).until_on == date(years[kind], 5, 1)


class TestAnything:
    """No input brings the reader down."""

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
            max_leaves=12,
        )
    )
    def test_any_json_gets_an_answer(self, value: object) -> None:
        """Whatever stands in a member, the line is accepted or has a code."""
        for name in ("ref", "version", "kind", "id_number", "occurred_on", "document", "notice", "fields"):
            assert isinstance(send(**{name: value}), Accepted | Rejected)
        assert isinstance(read(json.dumps(value).encode()), Rejected)

    @given(st.binary(max_size=200))
    def test_any_bytes_get_an_answer(self, raw: bytes) -> None:
        """Bytes that are no line are malformed."""
        assert isinstance(read(raw), Rejected)
