"""The purposes that consent is asked for, each by itself, and what each needs before it can be given.

One request is one purpose: nothing is bundled (PIPL articles 14, 16, 23, 29). `score` names its sources;
`sensitive:<kind>` one kind of record; `share:<partner>/<perk>` one partner and one perk; `recognise:<city>` one city;
`occupational-report` nothing but itself.
"""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from api.citizen.notices import PurposeNotOffered
from auth import clients
from auth.consent import ledger
from auth.notices import Notice, Recipient
from core.errors import Conflict, FieldError, Invalid
from scoring.book.kinds import Kind
from scoring.rulebook import RuleBook


class UnknownSource(Invalid):
    """A chosen source is not among the optional ones of the notice."""

    code = "unknown_source"
    title = "This source is not offered"


class UnknownRecipient(Invalid):
    """The recipient does not exist or does not offer the perk."""

    code = "unknown_recipient"
    title = "This recipient is not offered"


class ScoreNeeded(Conflict):
    """A sensitive kind counts into points, so there must be points."""

    code = "score_needed"
    title = "Give the score consent first"


async def recipient(session: AsyncSession, purpose: str, notice: Notice) -> Recipient | None:
    """Whom the consent names besides the controller, if anybody. Raises UnknownRecipient."""
    head, _, rest = purpose.partition(":")
    if head == "share":
        return await _partner(session, rest)
    if head == "recognise":
        return _city(rest, notice)
    return None


async def sensitive(session: AsyncSession, purpose: str, book: RuleBook, *, citizen_id: uuid.UUID) -> Kind:
    """The kind of a `sensitive:<kind>` consent. Raises PurposeNotOffered, ScoreNeeded.

    What no rule in force needs is not asked for (PIPL articles 6 and 28).
    """
    code = purpose.partition(":")[2]
    if code not in book.sensitive:
        detail = f"No rule in force counts {code}, so nobody is asked for it."
        raise PurposeNotOffered(detail)
    if await ledger.live(session, citizen_id=citizen_id, purpose="score") is None:
        detail = "This kind of record counts into your points: give the consent for score first."
        raise ScoreNeeded(detail)
    return book.catalogue.kinds[code]


def must_be_offered(chosen: tuple[str, ...], notice: Notice) -> None:
    """Raise UnknownSource for a source that the notice does not leave to the citizen."""
    if set(chosen) - set(notice.optional_sources):
        advice = f"Offered are: {', '.join(notice.optional_sources) or 'none'}."
        raise UnknownSource(errors=[FieldError("/optional_sources", "unknown_source", advice)])


async def _partner(session: AsyncSession, rest: str) -> Recipient:
    client_id, _, perk = rest.partition("/")
    found = await clients.get(session, client_id)
    if found is None or found.role not in {"partner", "citycard"} or perk not in found.perks:
        raise UnknownRecipient(errors=[FieldError("/purpose", "unknown_recipient", "Use share:<partner>/<perk>.")])
    return Recipient(found.client_id, found.name, found.contact or found.name, found.contact or found.name)


def _city(code: str, notice: Notice) -> Recipient:
    for one in notice.recipients:
        if one.id == code:
            return one
    known = ", ".join(one.id for one in notice.recipients)
    raise UnknownRecipient(errors=[FieldError("/purpose", "unknown_recipient", f"Cities that recognise: {known}.")])
