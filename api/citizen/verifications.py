"""`POST /v1/me/verifications`: a citizen has a bureau answer yes or no about them, and sees the answer, as nobody else.

Asking is a consent of its own: for this kind and this purpose, good once, for a minute. What stays is that a question
was asked; the answer is in the reply and nowhere else, and no cache may keep it. No shipped perk needs one; a perk that
the law lets ask would go through the same port (`scoring.feeds.verification`).
"""

from datetime import timedelta

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from api.source import questions
from auth import citizens, digestkeys, leaving, registrations
from auth.consent import ledger
from core import audit, clock, sealed
from core.audit import Actor
from core.errors import NotFound
from core.outbound import NotReached
from scoring.feeds import verification
from scoring.feeds.verification import Kind, Question

_OK = 200
_SECONDS = 5.0
_GOOD_FOR = timedelta(seconds=60)


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which kind of register is asked. Sending it is the consent to this one question."""

    kind: Kind


class Verified(msgspec.Struct, frozen=True):
    """What the bureau answered. It is not kept."""

    kind: Kind
    answer: bool


class HttpBureau:
    """The adapter: the bureau's registered address, asked as `api.source.questions` says."""

    def __init__(self, house: House, address: str) -> None:
        """`address` was registered by two persons."""
        self._house, self._address = house, address

    async def ask(self, question: Question) -> bool:
        """One question. Raises NotReached."""
        most = verification.LONGEST
        async with questions.ask(self._house, self._address, question, most=most, seconds=_SECONDS) as answer:
            body = b"".join([chunk async for chunk in answer.chunks]) if answer.status == _OK else b""
        if (said := verification.read(body)) is None:
            raise NotReached("The bureau did not answer yes or no. Try again later.")
        return said


@post("/v1/me/verifications", status_code=200, summary="Have a bureau answer yes or no", tags=["citizen"])
async def verify(
    data: JSONBody[Ask], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Response[Verified]:
    """404 when no bureau answers this kind; 503 `not_reached` when it does not answer now. Nothing is kept."""
    purpose = verification.purpose(data.kind, "self")
    async with house.doors.work("citizen", proof=caller.proof) as session:  # committed before anybody is asked
        await leaving.turn(session, citizen_id=caller.id)
        address, digest = await _bureau(session, house, caller, data.kind)
        until = clock.civil() + _GOOD_FOR
        await ledger.give_one_use(session, citizen_id=caller.id, purpose=purpose, until=until)
        await audit.write(
            session, actor=Actor("citizen", "self"), action="verify.ask", purpose=purpose, outcome="done",
            owner=caller.id,
        )  # fmt: skip
    said = await HttpBureau(house, address).ask(Question(data.kind, digest, purpose))
    return Response(Verified(data.kind, said), headers={"Cache-Control": "no-store"})


async def _bureau(session: AsyncSession, house: House, caller: guards.Citizen, kind: Kind) -> tuple[str, str]:
    """Where the kind is answered, and the digest by which that bureau knows the caller. Raises NotFound."""
    asked = await registrations.addresses(session, purpose=f"verify:{kind}")
    keys = await digestkeys.of(session, house.ring, asked)
    if not keys:
        raise NotFound("No bureau answers this kind here.")
    name = min(keys)
    profile = await citizens.profile(session, house.ring, caller.id)
    return asked[name][0], sealed.digest(keys[name], profile.id_number).hex()


handlers = [behind([verify])]
