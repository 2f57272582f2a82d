"""`policy check` and `score explain` from the command line."""

import json
import shutil
from pathlib import Path

import pytest

from api import cli
from core.settings import ROOT

BILL = {
    "ref": "a",
    "version": 1,
    "kind": "P01",
    "subject": "0" * 64,
    "occurred_on": "2026-10-20",
    "fields": {"account": "A", "period": "2026-10", "on_time": True},
}


class TestPolicyCheck:
    """`osmanthus policy check`."""

    def test_the_shipped_rule_book_is_well(self, capsys: pytest.CaptureFixture[str]) -> None:
        """No fault, and the summary goes to standard error."""
        assert cli.main(["policy", "check"]) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert "cases: " in said.err

    def test_a_fault_is_told_with_file_and_line_and_fails(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A slip in one file is found, and exit 0 is only for success."""
        book = tmp_path / "policy"
        shutil.copytree(ROOT / "policy", book)
        (book / "perks" / "library.toml").write_text("id = 3\n")
        assert cli.main(["policy", "check", str(book)]) == 1
        assert "perks/library.toml:1: " in capsys.readouterr().out

    def test_a_folder_that_is_not_there_is_one_sentence(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The folder is named."""
        assert cli.main(["policy", "check", str(tmp_path / "none")]) == 1
        assert "none is no directory" in capsys.readouterr().err


class TestScoreExplain:
    """`osmanthus score explain`."""

    def run(self, tmp_path: Path, *lines: dict[str, object], as_of: str = "2026-11-22") -> int:
        """Explain these lines of somebody born in 1990."""
        file = tmp_path / "lines.ndjson"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return cli.main(["score", "explain", str(file), "--born", "1990-01-01", "--as-of", as_of])

    def test_lines_become_points(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One month's bill is half a point above a clean adult's 110."""
        assert self.run(tmp_path, BILL) == 0
        assert json.loads(capsys.readouterr().out)["points"] == 110.5

    def test_only_the_highest_version_of_a_line_counts(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A corrected line replaces the one before, in whatever order they come."""
        corrected = BILL | {"version": 2, "fields": {"account": "A", "period": "2026-09", "on_time": True}}
        assert self.run(tmp_path, corrected, BILL) == 0
        assert json.loads(capsys.readouterr().out)["points"] == 110.5

    def test_a_line_that_is_not_taken_is_told_with_its_number_and_fails(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The rest is still explained."""
        assert self.run(tmp_path, BILL, BILL | {"ref": "b", "kind": "P99"}) == 1
        said = capsys.readouterr()
        assert json.loads(said.out)["points"] == 110.5
        assert "lines.ndjson:2: unknown_kind: " in said.err

    def test_a_day_without_a_scorecard_is_one_sentence(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The next step is said."""
        assert self.run(tmp_path, BILL, as_of="2019-01-01") == 1
        assert "pass --scorecard FILE" in capsys.readouterr().err
