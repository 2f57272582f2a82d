"""SIGKILL in the middle of the daily pass: what was stored stays whole, and the next pass makes the rest."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg

from core.db import Doors
from core.keys import Keyring
from core.settings import ROOT
from tests.conftest import PREFIX
from tests.faults.deployment import TOOL
from tests.scoringworld import City, id_number, water

PEOPLE = [id_number(n) for n in range(1, 4)]
_WAITS = "select 1 from pg_locks where not granted and relation = 'scoring.standing_change'::regclass"
_DONE = "select 1 from pg_stat_activity where datname = current_database() and usename like '%jobs'"


class TestPass:
    """`osmanthus score nightly`, as the worker runs it."""

    async def test_nothing_is_half_stored_and_the_next_pass_goes_on(
        self, doors: Doors, database: str, ring: Keyring, tmp_path: Path
    ) -> None:
        """Killed while it stores: no standing and no trace of it; made again: every standing, each with one trace."""
        city = City(doors, database)
        await city.publish()
        for who in PEOPLE:
            await city.join(who)
        await city.push(*[water(f"r{n}", who) for n, who in enumerate(PEOPLE)])
        await city.rows("update scoring.standing set points = 7")
        environment = {
            **os.environ, "DATABASE_URL": database, "OSMANTHUS_BASE_URL": "http://127.0.0.1:1",
            "OSMANTHUS_MASTER_KEY": bytes(range(32)).hex(), "OSMANTHUS_EPOCHS_FILE": str(ring.file),
            "OSMANTHUS_ROLE_PREFIX": PREFIX, "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        command = [sys.executable, "-c", TOOL, "score", "nightly"]

        holder = await asyncpg.connect(database)
        with (tmp_path / "pass.log").open("wb") as log:
            async with holder.transaction():
                await holder.execute("lock table scoring.standing_change in share row exclusive mode")
                cut = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
                try:
                    async with asyncio.timeout(120):
                        while not await city.rows(_WAITS):
                            await asyncio.sleep(0.05)
                finally:
                    cut.kill()
                    cut.wait(20)
        await holder.close()
        await city.until(_DONE, empty=True)
        assert {row["points"] for row in await city.rows("select points from scoring.standing")} == {7}
        assert [tuple(row) for row in await city.rows("select people, changed, ended_at from scoring.nightly")] == [
            (0, 0, None)
        ]

        made = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert made.returncode == 0, made.stderr
        assert "3 people looked at, 3 standings say something new" in made.stdout
        assert "people" in made.stderr, "a bar, or what is left of it without a terminal"
        assert {row["points"] for row in await city.rows("select points from scoring.standing")} == {1105}
        traces = "select citizen_id from scoring.standing_change where cause = 'date'"
        assert len(await city.rows(traces)) == len(PEOPLE)
