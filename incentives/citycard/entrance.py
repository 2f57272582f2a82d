"""The city card's door: one call of a gate function a question, which proves the operator by its token's hash.

Promises: nothing of another operator; a dead token gets TokenDead. Every function of this door answers a live token
with at least one row, so no row is no answer.
"""

import uuid
from typing import Literal

import asyncpg
import msgspec

from incentives import rulebook
from incentives.book.kinds import KINDS
from incentives.book.perks import Perk
from incentives.eligibility import TokenDead

_PERKS = "select * from incentives.perks_of_operator($1)"


class Held(msgspec.Struct, frozen=True):
    """A perk that an operator's gates may give, as a release says it."""

    perk: Perk
    release_id: uuid.UUID

    def worth(self) -> Literal["value", "courtesy"]:
        """`value` where money hangs on it: then a gate whose list is stale gives nobody the perk."""
        return "value" if KINDS[self.perk.kind].money else "courtesy"


class Entrance:
    """The door's raw connections. One a request; it keeps nothing."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """`pool` is that of the door `citycard`."""
        self._pool = pool

    async def ask(self, query: str, *given: object) -> "list[asyncpg.Record]":
        """The rows of one call of a gate function, which is a transaction of its own. Raises TokenDead."""
        if rows := await self._pool.fetch(query, *given):
            return rows
        detail = "Ask for a new access token."
        raise TokenDead(detail)

    async def perks(self, *, token: bytes) -> list[Held]:
        """The caller's perks in force today, by id. Raises TokenDead."""
        return [
            Held(perk, row["release_id"])
            for row in await self.ask(_PERKS, token)
            if row["perk_id"] is not None
            for perk in rulebook.read(row["body"], row["name"])
            if perk.id == row["perk_id"]
        ]
