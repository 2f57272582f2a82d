"""What `osmanthus doctor` looks at: everything that a start needs, one finding each, with the next step.

Promises to look only: it connects, reads, and changes nothing. Shows no secret, not even inside an error.
"""

import os
import socket
import stat
import sys
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import asyncpg
import msgspec

from api import accounts
from core import clock, db, sandbox, settings, shortlived
from core.keys import Keyring
from core.postgres import migrate
from core.short.forgetting import StoreUnavailable
from incentives.channels.account import BadAccounts

NEWEST_TRIED = 18
_NOVEMBER = 11


class Finding(msgspec.Struct, frozen=True):
    """One look: whether it is well, what was seen, and what to do if it is not."""

    well: bool
    seen: str
    advice: str = ""


async def examine(port: int) -> AsyncGenerator[Finding]:
    """Every finding in the order in which to mend them; stops where the rest could not be looked at."""
    yield _python()
    try:
        house = settings.read()
    except settings.SettingMissing as error:
        yield Finding(well=False, seen=str(error), advice="Or run `make demo`, which needs no setting.")
        return
    yield Finding(well=True, seen=f"settings are complete; the public origin is {house.base_url}")
    epochs = _epochs(house)
    yield epochs
    yield _channels(house)
    async for finding in _database(house, epochs_are_well=epochs.well):
        yield finding
    if epochs.well:
        yield await _store(house)
    yield _port(port)


def _python() -> Finding:
    seen = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return Finding(sys.version_info >= (3, 11), seen, "Install Python 3.11 or newer and make the environment anew.")


def _epochs(house: settings.Settings) -> Finding:
    """The epoch keys: there, readable, and closed to others."""
    path = house.epochs_file
    if not path.exists():
        return Finding(
            well=False, seen=f"no epoch keys at {path}", advice="Run `osmanthus migrate`, or bring the file back."
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(well=False, seen=f"epoch keys have mode {mode:04o}", advice=f"chmod 600 {path}")
    ring = Keyring(house.master_key, path)
    return Finding(well=True, seen=f"epoch keys can be read; the current epoch is {ring.epoch}")


def _channels(house: settings.Settings) -> Finding:
    """Which perks a pay channel guarantees; a file that cannot be used turns all of them off."""
    try:
        found = accounts.read(house.channels_file)
    except BadAccounts as error:
        return Finding(well=False, seen=f"pay channels are off: {error}", advice="Mend it: docs/channels.md.")
    named = ", ".join(one.name for one in found)
    return Finding(well=True, seen=f"pay channels: {named or 'none, orders are at the merchants own risk'}")


async def _database(house: settings.Settings, *, epochs_are_well: bool) -> AsyncGenerator[Finding]:
    """Reachable, new enough, migrated, with the doors' roles able to log in."""
    place = urlsplit(house.database_url).hostname or "the operator's socket"
    try:
        connection = await asyncpg.connect(house.database_url, timeout=3)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        advice = "Start it, or correct DATABASE_URL (postgresql://owner:password@host:5432/osmanthus)."
        yield Finding(well=False, seen=f"no database at {place}: {type(error).__name__}", advice=advice)
        return
    try:
        version = connection.get_server_version().major
        yield Finding(version >= NEWEST_TRIED, f"PostgreSQL {version} at {place}", "Use PostgreSQL 18 or newer.")
        names = [db.role(house.role_prefix, door) for door in db.DOORS]
        found = await connection.fetch("select rolname from pg_roles where rolname = any($1) and rolcanlogin", names)
    finally:
        await connection.close()
    head, current = migrate.head(), await migrate.current(house.database_url)
    yield Finding(
        current == head, f"schema is at {current or 'nothing'}, the code at {head}", "Run `osmanthus migrate`."
    )
    missing = sorted(set(names) - {row["rolname"] for row in found})
    yield Finding(
        not missing, f"roles: {len(found)} of {len(names)}", "Run `osmanthus migrate`; it makes " + ", ".join(missing)
    )
    if epochs_are_well and current == head:
        yield await _hanging(house)
    if current == head:
        yield await _known(house)
        yield await _sandbox(house)
        yield await _calendar(house)
    if current == head and not house.sandbox:
        yield await _answered_for(house)


_UNKNOWN = """
  select schemaname || '.' || relname from pg_stat_user_tables
  where n_live_tup >= 1000 and last_analyze is null and last_autoanalyze is null order by 1
"""


async def _known(house: settings.Settings) -> Finding:
    """Tables that PostgreSQL has not looked at yet: it may read many rows of them to find one. No fault: it will."""
    connection = await asyncpg.connect(house.database_url, timeout=3)
    try:
        unknown = [row[0] for row in await connection.fetch(_UNKNOWN)]
    finally:
        await connection.close()
    if not unknown:
        return Finding(well=True, seen="every table with many rows was looked at by PostgreSQL")
    told = f"tables that PostgreSQL has not looked at yet: {', '.join(unknown)}"
    return Finding(
        well=True, seen=f"{told}; it will within minutes, after a restore `vacuumdb --analyze-only` is faster"
    )


async def _sandbox(house: settings.Settings) -> Finding:
    """A real city is no sandbox, whatever a variable says, and a sandbox is no city: its clock moves."""
    connection = await asyncpg.connect(house.database_url, timeout=3)
    try:
        made = bool(await connection.fetchval(sandbox.MARK))
    finally:
        await connection.close()
    seen = "created as a sandbox: its civil clock moves" if made else "not created as a sandbox: its clock never moves"
    return Finding(made is house.sandbox, f"the database was {seen}", sandbox.advice(wanted=house.sandbox))


async def _hanging(house: settings.Settings) -> Finding:
    """What the database says of the epochs: a restored one hangs on keys that are no more."""
    ring = Keyring(house.master_key, house.epochs_file)
    connection = await asyncpg.connect(house.database_url, timeout=3)
    try:
        known = {row["number"] for row in await connection.fetch("select number from keys.epoch")}
    finally:
        await connection.close()
    if lost := known - ring.epochs - {0}:
        return Finding(
            well=False, seen=f"the database hangs on epoch {min(lost)}, whose key is no more",
            advice="After a restore run `osmanthus keys restore` with the newest dump, before any door opens.",
        )  # fmt: skip
    if ring.epoch not in known:
        return Finding(well=False, seen=f"the database does not know epoch {ring.epoch}", advice="`osmanthus migrate`")
    within = house.forgotten_within_days()
    return Finding(well=True, seen=f"what a person erases is unreadable in every copy within {within} days")


_UNASSESSED = """
  select c.client_id from auth.client c left join core.assessment a on a.id = c.assessment_id
  where c.role in ('partner', 'source', 'citycard') and c.disabled_at is null
    and (a.approved and a.valid_until >= (core.civil_now() at time zone 'Asia/Shanghai')::date) is not true
  order by 1
"""


async def _calendar(house: settings.Settings) -> Finding:
    """From 1 November on, next year's working days are asked for: until then days beyond it are provisional."""
    today = clock.today()
    wanted = today.year + (today.month >= _NOVEMBER)
    connection = await asyncpg.connect(house.database_url, timeout=3)
    try:
        last = await connection.fetchval("select extract(year from max(day))::int from core.workday") or 0
    finally:
        await connection.close()
    how = f"PUT /v1/staff/workdays/{wanted}"
    late = "" if last >= wanted else f"; load the notice of {wanted} ({how}): days beyond are provisional until then"
    return Finding(last >= today.year, f"working days are known until {last}{late}", f"Load the notice: {how}.")


async def _answered_for(house: settings.Settings) -> Finding:
    """Every client that is let in stands on a live impact assessment (PIPL, article 55)."""
    connection = await asyncpg.connect(house.database_url, timeout=3)
    try:
        bare = [row[0] for row in await connection.fetch(_UNASSESSED)]
    finally:
        await connection.close()
    seen = f"clients without a live impact assessment: {', '.join(bare) or 'none'}"
    return Finding(not bare, seen, "Assess them (POST /v1/staff/impact-assessments), then enable them anew.")


async def _store(house: settings.Settings) -> Finding:
    """The short-lived store answers through the door that uses it."""
    ring = Keyring(house.master_key, house.epochs_file)
    url = db.door_url(house.database_url, ring, house.role_prefix, "auth")
    store = shortlived.connect(redis_url=house.redis_url, postgres_url=url, size=1)
    name = "Redis" if house.redis_url else "PostgreSQL"
    try:
        await store.epoch()
    except (StoreUnavailable, asyncpg.PostgresError) as error:
        advice = (
            "Check REDIS_URL."
            if house.redis_url
            else "Run `osmanthus migrate`; the doors' passwords follow the master key."
        )
        return Finding(
            well=False, seen=f"the short-lived store in {name} does not answer: {type(error).__name__}", advice=advice
        )
    finally:
        await store.close()
    return Finding(well=True, seen=f"the short-lived store in {name} answers")


def _port(port: int) -> Finding:
    """Whether `serve` could listen where it would."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            why = os.strerror(error.errno or 0)
            return Finding(well=False, seen=f"port {port}: {why}", advice="Stop what uses it, or pass another --port.")
    return Finding(well=True, seen=f"port {port} is free")
