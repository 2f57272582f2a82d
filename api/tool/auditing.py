"""`osmanthus audit verify`: the log as it stands in the database, judged by its own leaves and every kept head.

Runs as the owner of the database and changes nothing. Heads come from the file named, else from OSMANTHUS_LOG_HEADS;
without one, a cut tail cannot be seen, and that is said.
"""

import sys
from pathlib import Path

import asyncpg

from api.tool.progress import Bar
from core import clock, heads, logcheck, sealer
from core.keys import Keyring
from core.settings import Settings


async def verify(settings: Settings, kept: Path | None) -> bool:
    """Print every fault and what was looked at; whether all is well. Raises FileNotFoundError, OSError."""
    key = sealer.signing_key(Keyring(settings.master_key, settings.epochs_file)).public_key()
    path = kept or settings.log_heads
    if path is None:
        print(
            "No heads from outside (--heads FILE or OSMANTHUS_LOG_HEADS): a cut tail cannot be seen.", file=sys.stderr
        )
    outside, faults = logcheck.known(heads.read(path) if path else [], key, str(path))
    for fault in faults:
        print(fault)
    connection = await asyncpg.connect(settings.database_url)
    count, total = len(faults), 0
    try:
        if moved := await connection.fetchval("select moved from core.civil_offset"):
            clock.move(moved)
        with Bar("Verifying the log") as bar:

            def told(done: int, whole: int) -> None:
                nonlocal total
                total = whole
                bar.step("entries", done, whole)

            async for fault in logcheck.verify(connection, key, outside=outside, progress=told):
                count += 1
                print(fault)
    finally:
        await connection.close()
    verdict = f"{count} faults" if count else "all is well"
    print(f"{total} entries under {len(outside)} heads from outside: {verdict}.", file=sys.stderr)
    return count == 0
