"""The published schema of perks: what it refuses the reader refuses, what the reader takes it takes."""

import json

import pytest

from core.policyfile import Faulty
from core.settings import ROOT
from incentives.book import perkfile, schema
from incentives.book.kinds import KINDS
from tests.rulebook import POLICY
from tests.scoring.book.test_schema import parts, wrong_by

SCHEMA = schema.schema()
FILES = sorted((POLICY / "perks").iterdir())
_WRONG = ("-1", '""', '"x"', "true", "[]", "{}", "1.55", "2027-13-01", "100000000000")


class TestSchema:
    """`schema.schema`."""

    def test_the_file_in_docs_is_what_we_publish(self) -> None:
        """Editors read docs/perks.schema.json; on a change: python -m incentives.book.schema > that file."""
        file = ROOT / "docs" / "perks.schema.json"
        assert file.read_text(encoding="utf-8") == json.dumps(SCHEMA, ensure_ascii=False, indent=1) + "\n"

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
    def test_it_takes_what_the_reader_takes(self, file: object) -> None:
        """Every shipped file, whose first line points editors to the schema."""
        body = (POLICY / "perks" / str(file)).read_text(encoding="utf-8")
        assert wrong_by(SCHEMA, body) == []
        assert body.startswith("#:schema ../../docs/perks.schema.json\n")

    def test_a_form_for_each_kind_with_every_key_explained(self) -> None:
        """An editor shows a sentence of Chinese for each."""
        forms = SCHEMA["properties"]["perk"]["items"]["anyOf"]
        assert [form["properties"]["kind"]["enum"] for form in forms] == [[kind] for kind in KINDS]
        assert [form["properties"]["kind"]["enum"][0] for form in forms if "kind" not in form["required"]] == [
            "deposit_waiver"
        ]
        assert all(one["description"] for one in parts(SCHEMA))

    def test_what_it_refuses_the_reader_refuses(self) -> None:
        """Over every line of a shipped file broken in many ways; the reader also sees what no form can tell."""
        body = (POLICY / "perks" / "tourism.toml").read_text(encoding="utf-8")
        both = 0
        for number, line in enumerate(body.splitlines()):
            key = line.partition(" = ")[0]
            for value in _WRONG if " = " in line else ():
                lines = body.splitlines()
                lines[number] = f"{key} = {value}"
                broken = "\n".join(lines) + "\n"
                try:
                    found = wrong_by(SCHEMA, broken)
                except ValueError:
                    continue  # no TOML
                if found:
                    both += 1
                    with pytest.raises(Faulty):
                        perkfile.load(broken, "tourism.toml")
        assert both > 100
