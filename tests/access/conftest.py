"""Three people, on a clone that a whole file looks at.

Ann stands at the citizen's door. Bob takes part too, and is nobody's business there. Cal's consent has run out, and
what he has rests unused for 30 days.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import asyncpg
import pytest_asyncio

from core import embedded
from core.db import Doors
from core.keys import Keyring
from scoring import holders
from tests.clones import clone
from tests.conftest import PREFIX
from tests.gateworld import log_in, world
from tests.scoringworld import City, id_number, water

ANN, BOB, CAL = (id_number(order) for order in (1, 2, 3))


class Stage:
    """The three, and the settings that make a transaction Ann's."""

    def __init__(self, url: str, proof: bytes, subject: str, people: Mapping[str, str]) -> None:
        """`people` maps each one's letter to their id; `subject` is that of Ann's records."""
        self.url, self.proof, self.subject, self.people = url, proof, subject, people


@pytest_asyncio.fixture(scope="module")
async def stage(cluster: embedded.Cluster, template: str, ring: Keyring) -> AsyncIterator[Stage]:
    """One clone for this file: nothing here commits a change."""
    async with clone(cluster, template) as url:
        doors = Doors(url, ring, PREFIX, size=1)
        owner = await asyncpg.connect(url)  # a clone has not its template's own rights
        await owner.execute(f"revoke temporary on database {urlsplit(url).path[1:]} from public")
        await owner.close()
        city = City(doors, url)
        await city.publish()
        for who in (ANN, BOB, CAL):
            await city.join(who)
        await city.push(water("r1", ANN), water("r2", BOB), water("r3", CAL))
        cal, proof = city.people[CAL], secrets.token_bytes(32)
        await city.rows("update auth.consent set expires_at = now() - interval '1 day' where citizen_id = $1", cal)
        async with city.owner() as session:
            await log_in(await session.connection(), city.people[ANN], proof)
            found = await holders.of(session, ring, citizen_ids=city.people.values())
            lost = [one.record_subject for one in found.values()]
        await city.rows(
            "update scoring.live set until = now() - interval '1 day' where record_subject <> all ($1::uuid[])", lost
        )
        async with world(url) as laid:
            await laid.consent(city.people[BOB], "share:p/x")
            await laid.consent(city.people[BOB], "share:p/y", ended="withdrawn")
            await laid.consent(city.people[ANN], "share:p/z", ended="withdrawn")
            await laid.do("insert into auth.source_subject (source, digest, seq, changed_at, left_at) "
                          "values ('s', 'x', 0, now(), now()), "
                          "('s', 'y', 0, now(), now() - interval '40 days')")  # fmt: skip
            await laid.do(
                "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, detail) "
                "values (gen_random_uuid(), now(), 'system', 'jobs', 'everyone.read', 'p', 'done', '{}')"
            )
            _, old = await laid.logged_in(city.people[BOB])
            await laid.do("update auth.session set expires_at = now() - interval '2 days' where hash = :old", old=old)
        people = {letter: str(city.people[who]) for letter, who in zip("abc", (ANN, BOB, CAL), strict=True)}
        yield Stage(url, proof, str(found[city.people[ANN]].record_subject), people)
        await doors.close()
