"""`policy check`: the shipped rule book has no fault, and a broken one is explained."""

from auth import notices
from incentives import policycheck
from tests.rulebook import CARD, POLICY

ALL = policycheck.read(POLICY)
FILES = {name: text for name, text in ALL.items() if name != "cases/volunteer-ten-thousand.toml"}  # half of the time


def check(**changes: str) -> list[str]:
    """Check the shipped book with some files changed."""
    files = FILES | {name.replace("__", "/"): text for name, text in changes.items()}
    return [str(fault) for fault in policycheck.check(files, notices.load).faults]


def changed(file: str, old: str, new: str) -> list[str]:
    """Check the shipped book with one change in one file."""
    assert old in FILES[file]
    files = {**FILES, file: FILES[file].replace(old, new, 1)}
    return [str(fault) for fault in policycheck.check(files, notices.load).faults]


class TestCheck:
    """`policycheck.check`."""

    def test_the_shipped_rule_book_has_no_fault(self) -> None:
        """And the summary says how much of it is a demo, and what a partner learns."""
        report = policycheck.check(ALL, notices.load)
        assert report.faults == ()
        assert any("values are demo" in line for line in report.summary)
        assert sum("tells a partner 1 bit" in line for line in report.summary) == 15
        assert all("proved: never below a stranger" in line for line in report.summary if "tells a partner" in line)

    def test_a_map_of_recognition_is_held_to_the_perks(self) -> None:
        """What it opens to visitors is there, and is ours: it says nothing of terms, so it cannot give more."""
        assert any("recognition.toml: 990100" in line for line in policycheck.check(ALL, notices.load).summary)
        found = changed("recognition.toml", '"tourism.ticket"', '"rental.deposit-free"')
        assert any("rental.deposit-free lends or waits" in fault for fault in found)
        found = changed("recognition.toml", 'perks = ["tourism.ticket"]', 'perks = ["tourism.ticket"]\ncap = 99999')
        assert any("`cap` means nothing here" in fault for fault in found)

    def test_a_demo_value_never_passes_for_law(self) -> None:
        """A statute cited for a number that it does not set is refused, with its line."""
        after = '\n\n[[dimension.indicator]]\nid = "library"'
        law = 'basis = {kind = "law", cite = "CIR-16"}'
        found = changed(CARD, 'basis = {kind = "demo"}' + after, law + after)
        assert any("does not set `indicator.points`" in fault for fault in found)
        assert all(fault.startswith(f"{CARD}:") for fault in found if "does not set" in fault)

    def test_a_law_that_is_not_listed_is_refused(self) -> None:
        """Only the kept list can be cited."""
        assert any("not in the list of statutes" in fault for fault in changed(CARD, '"CIR-16"', '"CIR-99"'))

    def test_a_changed_number_breaks_its_cases(self) -> None:
        """A rule cannot move without its examples."""
        found = changed(CARD, "points = 0.5", "points = 0.4")
        assert any(fault.startswith("cases/one-month-water.toml:") for fault in found)

    def test_a_kind_that_is_off_may_not_be_counted(self) -> None:
        """Catalogue and scorecard are held together."""
        found = changed("catalogue.toml", 'code = "P04"', 'code = "P99"')
        assert any("P04 is counted but not in force" in fault for fault in found)

    def test_a_kind_may_not_be_counted_with_the_wrong_sign(self) -> None:
        """A positive that deducts and a negative that adds are both told."""
        swapped = FILES[CARD].replace('kinds = ["P04"]', 'kinds = ["N06"]').replace('kind = "N06"', 'kind = "P04"')
        found = check(**{CARD: swapped.replace('"N05", "N06"]', '"N05"]')})
        assert {
            code for code in ("P04", "N06") if any(f"{code} is counted with the wrong" in fault for fault in found)
        } == {
            "P04",
            "N06",
        }

    def test_a_broken_catalogue_is_said_once(self) -> None:
        """Without it neither kinds nor cases can be looked at."""
        found = check(**{"catalogue.toml": "x = 1"})
        assert any("There is no readable catalogue" in fault for fault in found)
        assert not any(fault.startswith("cases/") for fault in found)

    def test_an_undated_scheme_is_told_at_its_line(self) -> None:
        """A rural scheme is declared by somebody, from a day on."""
        found = changed("catalogue.toml", "valid_from = 2020-01-01\n", "")
        assert any(fault.startswith("catalogue.toml:") and "`valid_from` is missing" in fault for fault in found)

    def test_a_table_may_not_move_without_its_cases(self) -> None:
        """The case of a changed table says what a name was worth."""
        found = changed("catalogue.toml", '"四星", "五星", "五星标兵"', '"五星", "四星", "五星标兵"')
        assert {fault.split(":")[0] for fault in found} == {"cases/rural-edition.toml"}

    def test_a_case_that_cannot_be_read_is_a_fault(self) -> None:
        """And the others are still run."""
        found = check(**{"cases/clean-adult.toml": "title = 1"})
        assert {fault.split(":")[0] for fault in found} == {"cases/clean-adult.toml"}

    def test_a_life_that_cannot_reach_its_tier_is_a_fault(self) -> None:
        """The limit of 26 hours is computed by every check."""
        found = changed("personas.toml", "most_hours = 26", "most_hours = 5")
        assert len([fault for fault in found if fault.startswith("personas.toml")]) == 4

    def test_without_personas_the_rest_is_checked(self) -> None:
        """They are a part of the book, not a condition of it."""
        files = {name: text for name, text in FILES.items() if name != "personas.toml"}
        assert policycheck.check(files, notices.load).faults == ()

    def test_a_file_that_nobody_reads_is_a_fault(self) -> None:
        """Nothing in the rule book goes unchecked."""
        assert any("Nobody reads this file" in fault for fault in check(**{"odd.toml": ""}))

    def test_every_unreadable_file_is_reported_at_once(self) -> None:
        """One broken file does not hide another."""
        found = check(
            perks__library="", **{"perks/library.toml": "x", "notices/score-v1.zh.md": "y", "catalogue.toml": "z ="}
        )
        assert {fault.split(":")[0] for fault in found} >= {
            "perks/library.toml",
            "notices/score-v1.zh.md",
            "catalogue.toml",
        }

    def test_three_thresholds_tell_too_much(self) -> None:
        """Live perks use two thresholds at most."""
        third = FILES["perks/rental.toml"].replace("rental.deposit-free", "rental.more").replace("= 120", "= 135")
        assert any("use 3 thresholds" in fault for fault in check(**{"perks/more.toml": third}))

    def test_a_perk_stands_in_one_place(self) -> None:
        """Two files with the same perk are a fault."""
        found = check(**{"perks/again.toml": FILES["perks/rental.toml"]})
        assert any("stands in two places" in fault for fault in found)

    def test_forty_cases_are_the_least(self) -> None:
        """A rule book without examples is not checked."""
        few = {name: text for name, text in FILES.items() if not name.startswith("cases/")}
        report = policycheck.check(few, notices.load)
        assert [fault.message for fault in report.faults] == ["There are 0 cases."]


class TestLimits:
    """What the scorecard says of the length of a deduction."""

    def test_it_is_what_the_catalogue_makes_of_a_record(self) -> None:
        """Changing one of the two alone is told, with the line of the scorecard for the display limit."""
        line = (
            FILES[CARD]
            .splitlines()
            .index('display = {months = 12, anchor = "effective_on", basis = {kind = "law", cite = "O36-GENERAL"}}')
        )
        found = changed(CARD, "display = {months = 12, anchor", "display = {months = 11, anchor")
        assert any(fault.startswith(f"{CARD}:{line + 1}: `display` of n01 is 11 months") for fault in found)
        found = changed("catalogue.toml", "hard_stop = {months = 60", "hard_stop = {months = 59")
        assert any("`hard_stop` of n01 is 60 months, the catalogue says 59" in fault for fault in found)
