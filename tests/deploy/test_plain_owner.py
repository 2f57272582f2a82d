"""A database whose owner is no superuser, as clouds and cautious cities give them: everything of the operator works."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from api import cli
from core import embedded


@pytest_asyncio.fixture
async def lesser(cluster: embedded.Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[str]:
    """The DSN of an owner who may make roles and owns one database, and may do nothing else; in the environment."""
    name, password = f"owner_{secrets.token_hex(4)}", secrets.token_hex(8)
    operator = await asyncpg.connect(cluster.dsn())
    await operator.execute(f"create role {name} login createrole password '{password}'")
    await operator.execute(f"create database {name} owner {name}")
    dsn = cluster.door_dsn(name, password, name)
    for variable, value in (
        ("DATABASE_URL", dsn),
        ("OSMANTHUS_ROLE_PREFIX", name),
        ("OSMANTHUS_MASTER_KEY", "cd" * 32),
        ("OSMANTHUS_BASE_URL", "https://credit.example"),
        ("OSMANTHUS_EPOCHS_FILE", str(tmp_path / "epochs.json")),
        ("OSMANTHUS_SANDBOX", "1"),
    ):
        monkeypatch.setenv(variable, value)
    yield dsn
    await operator.execute(f"drop database {name} with (force)")
    await operator.close()


async def osmanthus(*arguments: str) -> int | None:
    """Run the tool in a thread, since it runs a loop of its own."""
    return await asyncio.to_thread(cli.main, arguments)


class TestOperator:
    """From nothing to a city that is well."""

    async def test_migrate_register_look_and_verify(self, lesser: str, capsys: pytest.CaptureFixture[str]) -> None:
        """`migrate`, `client add` and `audit verify` do their work, twice where they may be repeated."""
        assert await osmanthus("migrate") in {0, None}
        assert await osmanthus("migrate") in {0, None}
        capsys.readouterr()
        added = ("client", "add", "a-library", "--role", "partner", "--name", "图书馆", "--scope", "eligibility:check")
        assert await osmanthus(*added, "--perk", "library.deposit-free") in {0, None}
        assert json.loads(capsys.readouterr().out)["client_id"] == "a-library"
        assert await osmanthus("audit", "verify") in {0, None}
        owner = await asyncpg.connect(lesser)
        assert await owner.fetchval("select count(*) from auth.client") == 1
        assert await owner.fetchval("select count(*) from auth.session") == 0
        await owner.close()
