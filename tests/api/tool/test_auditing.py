"""`osmanthus audit verify`: silent and 0 when all is well, one line a fault and 1 when not."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg

from core import audit, db, heads
from core.audit import Actor
from core.keys import Keyring
from core.settings import ROOT
from tests.core.test_sealer import seal


def run(database: str, ring: Keyring, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as an operator gives it."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": database, "OSMANTHUS_MASTER_KEY": bytes(range(32)).hex(),
        "OSMANTHUS_EPOCHS_FILE": str(ring.file), "OSMANTHUS_BASE_URL": "https://credit.example",
    }  # fmt: skip
    program = [
        sys.executable,
        "-c",
        "import sys; from api.cli import main; sys.exit(main(sys.argv[1:]))",
        "audit",
        "verify",
        *words,
    ]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


class TestVerify:
    """The command."""

    async def test_it_tells_well_from_tampered(
        self, database: str, doors: db.Doors, ring: Keyring, tmp_path: Path
    ) -> None:
        """All is well; then an entry is altered, then the tail is cut, which only the kept heads tell."""
        kept = tmp_path / "heads.txt"
        for _ in range(2):
            async with doors.work("staff") as session:
                await audit.write(session, actor=Actor("staff", "x"), action="a", purpose="p", outcome="o")
            made = await seal(doors, ring)
            assert made is not None
            heads.append(kept, [made.note])
        well = run(database, ring, "--heads", str(kept))
        assert (well.returncode, well.stdout) == (0, ""), well.stderr
        assert "2 entries under 2 heads from outside: all is well." in well.stderr
        owner = await asyncpg.connect(database)
        await owner.execute("alter table core.audit_entry disable trigger all")
        await owner.execute("delete from core.audit_leaf where seq = 1")
        await owner.execute("delete from core.audit_head where size = 2")
        await owner.execute("delete from core.audit_entry where id not in (select entry_id from core.audit_leaf)")
        blind = run(database, ring)
        assert blind.returncode == 0
        assert "a cut tail cannot be seen" in blind.stderr
        cut = run(database, ring, "--heads", str(kept))
        assert cut.returncode == 1
        assert cut.stdout.startswith("seq 1: the tail up to seq 1 was removed")
        await owner.execute("update core.audit_entry set outcome = 'x'")
        await owner.close()
        altered = run(database, ring)
        assert (altered.returncode, "was altered after it was sealed" in altered.stdout) == (1, True)
        missing = run(database, ring, "--heads", str(tmp_path / "nowhere"))
        assert missing.returncode == 1
        assert "Traceback" not in missing.stderr
