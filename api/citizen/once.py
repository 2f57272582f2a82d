"""One effect for one Idempotency-Key, for what a citizen opens: an application, a declaration, a commitment, a dispute.

Only the id of what was opened is kept, never its words: a repeat is answered with the matter as it stands now and says
`Idempotent-Replayed: true`. The same key with another input, or for another operation, is a conflict. Call it after
`leaving.turn`, so that two requests of one citizen come one after the other.
"""

import uuid
from typing import Annotated, TypeVar

import msgspec
from litestar import Response
from litestar.params import HeaderParameter
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.deps import House
from core import idempotency
from core.errors import FieldError, Invalid
from core.idempotency import Stored

View = TypeVar("View", bound=msgspec.Struct)
IdempotencyKey = Annotated[str | None, HeaderParameter(name="Idempotency-Key")]
_LONGEST_KEY = 255
_CREATED = 201


async def before(
    session: AsyncSession, house: House, caller: guards.Citizen, key: str | None, *, route: str, given: msgspec.Struct
) -> uuid.UUID | None:
    """What the first request with this key opened; None when this is the first, or has no key.

    Raises Invalid for a malformed key, IdempotencyConflict, IdempotencyInFlight.
    """
    if key is None:
        return None
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        advice = "Send 1 to 255 printable ASCII characters, e.g. a UUID."
        raise Invalid("The Idempotency-Key cannot be used.", errors=[FieldError("/Idempotency-Key", "invalid", advice)])
    stored = await idempotency.begin(
        session, caller=str(caller.id), key=key, route=route, given=msgspec.to_builtins(given),
        secret=house.ring.derive("idempotency"),
    )  # fmt: skip
    return None if stored is None else uuid.UUID(bytes=stored.body)


async def keep(session: AsyncSession, caller: guards.Citizen, key: str | None, opened: uuid.UUID) -> None:
    """Remember what this key opened, in the transaction that opens it."""
    if key is not None:
        stored = Stored(_CREATED, opened.bytes)
        await idempotency.keep(session, caller=str(caller.id), key=key, stored=stored)


def again(shown: View) -> Response[View]:
    """The answer to a repeat."""
    return Response(shown, status_code=_CREATED, headers={"Idempotent-Replayed": "true"})


def first(shown: View) -> Response[View]:
    """The answer to the request that opened it."""
    return Response(shown, status_code=_CREATED)
