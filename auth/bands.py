"""In which groups people are counted: district, band of age, sex; read from sealed profiles, and nothing more of them.

For numbers about everybody at once (rehearsals): whoever asks gets groups and never a name, a number or a birth date.
Only the jobs' door can ask, since no other opens everybody's profile; each run leaves one entry that everybody reads.
"""

import uuid
from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auth.citizens import read_profile
from core import db
from core.keys import KeyGone, Keyring

_PROFILES = """
select c.id, c.sealed_profile, k.epoch, k.wrapped from auth.citizen c
join keys.person_key k on k.owner = c.id and k.purpose = 'identity'
where c.id = any($1::uuid[]) and c.sealed_profile is not null
"""
_BANDS = ((18, "18-29"), (30, "30-44"), (45, "45-59"), (60, "60-74"), (75, "75+"))
_SEX = 16


class Groups(msgspec.Struct, frozen=True):
    """`district`: the six digits where the ID number was first issued; `sex`: by its seventeenth digit (GB 11643)."""

    district: str
    age: str
    sex: str


async def of(
    session: AsyncSession, ring: Keyring, *, citizen_ids: Sequence[uuid.UUID], on: date
) -> dict[uuid.UUID, Groups]:
    """The groups of these citizens on a day; whoever proved no name is absent."""
    connection = await db.raw(session)
    found: dict[uuid.UUID, Groups] = {}
    for row in await connection.fetch(_PROFILES, list(citizen_ids)):
        try:
            key = ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=row["id"], purpose="identity")
        except KeyGone:
            continue
        profile = read_profile(key, row["sealed_profile"], row["id"])
        sex = "male" if int(profile.id_number[_SEX]) % 2 else "female"
        found[row["id"]] = Groups(profile.id_number[:6], band(profile.birth_date, on), sex)
    return found


def band(born: date, on: date) -> str:
    """The band of an age on a day; whoever is not yet eighteen is in the youngest."""
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return next((name for start, name in reversed(_BANDS) if age >= start), _BANDS[0][1])
