"""The checker that anybody can run on an export: a third evaluator, which knows nothing of ours."""

import base64
import contextlib
import importlib.util
import io
import json
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.citizen import archive
from api.citizen.archive import Export, Profile
from core.keys import Keyring
from core.settings import ROOT
from scoring.exporting import Enrolment, HeldRecord
from scoring.points import cases, explain
from scoring.points.facts import RecordRow
from tests import rulebook

CHECKER = ROOT / "docs" / "examples" / "check_export.py"
CASES = sorted((ROOT / "policy" / "cases").glob("*.toml"))
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def checker() -> Any:
    """The script as a fresh module."""
    spec = importlib.util.spec_from_file_location("check_export", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults(made: dict[str, bytes], jwks: Any = None, *, path: Path) -> list[str]:
    """What the checker finds."""
    path.write_bytes(b"".join(archive.pack(made, at=NOW)))
    module = checker()
    with contextlib.redirect_stdout(io.StringIO()):
        module.main(str(path), jwks)
    return module.faults


def held(row: RecordRow) -> HeldRecord:
    """A record of a case as the archive holds it."""
    plain = {name: getattr(row, name) for name in row.__struct_fields__}
    return HeldRecord(
        **plain, name="", label="", source="s", ref=row.id, version=1, status_at=NOW, received_at=NOW, fields={},
        document=None, notice=None, statement=None, suspended=[], line=None, dated_on=None,
    )  # fmt: skip


def enrolment(file: Path) -> Enrolment:
    """A case file's person, as the archive would hold them."""
    book = cases.rules(rulebook.card(), rulebook.book())
    case = cases.read(file.read_text(encoding="utf-8"), file.name, book)
    found = case.evaluation
    view = explain.explain(found, book.card, book.evaluator)
    records = [held(row) for row in case.rows]
    digest = book.card.digest
    return Enrolment(found.as_of, found.adult_on, NOW, view, found.columns(), records, [], [], [], [digest])


def made(person: Enrolment | None, ring: Keyring) -> dict[str, bytes]:
    """The archive of a person."""
    export = Export(
        format=archive.FORMAT, made_at=NOW, made_by="示范市", profile=Profile("张三", "x", date(1990, 1, 1), None, 3),
        ways_in={}, consents=[], codes_drawn=[], codes=[], sources=[], enrolment=person, decisions=[], reviews=[],
        corrections=[], disputes=[], reports=[], occupational=[], repairs=[], declarations=[], commitments=[],
        orders=[], rides=[], plates=[], credentials=[], accesses=[], names={},
    )  # fmt: skip
    rules = {rulebook.card().digest: rulebook.text(rulebook.CARD)}
    return archive.files(export, rules, key=ring.ed25519("rcpt-1"))


def jwks(ring: Keyring, kid: str = "rcpt-1") -> dict[str, Any]:
    """The public half of a key, as published."""
    return {"keys": [{**ring.ed25519(kid).as_dict(private=False), "kid": "rcpt-1"}]}


def changed(files: dict[str, bytes], change: Any, *, manifest: bool, signature: bool) -> dict[str, bytes]:
    """A forger's archive: `change` alters export.json; the manifest, and even its payload, may be made to fit."""
    data = json.loads(files["export.json"])
    change(data["enrolment"])
    forged = {**files, "export.json": json.dumps(data).encode()}
    said = json.loads(files["manifest.json"])
    if manifest:
        import hashlib

        said["files"]["export.json"]["sha256"] = hashlib.sha256(forged["export.json"]).hexdigest()
        forged["manifest.json"] = json.dumps(said).encode()
    if signature:
        head, _, proof = files["manifest.jws"].decode().split(".")
        body = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
        forged["manifest.jws"] = f"{head}.{body}.{proof}".encode()
    return forged


class TestCases:
    """The city's own case files."""

    def test_every_case_is_counted_alike(self, ring: Keyring, tmp_path: Path) -> None:
        """Each persona and case of the rule book, indicator by indicator, to the tenth."""
        wrong = {}
        for file in CASES:
            found = faults(made(enrolment(file), ring), path=tmp_path / "e.zip")
            if found:
                wrong[file.name] = found
        assert wrong == {}
        assert len(CASES) > 60

    def test_who_takes_no_part_has_nothing_to_count(self, ring: Keyring, tmp_path: Path) -> None:
        """An export without points is read and agrees."""
        assert faults(made(None, ring), path=tmp_path / "e.zip") == []

    def test_it_is_stand_alone(self, ring: Keyring, tmp_path: Path) -> None:
        """It runs from an empty folder with the standard library alone, and says what it counted."""
        path, keys = tmp_path / "e.zip", tmp_path / "jwks.json"
        person = enrolment(ROOT / "policy" / "cases" / "everything.toml")
        path.write_bytes(b"".join(archive.pack(made(person, ring), at=NOW)))
        keys.write_text(json.dumps(jwks(ring)))
        run = [sys.executable, "-I", str(CHECKER), str(path), str(keys)]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "全部一致" in done.stdout
        assert "重算 177.0" in done.stdout
        path.write_bytes(b"no zip")
        assert subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def _more_points(person: dict[str, Any]) -> None:
    person["parts"]["points_tenths"] += 5


def _one_record_less(person: dict[str, Any]) -> None:
    del person["records"][0]


def _a_deduction_hidden(person: dict[str, Any]) -> None:
    next(one for one in person["records"] if one["kind"].startswith("N"))["status"] = "hidden"


def _later(person: dict[str, Any]) -> None:
    person["as_of"] = "2031-01-01"


def _other_words(person: dict[str, Any]) -> None:
    person["records"][0]["label"] = "别的"


class TestTampering:
    """What a forger may try."""

    @pytest.mark.parametrize("change", [_more_points, _one_record_less, _a_deduction_hidden, _later, _other_words])
    @pytest.mark.parametrize("depth", ["data", "manifest", "signed payload"])
    def test_it_is_found(self, ring: Keyring, tmp_path: Path, change: Any, depth: str) -> None:
        """Changed data, changed data with a fitting manifest, or with a fitting payload under the old signature."""
        files = made(enrolment(ROOT / "policy" / "cases" / "penalty-general.toml"), ring)
        assert faults(files, jwks(ring), path=tmp_path / "e.zip") == []
        forged = changed(files, change, manifest=depth != "data", signature=depth == "signed payload")
        assert faults(forged, jwks(ring), path=tmp_path / "e.zip")

    @pytest.mark.parametrize("change", [_more_points, _one_record_less, _a_deduction_hidden, _later])
    def test_points_that_do_not_follow_are_found_without_any_key(
        self, ring: Keyring, tmp_path: Path, change: Any
    ) -> None:
        """Even a perfect forgery of manifest and payload does not make wrong points right."""
        files = made(enrolment(ROOT / "policy" / "cases" / "penalty-general.toml"), ring)
        forged = changed(files, change, manifest=True, signature=True)
        assert faults(forged, path=tmp_path / "e.zip")

    def test_other_rules_and_other_keys_are_found(self, ring: Keyring, tmp_path: Path) -> None:
        """A changed scorecard, an added file, a signature of somebody else."""
        files = made(enrolment(ROOT / "policy" / "cases" / "clean-adult.toml"), ring)
        card = f"rules/{rulebook.card().digest}.toml"
        assert faults({**files, card: files[card] + b"\n"}, path=tmp_path / "e.zip")
        assert faults({**files, "more.txt": b"x"}, path=tmp_path / "e.zip") == ["files were added or taken away"]
        assert faults(files, jwks(ring, f"another-{uuid.uuid4()}"), path=tmp_path / "e.zip") == [
            "the signature is not by a key of jwks.json"
        ]


class TestSchema:
    """`archive.schema`."""

    def test_it_reads_and_judges(self, ring: Keyring) -> None:
        """A made-up archive follows the published schema; one without its profile, or with another type, does not."""
        from tests.api import jsonschema

        schema = archive.schema()
        data = json.loads(made(enrolment(ROOT / "policy" / "cases" / "everything.toml"), ring)["export.json"])
        assert list(jsonschema.faults(data, schema, schema)) == []
        assert list(jsonschema.faults({**data, "profile": None}, schema, schema))
        broken = msgspec.json.decode(msgspec.json.encode(data))
        broken["enrolment"]["records"][0]["quantity"] = "1"
        assert list(jsonschema.faults(broken, schema, schema))
