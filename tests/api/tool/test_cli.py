"""The tool's manners: instant help, one sentence for a fault, exit 0 only on success."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api import cli

HEAVY = ("litestar", "sqlalchemy", "asyncpg", "httpx2", "alembic", "uvicorn")


class TestMain:
    """Every command goes through here."""

    def test_help_loads_nothing_heavy(self) -> None:
        """`--help` is instant: no framework, no database driver."""
        code = "import sys; from api import cli; cli.parser(); print([m for m in sys.argv[1:] if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"

    @pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
    def test_a_missing_setting_is_named_with_its_remedy(
        self, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without settings nothing starts, and the first missing one is said."""
        for name in [name for name in os.environ if name.startswith("OSMANTHUS_") or name == "DATABASE_URL"]:
            monkeypatch.delenv(name)
        assert cli.main([command]) == 1
        assert capsys.readouterr().err.startswith("osmanthus: OSMANTHUS_MASTER_KEY is not set")

    def test_no_command_is_a_misuse(self) -> None:
        """argparse says what there is and exits with 2."""
        with pytest.raises(SystemExit) as ended:
            cli.main([])
        assert ended.value.code == 2

    def test_a_kit_that_is_not_there_is_one_sentence(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The missing file is named."""
        assert cli.main(["call", "GET", "/", "--as", "x", "--kit", str(tmp_path / "none.json")]) == 1
        assert "none.json" in capsys.readouterr().err

    def test_a_fault_of_ours_is_not_hidden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Anything unexpected is raised with its traceback."""
        from api.tool import commands

        def broken(_chosen: object) -> None:
            message = "a slip"
            raise KeyError(message)

        monkeypatch.setattr(commands, "doctor", broken)
        with pytest.raises(KeyError, match="a slip"):
            cli.main(["doctor"])
