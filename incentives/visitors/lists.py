"""Trust lists as they are kept: taken in when the pinned signers signed them and they are newer, never changed.

What is stored is what was signed. Whoever reads one checks the signatures anew (`books`).
"""

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from incentives.recognition import trust
from incentives.recognition.trust import Seen, TrustList
from incentives.visitors.rootkeys import RootKeys
from incentives.visitors.tables import trust_list


async def newest(session: AsyncSession) -> bytes | None:
    """The newest list that was taken in, as it was signed."""
    found = await session.scalar(select(trust_list.c.body).order_by(trust_list.c.seq.desc()).limit(1))
    return None if found is None else found.encode()


async def take(session: AsyncSession, raw: bytes, roots: RootKeys) -> TrustList:
    """Take a list in; the same once more changes nothing. Raises Distrusted."""
    held, now = await newest(session), int(clock.wall().timestamp())
    found = trust.read(raw, roots.keys, needed=roots.needed, now=now, seen=None if held is None else seen(held))
    if held is None or trust.unread(held).seq < found.body.seq:
        await session.execute(insert(trust_list).values(seq=found.body.seq, body=raw.decode()))
    return found


def seen(held: bytes) -> Seen:
    """What a newer list must be newer than."""
    payload = msgspec.json.decode(held, type=_Payload).payload
    return Seen(trust.unread(held).seq, payload)


class _Payload(msgspec.Struct):
    payload: str
