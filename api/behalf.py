"""Who acts for a citizen, what they may do, and the entry that the citizen sees of each request.

A clerk at a counter does what the citizen's app does, but for a short list; a relative looks at a short list. The
entry is written, and committed, before the request is handled: no fault of a handler loses it. A request that is not
allowed leaves one too.
"""

import uuid
from typing import Any, cast

from api.deps import Connection, House
from auth.counter.assisted import Assisted
from auth.counter.proxies import Proxy
from core import audit, ids
from core.audit import Actor
from core.errors import Forbidden

_ME = "/v1/me"
# What belongs to the citizen's own hands: their sessions, and codes that would let a clerk come back without them.
_OWN_HANDS = ("/v1/me/sessions", "/v1/me/counter-code", "/v1/me/proxies/accept")
_CREDIT_CODE = "/v1/me/credit-code"


# What a relative may look at.
_SHOWN = frozenset({_ME, *(f"{_ME}/{part}" for part in ("score", "records", "accesses", "consents", "perks"))})


class ViewOnly(Forbidden):
    """A relative may look, and do nothing."""

    code = "view_only"
    title = "You may only look"


class NotAtCounter(Forbidden):
    """A counter may not do this for a citizen."""

    code = "not_at_a_counter"
    title = "Not at a counter"


async def clerk(connection: Connection, here: House, sitting: Assisted) -> None:
    """Let a clerk's request pass, and leave its entry. Raises NotAtCounter.

    A credit code is drawn at a counter only where the citizen's PIN was given, which no clerk has by themselves.
    """
    template = _template(connection)
    mine = template == _ME or template.startswith(f"{_ME}/")
    allowed = mine and not template.startswith(_OWN_HANDS)
    allowed &= template != _CREDIT_CODE or sitting.proved_by == "card_pin"
    await _entry(connection, here, sitting, "asked" if allowed else "denied")
    if not allowed:
        raise NotAtCounter("This is done by the citizen alone, or with the city card and its PIN.")


async def beside(connection: Connection, here: House, sitting: Assisted) -> None:
    """Leave the entry of a page that a clerk opens at the desk in a session of theirs (`api.desk.opposite`)."""
    await _entry(connection, here, sitting, "asked")


async def proxy(connection: Connection, here: House, looking: Proxy) -> None:
    """Let a relative's request pass, and leave its entry. Raises ViewOnly."""
    allowed = cast("dict[str, Any]", connection.scope)["method"] == "GET" and _template(connection) in _SHOWN
    await _note(
        connection,
        here,
        Actor("proxy", ids.show("px", looking.id)),
        owner=looking.citizen_id,
        what=("proxy.read", "relative", "asked" if allowed else "denied"),
        detail={"basis": looking.basis},
    )
    if not allowed:
        raise ViewOnly("Whoever looks for another reads GET /v1/me, /score, /records, /accesses, /consents, /perks.")


async def _entry(connection: Connection, here: House, sitting: Assisted, outcome: str) -> None:
    await _note(
        connection,
        here,
        Actor("staff", sitting.client_id),
        owner=sitting.citizen_id,
        what=("counter.request", sitting.purpose, outcome),
        detail={"clerk": sitting.clerk, "session": ids.show("as", sitting.id)},
    )


async def _note(
    connection: Connection,
    here: House,
    actor: Actor,
    *,
    owner: uuid.UUID,
    what: tuple[str, str, str],
    detail: dict[str, Any],
) -> None:
    action, purpose, outcome = what
    request = f"{cast('dict[str, Any]', connection.scope)['method']} {_template(connection)}"
    async with here.doors.claims("auth") as session:
        await audit.write(
            session,
            actor=actor,
            action=action,
            purpose=purpose,
            outcome=outcome,
            owner=owner,
            detail={**detail, "request": request},
        )


def _template(connection: Connection) -> str:
    """The address as it is published, without anything of the request's own."""
    return str(cast("dict[str, Any]", connection.scope).get("path_template", "")).replace(":str}", "}")
