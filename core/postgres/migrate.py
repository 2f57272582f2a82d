"""Alembic, driven by the owner's DSN from any process: the tool, the demo and the tests share this one way.

Promises: one transaction per run, so that a failed upgrade leaves nothing behind. Does not promise to arm the doors
with passwords: `core.db.arm` does that afterwards. Only an empty database can be made a sandbox (`core.sandbox`).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.postgres.engine import engine_of

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def configuration(role_prefix: str) -> Config:
    """Alembic's configuration with what our `env.py` and versions read from its attributes."""
    config = Config(DEPLOY / "alembic.ini")
    config.attributes["role_prefix"] = role_prefix
    return config


async def upgrade(owner_url: str, *, role_prefix: str, revision: str = "head", sandbox: bool = False) -> None:
    """Bring the database up to `revision`; `owner_url` is `postgresql://…` of the role that owns the tables.

    `sandbox` makes an empty database one, and says nothing to any other.
    """
    empty = sandbox and await current(owner_url) is None
    await _run(owner_url, lambda config: command.upgrade(config, revision), role_prefix, sandbox=empty)


async def downgrade(owner_url: str, *, role_prefix: str, revision: str = "base") -> None:
    """Take the database down to `revision`; roles of the cluster stay."""
    await _run(owner_url, lambda config: command.downgrade(config, revision), role_prefix)


def head() -> str | None:
    """The newest revision that the code knows."""
    return ScriptDirectory.from_config(configuration("osmanthus")).get_current_head()


async def current(owner_url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    engine = engine_of(owner_url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()


def statements(name: str, role: str) -> Iterator[str]:
    """The statements of a migration's SQL file, with `{role}` as the prefix of the roles; a blank line ends each."""
    for block in (DEPLOY / "migrations/sql" / name).read_text().replace("{role}", role).split(";\n\n"):
        if statement := block.strip().removesuffix(";"):
            yield statement


async def _run(owner_url: str, act: Callable[[Config], None], role_prefix: str, *, sandbox: bool = False) -> None:
    """Run one Alembic command on a connection of ours, in one transaction."""
    engine = engine_of(owner_url)

    def inside(connection: sa.Connection) -> None:
        config = configuration(role_prefix)
        config.attributes["connection"] = connection
        config.attributes["sandbox"] = sandbox
        act(config)

    try:
        async with engine.begin() as connection:
            await connection.run_sync(inside)
    finally:
        await engine.dispose()
