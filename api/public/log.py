"""The sealed log for everybody: its newest head, proofs that one head continues another, the proof of one's own entry.

A head that somebody keeps binds us: every later head must continue it. What the log holds stays closed; a proof shows
hashes, and the one entry whose owner asks for it.
"""

from base64 import b64encode

import msgspec
from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen.door import behind
from core import db, ids, logproof, merkle, tree
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.tables import audit_head


class NotSealedYet(Conflict):
    """The entry is there and the sealer has not come yet."""

    code = "not_sealed_yet"
    title = "The entry is not sealed yet"
    retryable = True


class Consistency(msgspec.Struct, frozen=True):
    """RFC 9162, section 2.1.4: `hashes` prove that the tree of `new` leaves begins with the tree of `old`; base64."""

    old: int
    new: int
    hashes: list[str]


class Proof(msgspec.Struct, frozen=True):
    """RFC 9162, section 2.1.3: leaf = SHA-256(0x00, `entry` as UTF-8, `salt`), number `index` of the `checkpoint`."""

    entry: str
    salt: str
    index: int
    size: int
    hashes: list[str]
    checkpoint: str


def _text(hashes: list[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in hashes]


@get("/checkpoint", summary="The newest head of the log", tags=["rules"], media_type=MediaType.TEXT)
async def newest(session: NamedDependency[AsyncSession]) -> Response[str]:
    """A C2SP tlog-checkpoint, signed by the key `log-1` of `/.well-known/jwks.json`. Keep it: it binds us."""
    note = await session.scalar(select(audit_head.c.note).order_by(audit_head.c.size.desc()).limit(1))
    if note is None:
        raise NotFound("Nothing was sealed yet.")
    return Response(note, media_type=MediaType.TEXT, headers={"Cache-Control": "public, max-age=1"})


@get("/proof/consistency", summary="That one head continues another", tags=["rules"])
async def consistency(session: NamedDependency[AsyncSession], old: FromQuery[int], new: FromQuery[int]) -> Consistency:
    """For sizes of two heads, the older first."""
    size = await session.scalar(select(audit_head.c.size).order_by(audit_head.c.size.desc()).limit(1)) or 0
    if not 0 <= old <= new <= size:
        raise Invalid(errors=[FieldError("/new", "out_of_range", f"0 <= old <= new <= {size}.")])
    ranges = merkle.consistency_ranges(old, new)
    return Consistency(old, new, _text(await tree.over(await db.raw(session), ranges)))


@get("/v1/me/accesses/{access_id:str}/proof", summary="That an entry about you is in the log", tags=["citizen"])
async def proof(
    access_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Proof:
    """The exact entry, its salt, and the hashes up to the newest head. 409 `not_sealed_yet` in the first seconds."""
    sealed = await logproof.of(session, owner=caller.id, entry_id=ids.read("ac", access_id))
    if sealed is None:
        raise NotSealedYet("Ask again in a few seconds.")
    return Proof(
        sealed.text,
        b64encode(sealed.salt).decode(),
        sealed.seq,
        sealed.size,
        _text(sealed.path),
        sealed.note,
    )


handlers = [
    Router(
        path="/v1/rules/log",
        route_handlers=[newest, consistency],
        dependencies={"session": Provide(deps.work("citizen"))},
    ),
    behind([proof]),
]
