"""A deployment by hand, as the runbook does it: migrate, serve, worker, client add."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from joserfc.jwk import ECKey

from api import cli
from core.postgres import migrate

TOOL = "import sys; from api import cli; sys.exit(cli.main(sys.argv[1:]))"


@pytest.fixture
def deployment(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The environment of a deployment over a fresh clone, with roles of its own; the owner's DSN."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    for name, value in (
        ("DATABASE_URL", database),
        ("OSMANTHUS_ROLE_PREFIX", "byhand"),
        ("OSMANTHUS_MASTER_KEY", "ab" * 32),
        ("OSMANTHUS_BASE_URL", "https://credit.example"),
        ("OSMANTHUS_EPOCHS_FILE", str(tmp_path / "keys" / "epochs.json")),
    ):
        monkeypatch.setenv(name, value)
    return database


async def osmanthus(*arguments: str) -> int:
    """Run the tool in a thread, since it runs a loop of its own."""
    return await asyncio.to_thread(cli.main, arguments)


def status(port: int) -> int:
    """The readiness probe's answer; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait for another process."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


class TestMigrate:
    """`osmanthus migrate`."""

    async def test_it_makes_keys_schema_and_roles_and_may_be_repeated(
        self, deployment: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        """From an empty database to one that `doctor` finds well, twice."""
        await migrate.downgrade(deployment, role_prefix="osmanthus")
        for _ in range(2):
            assert await osmanthus("migrate") == 0
            assert f"The schema is at {migrate.head()}" in capsys.readouterr().out
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        assert await osmanthus("doctor", "--port", str(port)) == 0
        assert "FAULT" not in capsys.readouterr().out
        assert (tmp_path / "keys" / "epochs.json").exists()

    async def test_doctor_before_migrate_fails_and_says_what_to_do(
        self, deployment: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each fault has its next step."""
        assert await osmanthus("doctor", "--port", "0") == 1
        assert "-> Run `osmanthus migrate`" in capsys.readouterr().out


class TestServe:
    """`osmanthus serve`."""

    async def test_it_serves_until_told_to_stop(self, deployment: str) -> None:
        """The readiness probe answers, SIGTERM ends it cleanly, and nothing listens afterwards."""
        await migrate.downgrade(deployment, role_prefix="osmanthus")
        assert await osmanthus("migrate") == 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-c", TOOL, "serve", "--port", str(port)], env=dict(os.environ), stderr=subprocess.DEVNULL
        )
        try:
            assert await asyncio.to_thread(until, lambda: status(port) == 200)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        assert status(port) == 0


class TestWhoIsBelieved:
    """`X-Forwarded-For`."""

    @pytest.mark.parametrize(("trusted", "headers", "allowed"), [("", False, ""), ("10.1.2.3", True, "10.1.2.3")])
    async def test_only_the_proxies_that_the_operator_named(
        self, deployment: str, monkeypatch: pytest.MonkeyPatch, trusted: str, *, headers: bool, allowed: str
    ) -> None:
        """Without a named proxy nobody may say whom they speak for: limits count by the real address."""
        monkeypatch.setenv("OSMANTHUS_TRUSTED_PROXIES", trusted)
        given: dict[str, object] = {}
        monkeypatch.setattr("uvicorn.run", lambda _app, **how: given.update(how))
        assert await osmanthus("serve", "--port", "1") in {0, None}
        assert (given["proxy_headers"], given["forwarded_allow_ips"]) == (headers, allowed)


class TestClientAdd:
    """`osmanthus client add`."""

    async def test_a_client_with_a_key_of_its_own_is_registered_by_its_public_half(
        self, deployment: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        """The database holds no private member, whatever was handed in."""
        await migrate.downgrade(deployment, role_prefix="osmanthus")
        assert await osmanthus("migrate") == 0
        (tmp_path / "jwk.json").write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
        capsys.readouterr()
        made = ("client", "add", "shop", "--role", "partner", "--name", "商户", "--scope", "eligibility:check")
        assert await osmanthus(*made, "--jwk", str(tmp_path / "jwk.json")) == 0
        assert json.loads(capsys.readouterr().out)["client_id"] == "shop"
        connection = await asyncpg.connect(deployment)
        (stored,) = json.loads(await connection.fetchval("select jwks from auth.client where client_id = 'shop'"))
        await connection.close()
        assert "d" not in stored
        assert await osmanthus(*made) == 1
        assert "another id than shop" in capsys.readouterr().err

    async def test_without_an_assessment_a_partner_is_not_live(
        self, deployment: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Outside a sandbox it is registered disabled and the operator is told; `doctor` finds who slipped in."""
        await migrate.downgrade(deployment, role_prefix="osmanthus")
        assert await osmanthus("migrate") == 0
        made = ("client", "add", "shop", "--role", "partner", "--name", "商户", "--scope", "eligibility:check")
        assert await osmanthus(*made) == 0
        told = capsys.readouterr()
        assert "NOT LIVE" in told.err
        assert json.loads(told.out[told.out.index("{") :])["live"] is False
        await osmanthus("doctor")
        assert "clients without a live impact assessment: none" in capsys.readouterr().out
        connection = await asyncpg.connect(deployment)
        await connection.execute("update auth.client set disabled_at = null")
        await connection.close()
        await osmanthus("doctor")
        assert "FAULT  clients without a live impact assessment: shop" in capsys.readouterr().out
        unknown = ("--assessment", "pia_00000000000000000000000000")
        assert await osmanthus(*made[:2], "other", *made[3:], *unknown) == 1
