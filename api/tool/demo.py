"""`osmanthus demo`: one process that is a whole city, from the clone to a served page.

Keeps, under `var/` (a city of a league: under its own folder there): the embedded database (`pg`), the demo's secrets
(`demo/secrets.json`), epoch keys, the server's log, the heads of the sealed log and the kit. Promises: the port is
taken first, so a second city on it is told at once; what was started is stopped in order, however the process ends; a
city whose seeding was cut is made anew; the second start keeps the data.
Does not promise anything about an external database (DATABASE_URL) beyond migrating it and seeding it while new.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import asyncpg
import msgspec

from api.tool import demo_pins
from core import db, embedded, sandbox, settings
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate

VAR = settings.ROOT / "var"
DATABASE = "osmanthus"


class CannotStartError(Exception):
    """The demo cannot start; the message is one sentence with the next step."""


class Ground(msgspec.Struct, frozen=True):
    """What the demo stands on: its folder, and the owner's DSN; `cluster` is None for somebody else's database."""

    folder: Path
    database_url: str
    cluster: embedded.Cluster | None = None

    @property
    def kit(self) -> Path:
        """What a visitor needs to play every role; its presence says that the city is whole."""
        return self.folder / "kit.json"

    @property
    def heads(self) -> Path:
        """The signed heads of the city's log; a new city begins a new log."""
        return self.folder / "log-heads.txt"

    @property
    def trusted(self) -> Path:
        """Where the league's operator lays a signed list of cities; taken in when it changes."""
        return self.folder / "trust-list.json"

    @property
    def seeding(self) -> Path:
        """There while the city is being made; still there afterwards if that was cut."""
        return self.folder / "seeding"


Server = Callable[[settings.Settings, Ground, socket.socket], None]


def run(port: int, *, reset: bool, serve: Server, home: Path = VAR) -> None:
    """Make ready a demo city on 127.0.0.1:`port` and let `serve` serve it; `home` is kept for it alone.

    Raises CannotStartError, EmbeddedUnavailable.
    """
    os.umask(0o077)
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT: a background job begins deaf to it
        signal.signal(sign, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), listening(port) as listener, _ground(home, reset=reset) as ground:
        serve(asyncio.run(prepare(ground, port)), ground, listener)


def _interrupt(_sign: int, _frame: object) -> None:
    """Let a polite end take the same way as Ctrl-C."""
    raise KeyboardInterrupt


def say(line: str) -> None:
    """One line to the person at the terminal."""
    print(line, flush=True)


@contextlib.contextmanager
def listening(port: int) -> Generator[socket.socket]:
    """Take the port now. Raises CannotStartError when something else has it."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()  # two sockets may be bound to one port, but only one may listen
        except (OSError, OverflowError) as error:
            message = (
                f"Port {port} cannot be used ({error}): stop what uses it, or choose another with PORT=8001 make demo."
            )
            raise CannotStartError(message) from error
        yield listener


@contextlib.contextmanager
def _ground(home: Path, *, reset: bool) -> Generator[Ground]:
    """The database: somebody's of DATABASE_URL, else the embedded one, which ends with this block."""
    folder = home / "demo"
    if url := os.environ.get("DATABASE_URL"):
        if reset:
            message = (
                "RESET=1 erases only the embedded database: empty the one at DATABASE_URL yourself, then start again."
            )
            raise CannotStartError(message)
        folder.mkdir(parents=True, exist_ok=True)
        yield Ground(folder, url)
        return
    if reset:
        embedded.erase(home / "pg")
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    say("Starting the embedded PostgreSQL ...")
    with embedded.running(home / "pg") as cluster:
        yield Ground(folder, cluster.dsn(DATABASE), cluster)


async def prepare(ground: Ground, port: int) -> settings.Settings:
    """Make the database, the secrets and the schema if they are not there; the settings of this city."""
    if ground.cluster is not None:
        await _make_database(ground)
    elif ground.seeding.exists():
        message = f"The last seeding of this database was cut: empty it, remove {ground.seeding}, and start again."
        raise CannotStartError(message)
    environment = dict(os.environ) | _secrets(ground.folder) | {
        "DATABASE_URL": ground.database_url,
        "OSMANTHUS_BASE_URL": f"http://127.0.0.1:{port}",
        "OSMANTHUS_SANDBOX": "1",
        "OSMANTHUS_DEMO_IDP": "1",
        "OSMANTHUS_LOG_HEADS": str(ground.heads),
        "OSMANTHUS_TRUST_SIGNERS": os.environ.get("OSMANTHUS_TRUST_SIGNERS") or str(demo_pins.pins(ground.folder)),
    }  # fmt: skip
    house = settings.read(environment)
    await migrate.upgrade(house.database_url, role_prefix=house.role_prefix, sandbox=True)
    if not await _is_sandbox(house.database_url):
        message = "This database was not created as a sandbox, which a demo is: RESET=1 make demo, or an empty one."
        raise CannotStartError(message)
    await db.arm(house.database_url, Keyring(house.master_key, house.epochs_file), house.role_prefix)
    return house


async def _is_sandbox(database_url: str) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        return bool(await connection.fetchval(sandbox.MARK))
    finally:
        await connection.close()


async def _make_database(ground: Ground) -> None:
    """Create our database; a half-seeded one is dropped first, since it says nothing true about a city."""
    assert ground.cluster is not None  # noqa: S101  (the caller has looked)
    operator = await asyncpg.connect(ground.cluster.dsn())
    try:
        if ground.seeding.exists():
            say("The last seeding was cut: making the city anew.")
            await operator.execute(f"drop database if exists {DATABASE} with (force)")
            ground.kit.unlink(missing_ok=True)
            ground.seeding.unlink()
        if not await operator.fetchval("select true from pg_database where datname = $1", DATABASE):
            await operator.execute(f"create database {DATABASE}")
            ground.kit.unlink(missing_ok=True)
            ground.heads.unlink(missing_ok=True)
    finally:
        await operator.close()


def _secrets(folder: Path) -> dict[str, str]:
    """The demo's master key and epoch keys, made once; whoever has them can open what this city sealed."""
    kept = folder / "secrets.json"
    if not kept.exists():
        write_privately(kept, json.dumps({"master_key": secrets.token_hex(32)}))
    make_epochs(folder / "epochs.json")
    return {
        "OSMANTHUS_MASTER_KEY": json.loads(kept.read_text())["master_key"],
        "OSMANTHUS_EPOCHS_FILE": str(folder / "epochs.json"),
    }


def write_privately(path: Path, text: str) -> None:
    """Write a file of mode 0600 that is either there whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
