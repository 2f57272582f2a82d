"""A disputed charge, or one overdue for 30 days, at the desk: the API's calls, with yuan instead of fen in the form.

The day of the queue is the one on which the clock decides by itself, in the citizen's favour.
"""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api import workpages
from api.deps import House, HttpRequest
from api.seated import Seated
from api.staff import orders
from api.staff.orders import Decision, View, Waiting
from core import clock
from core.errors import FieldError, Invalid
from incentives.orders.courses import CLOCKS, ORDER, REASONS

_FEN = 100
NAMES = {"uphold": "争议成立：少收或不收", "reject": "争议不成立：照收", "default": "认定未履约：只暂停这一项便利",
         "write_off": "余款不收了"}  # fmt: skip


async def read(order_id: str, session: AsyncSession, _house: House, caller: Seated, clerk: str, purpose: str) -> View:
    """Open one; its citizen reads who did, and why."""
    return await orders.one.fn(order_id, session, caller, clerk, purpose)


async def decide(order_id: str, said: Decision, session: AsyncSession, _house: House, caller: Seated) -> View:
    """Decide, with an answer that the citizen reads."""
    return await orders.decide.fn(order_id, said, session, caller)


async def sent(request: HttpRequest, **more: object) -> Decision:
    """The form's decision; what remains to pay is written in yuan. Raises Invalid."""
    yuan = str((await request.form()).get("yuan", "")).strip()
    if not yuan:
        return await workpages.sent(request, Decision, **more)
    try:
        fen = Decimal(yuan) * _FEN
    except InvalidOperation as error:
        raise Invalid(errors=[FieldError("/yuan", "not_money", "For example 12.50.")]) from error
    if not fen.is_finite() or fen != int(fen) or fen < 0:
        raise Invalid(errors=[FieldError("/yuan", "not_money", "At least 0, at most two decimals.")])
    return await workpages.sent(request, Decision, charge=int(fen), **more)


def what(one: Waiting, partners: dict[str, str], perks: dict[str, str]) -> str:
    """What is at stake, in one line."""
    why = f"，{REASONS.get(one.reason, one.reason)}" if one.reason else ""
    return f"{partners.get(one.partner, one.partner)} {perks.get(one.perk, one.perk)}，{one.due / _FEN:.2f}元{why}"


def due(one: Waiting) -> date:
    """The day on which the clock decides by itself."""
    return clock.day_of(one.since + timedelta(hours=CLOCKS[one.status].after or 0))


def told(found: Any) -> dict[str, Any]:
    """What the page says of an order beside its numbers."""
    return {"names": NAMES, "state": ORDER.chinese, "why": REASONS.get(found.disputed_for or "", "")}
