"""Every door's real login tries what an injection could: it becomes nobody, and learns of nobody whom it may not know.

Bob takes part and Cal did; what is theirs is marked. A door that may not see a mark finds it in no row, notice, error
or plan.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from core.db import door_url
from core.keys import Keyring
from tests.access.closure import WRITTEN, unwritten
from tests.access.conftest import Stage
from tests.access.doors import LOGINS
from tests.access.hostile import ASKS, DENIED, READS
from tests.conftest import PREFIX

# No right; no such name to be seen; no such thing; a grant only members make; an extension that is not there.
_REFUSED = {"42501", "0LP01", "42P01", "3F000", "42704", "42883", "0A000", "58P01", "55P02"}

BOB_IS = ("canary-phone", "canary-device")
BOB_HAS = ("canary-bob", "1977123001")
CAL_HAS = ("canary-cal", "1977345001")
# What each door must never say. The scorer and the jobs count for Bob; nobody counts for Cal any more.
HIDDEN = {
    "citizen": (*BOB_IS, *BOB_HAS, *CAL_HAS),
    "partner": (*BOB_IS, *BOB_HAS, *CAL_HAS),
    "citycard": (*BOB_IS, *BOB_HAS, *CAL_HAS),
    "source": (*BOB_IS, *BOB_HAS, *CAL_HAS),
    "staff": (*BOB_IS, *BOB_HAS, *CAL_HAS),
    "auth": (*BOB_HAS, *CAL_HAS),
    "scorer": (*BOB_IS, *CAL_HAS),
    "jobs": (*BOB_IS, *CAL_HAS),
}
# These never say who Bob is among our rows, not even his number.
NAMELESS = ("citizen", "partner", "citycard", "source", "staff")


@pytest_asyncio.fixture(scope="module")
async def marked(stage: Stage) -> Stage:
    """Bob and Cal with what they have marked, in the sealed columns too."""
    owner = await asyncpg.connect(stage.url)
    held = "select record_subject from scoring.live where record_subject <> all ($1::uuid[]) and until {} now()"
    for who, points, mark, lives in (("b", 1_977_123_001, "canary-bob", ">"), ("c", 1_977_345_001, "canary-cal", "<=")):
        one = stage.people[who]
        subjects = await owner.fetch(held.format(lives), [stage.subject])
        await owner.execute(
            "update scoring.standing set points = $2, tier = $3 where citizen_id = $1", one, points, mark
        )
        for table in ("link", "standing_change"):
            await owner.execute(
                f"update scoring.{table} set sealed = $2 where citizen_id = $1", one, f"{mark}-{table}".encode()
            )  # fmt: skip
        await owner.execute(
            "update scoring.record set sealed = $2 where record_subject = any ($1)", [row[0] for row in subjects],
            f"{mark}-record".encode(),
        )  # fmt: skip
    bob = stage.people["b"]
    await owner.execute("insert into auth.phone values ($1, 'canary-phone', now())", bob)
    await owner.execute("update auth.session set device = 'canary-device' where citizen_id = $1", bob)
    await owner.execute("analyze")
    await owner.close()
    return stage


@pytest.fixture(params=LOGINS)
def door(request: pytest.FixtureRequest) -> str:
    """Each door that can log in."""
    return request.param


class Said:
    """A login, and whatever came out of it: rows, notices, errors."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        """Hears the connection's notices and notifications."""
        self.connection, self.all, self.states = connection, list[str](), set[str]()
        connection.add_log_listener(lambda _, message: self.all.append(repr(message.as_dict())))

    async def attempt(self, statement: str) -> str | None:
        """Run one attempt, undone afterwards; returns the SQLSTATE that refused it."""
        step = self.connection.transaction()
        await step.start()
        *first, last = statement.split("; ") if not statement.startswith("do ") else [statement]
        try:
            for one in first:
                await self.connection.execute(one)
            self.all += [repr(dict(row)) for row in await self.connection.fetch(last)]
        except asyncpg.PostgresError as error:
            self.all.append(repr(error.as_dict()))
            return error.sqlstate
        finally:
            await step.rollback()
        return None

    def marks(self, hidden: tuple[str, ...]) -> list[str]:
        """Which of these were said, as text or as the hex of bytes."""
        heard = "\n".join(self.all)
        return [mark for mark in hidden if mark in heard or mark.encode().hex() in heard]


@pytest_asyncio.fixture
async def said(marked: Stage, ring: Keyring, door: str) -> AsyncIterator[Said]:
    """The door's own login and password; what stands behind the settings is Ann's."""
    connection = await asyncpg.connect(door_url(marked.url, ring, PREFIX, door))  # pyright: ignore[reportArgumentType]
    assert await connection.fetchval("select session_user") == f"{PREFIX}_{door}"
    await connection.execute("select set_config('app.proof', $1, false)", marked.proof.hex())
    await connection.execute("select set_config('app.subject', $1, false)", marked.subject)
    yield Said(connection)
    await connection.close()


def _asks() -> Iterator[str]:
    tables = sorted({name for rights in WRITTEN.values() for name in rights if "." in name and "_seq" not in name})
    yield from (each.format(table=table) for table in tables for each in READS)
    yield from (each.format() for each in ASKS)


class TestHostile:
    """As each door."""

    async def test_it_becomes_nobody_else(self, said: Said, door: str, marked: Stage) -> None:
        """Roles, definitions, files, programs, other sessions: each attempt is refused, and by PostgreSQL itself."""
        got = {one: await said.attempt(one.format(p=PREFIX)) for one in DENIED}
        assert {one: state for one, state in got.items() if state not in _REFUSED} == {}
        assert said.marks(HIDDEN[door]) == []
        assert marked

    async def test_it_learns_of_nobody_it_may_not_know(self, said: Said, door: str, marked: Stage) -> None:
        """Every table by four ways, statistics, plans, XML, notices, casts and divisions that fail on a hidden row."""
        for one in _asks():
            await said.attempt(one)
        assert said.marks(HIDDEN[door]) == []
        if door in NAMELESS:
            assert said.marks((marked.people["b"], marked.people["c"])) == []

    async def test_it_counts_nothing_hidden(self, said: Said, door: str) -> None:
        """A division that fails only on somebody's points fails for nobody who may not see them."""
        for points in [int(mark) for mark in HIDDEN[door] if mark.isdigit()]:
            state = await said.attempt(f"select 1 / (points - {points}) from scoring.standing")
            assert state in {None, "42501"}, points

    async def test_what_it_grants_is_nothing(self, said: Said) -> None:
        """Handing on is no right of anybody's."""
        step = said.connection.transaction()
        await step.start()
        try:
            await said.connection.execute("grant select on scoring.standing, auth.citizen to public")
            assert await unwritten(said.connection) == []
        except asyncpg.InsufficientPrivilegeError:
            pass
        await step.rollback()

    async def test_the_marks_can_be_heard(self, marked: Stage) -> None:
        """Who may look does find every mark, so that silence above means something."""
        owner = await asyncpg.connect(marked.url)
        heard = Said(owner)
        for one in _asks():
            await heard.attempt(one)
        everything: tuple[Any, ...] = (*BOB_IS, *BOB_HAS, *CAL_HAS, marked.people["b"])
        assert heard.marks(everything) == list(everything)
        await owner.close()
