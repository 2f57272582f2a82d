"""A pass from files: the evaluator's integers, whatever the files look like and however often it was interrupted."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.settings import ROOT
from scoring.batch import citywide, engines, manifest
from scoring.batch.citywide import Pass
from scoring.batch.files import InputFault
from tests.rulebook import CARD, POLICY, card
from tests.scoring.batch.test_plan import AS_OF, ledgers

PEOPLE = ledgers.people(5, AS_OF, 60)
Make = Callable[..., Pass]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write the files of sixty people, ordered by a column, and ask for a pass over them."""

    def make(*, by: str = "subject", register: pa.Table | None = None, engine: str = "polars", rows: int = 300) -> Pass:
        records, everybody = ledgers.tables(PEOPLE)
        pq.write_table(records.sort_by(by), tmp_path / "records.parquet", row_group_size=100)
        pq.write_table(everybody if register is None else register, tmp_path / "register.parquet", row_group_size=20)
        return Pass(
            records=tmp_path / "records.parquet", register=tmp_path / "register.parquet", card=card(), as_of=AS_OF,
            engine=engine, out=tmp_path / "out.parquet", rows=rows,
        )  # fmt: skip

    return make


class TestRun:
    """`citywide.run`."""

    @pytest.mark.parametrize("engine", ["duckdb", "polars"])
    @pytest.mark.parametrize("by", ["subject", "quantity"])
    def test_the_file_holds_what_the_evaluator_says(self, make: Make, by: str, engine: str) -> None:
        """Clustered by subject or not, in several ranges, sorted by subject; nothing else is left behind."""
        wanted = make(by=by, engine=engine)
        done = citywide.run(wanted)
        expected = ledgers.evaluated(card(), PEOPLE, AS_OF)
        assert pq.read_table(wanted.out).to_pylist() == expected
        assert (done.citizens, done.kept) == (len(expected), 0)
        assert done.ranges > 1
        assert {path.name for path in wanted.out.parent.iterdir()} == {
            "records.parquet", "register.parquet", "out.parquet"
        }  # fmt: skip

    def test_finished_ranges_are_kept(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """What broke off goes on where it was, with the same result."""
        wanted = make()
        whole = citywide.run(wanted)
        expected = wanted.out.read_bytes()
        wanted.out.unlink()
        keep = manifest.keep

        def break_off(place: Path, number: int, table: pa.Table) -> None:
            if number == 2:
                raise KeyboardInterrupt
            keep(place, number, table)

        monkeypatch.setattr(manifest, "keep", break_off)
        with pytest.raises(KeyboardInterrupt):
            citywide.run(wanted)
        assert not wanted.out.exists()
        monkeypatch.undo()
        assert citywide.run(wanted) == citywide.Done(whole.citizens, whole.ranges, 2)
        assert wanted.out.read_bytes() == expected

    @pytest.mark.parametrize("change", ["records", "as_of", "engine"])
    def test_another_question_begins_anew(self, make: Make, change: str) -> None:
        """Ranges of other inputs, another day or another engine are never mixed in."""
        wanted = make()
        with pytest.raises(ZeroDivisionError):
            citywide.run(wanted, lambda _, done, total: None if done < total else 1 // 0)
        assert not wanted.out.exists()
        if change == "records":
            make(by="occurred_on")
        other = {"as_of": {"as_of": AS_OF.replace(day=1)}, "engine": {"engine": "duckdb"}}.get(change, {})
        wanted = Pass(**{name: getattr(wanted, name) for name in wanted.__struct_fields__} | other)
        assert citywide.run(wanted).kept == 0
        assert pq.read_table(wanted.out).to_pylist() == ledgers.evaluated(card(), PEOPLE, wanted.as_of)

    def test_a_subject_twice_in_the_register_is_refused(self, make: Make) -> None:
        """It would be scored twice; the subject is named, and there is no result."""
        _, register = ledgers.tables(PEOPLE)
        somebody = next(subject for subject, person in PEOPLE.items() if person.adult_on <= AS_OF)
        twice = register.filter(pa.compute.equal(register["subject"], somebody))
        wanted = make(register=pa.concat_tables([register, twice]))
        with pytest.raises(InputFault, match=f"the subject {somebody} is in it more than once"):
            citywide.run(wanted)
        assert not wanted.out.exists()

    def test_two_passes_for_one_result_do_not_meet(self, make: Make) -> None:
        """The second is refused while the first runs."""
        wanted = make()
        with manifest.folder(wanted.out), pytest.raises(manifest.Busy):
            citywide.run(wanted)

    def test_a_full_disk_is_told(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the advice that what is done is kept."""

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(manifest, "keep", full)
        with pytest.raises(citywide.NoSpace, match="finished ranges are kept"):
            citywide.run(make())

    def test_an_engine_that_is_none_is_told_before_anything_is_read(self, make: Make) -> None:
        """The names to choose from."""
        with pytest.raises(engines.UnknownEngine):
            citywide.run(make(engine="abacus"))


class TestKilled:
    """`osmanthus score batch`, killed in the middle."""

    def test_it_goes_on_after_kill_9(self, make: Make) -> None:
        """The second run keeps the first one's ranges and gives the same bytes as a run that nobody disturbed."""
        wanted = make(rows=100)
        citywide.run(wanted)
        expected = wanted.out.read_bytes()
        wanted.out.unlink()
        command = [
            *("score", "batch", "--records", str(wanted.records), "--register", str(wanted.register)),
            *("--as-of", f"{AS_OF}", "--scorecard", str(POLICY / CARD), "--out", str(wanted.out), "--rows", "100"),
        ]
        code = f"import sys; from api.cli import main; sys.exit(main({command!r}))"
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) as first:
            assert first.stderr is not None
            assert first.stderr.readline().startswith(b"scoring: 1/")
            first.kill()
        assert not wanted.out.exists()
        assert citywide.run(wanted).kept >= 1
        assert wanted.out.read_bytes() == expected
