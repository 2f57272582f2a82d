"""Blind indexes made anew from the sealed values, under the current epoch's key, when the jobs rotate.

Keeps nothing. Promises: set-wise, resumable, safe beside arrivals: a row that somebody holds is left for the next call,
and until its turn a row is found by what it was written with (`Keyring.blind`). Opens each person's identity key for
the moment of the row and keeps none of it.
"""

import uuid

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auth import accounts, citizens
from auth.accounts import Came
from auth.citizens import Profile
from core import db, sealed
from core.keys import Keyring


async def citizens_by_number(session: AsyncSession, ring: Keyring, *, limit: int) -> int:
    """Index up to `limit` citizens' ID numbers under the current epoch; returns how many. `session`: the jobs door."""
    connection = await db.raw(session)
    rows = await connection.fetch(_OLDER, ring.epoch, list(ring.epochs), limit)
    made: list[tuple[uuid.UUID, bytes]] = []
    for row in rows:
        owner = row["id"]
        key = ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=owner, purpose="identity")
        opened = sealed.unseal(key, row["sealed_profile"], place=("auth.citizen", "sealed_profile", owner.bytes))
        profile = msgspec.json.decode(opened, type=Profile)
        made.append((owner, citizens.id_digests(ring, profile.id_number)[0]))
    if made:
        await connection.execute(_WRITE, *zip(*made, strict=True))
    return len(made)


async def accounts_by_name(session: AsyncSession, ring: Keyring, *, limit: int) -> int:
    """Index up to `limit` accounts under the current epoch and seal them to their new rows; returns how many."""
    connection = await db.raw(session)
    rows = await connection.fetch(_OLDER_ACCOUNTS, ring.epoch, list(ring.epochs), limit)
    made: list[tuple[bytes, bytes, bytes]] = []
    for row in rows:
        key = ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=row["citizen_id"], purpose="identity")
        opened = sealed.unseal(key, row["sealed"], place=("auth.account", "sealed", row["digest"]))
        came = msgspec.json.decode(opened, type=Came)
        digest = accounts.digests(ring, came)[0]
        made.append((row["digest"], digest, accounts.seal(key, came, digest)))
    if made:
        await connection.execute(_WRITE_ACCOUNTS, *zip(*made, strict=True))
    return len(made)


_OLDER = """
select c.id, c.sealed_profile, k.epoch, k.wrapped
from auth.citizen c join keys.person_key k on k.owner = c.id and k.purpose = 'identity'
where c.index_epoch <> $1 and k.epoch = any($2::integer[]) limit $3 for update of c skip locked
"""

_WRITE = """
update auth.citizen c set id_digest = new.id_digest
from unnest($1::uuid[], $2::bytea[]) as new (id, id_digest) where c.id = new.id
"""

_OLDER_ACCOUNTS = """
select a.digest, a.sealed, a.citizen_id, k.epoch, k.wrapped
from auth.account a join keys.person_key k on k.owner = a.citizen_id and k.purpose = 'identity'
where a.index_epoch <> $1 and k.epoch = any($2::integer[]) limit $3 for update of a skip locked
"""

_WRITE_ACCOUNTS = """
update auth.account a set digest = new.digest, sealed = new.sealed
from unnest($1::bytea[], $2::bytea[], $3::bytea[]) as new (old, digest, sealed) where a.digest = new.old
"""
