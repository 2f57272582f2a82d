"""One app with its identity provider for all tests of OAuth and login; each test makes what it looks at."""

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import text

from api.identity import idp
from core import db, embedded, idnumber
from core.keys import Keyring
from tests.api.identity.app import World, running
from tests.clones import clone
from tests.conftest import PREFIX


def _number(first: str) -> str:
    return idnumber.complete(first)


PEOPLE = [
    idp.Account("anna", "pw-anna", "s-1", "安娜", _number("99000019900101001")),
    idp.Account("anna-again", "pw-anna", "s-2", "安娜", _number("99000019900101001")),
    idp.Account("bo", "pw-bo", "s-3", "博", _number("99000019850505003")),
    idp.Account("kid", "pw-kid", "s-4", "小孩", _number("99000020150505005")),
    idp.Account("forged", "pw-forged", "s-5", "某", "990000199001010000"),
    idp.Account("locked", "pw-locked", "s-6", "锁", _number("99000019880808009")),
]


@pytest_asyncio.fixture(scope="session")
async def world(cluster: embedded.Cluster, template: str, ring: Keyring) -> AsyncIterator[World]:
    """Everything running on a database of its own."""
    async with clone(cluster, template) as url:
        doors = db.Doors(url, ring, PREFIX)
        async with running(url, doors, PEOPLE) as made:
            yield made
        await doors.close()


@pytest_asyncio.fixture(scope="module", autouse=True)
async def nothing_counted(world: World) -> None:
    """The limits of an address begin anew with each file: all of them call from the same one."""
    await world.operate(lambda session: session.execute(text("delete from core.short_count")))
