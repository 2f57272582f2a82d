"""Houses whose epochs are their own, so that a test may destroy them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from api import app
from api.deps import House
from core.settings import Settings
from tests.conftest import PREFIX

MASTER = bytes(range(32))


def copied(file: Path, folder: Path, name: str = "epochs.json") -> Path:
    """A copy of an epochs file as it is now."""
    (copy := folder / name).write_bytes(file.read_bytes())
    return copy


@asynccontextmanager
async def at_home(database: str, file: Path, **more: Any) -> AsyncGenerator[House]:
    """A house over a database and an epochs file; its epochs may go at once unless `more` settings say otherwise."""
    given: dict[str, Any] = {"epoch_grace_days": 0} | more
    settings = Settings(
        base_url="http://127.0.0.1", database_url=database, master_key=MASTER, epochs_file=file, role_prefix=PREFIX,
        **given,
    )  # fmt: skip
    made = app.make_house(settings)
    try:
        yield made
    finally:
        await made.short.close()
        await made.doors.close()
