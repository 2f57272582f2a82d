"""What the worker does for an order at a channel: look, decide, store the call, make it, look again.

Nothing is held while the channel takes its time. A process that is killed at any point leaves a row that says what was
asked; the next look begins with a query, never with a new number, and goes on from what it finds. `course` decides;
this module only walks.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.db import Doors
from incentives.channels import alipay, asking, course, numbers, pacing, rows
from incentives.channels.account import Account
from incentives.channels.asking import Told
from incentives.channels.course import Known, Step, TooMuch, Want
from incentives.channels.rows import Asked, Ending, Row, Standing
from incentives.channels.words import Call, Heard

Accounts = Mapping[tuple[str, str], Account]
_MOST = 8
# For how long a first call that nobody found may still arrive; what a telephone launches, for as long as it may freeze.
_LATE = {"wechat": timedelta(minutes=10), "alipay": timedelta(days=15)}
_log = structlog.get_logger("osmanthus.channels")


class Seen(msgspec.Struct, frozen=True):
    """What one look found there."""

    known: Known
    absent: bool = False
    theirs: str = ""
    trade: str = ""
    turn: int = 0


class Mirror:
    """The mirror of one worker."""

    def __init__(
        self, doors: Doors, accounts: Accounts, *, notify: str, ask: Callable[[Account, Call], Awaitable[Told]]
    ) -> None:
        """`notify`: where channels call back, `{}` for which; `ask` makes one call."""
        self._doors, self._accounts, self._notify, self._ask = doors, accounts, notify, ask

    async def look(self, payload: str) -> None:
        """See to one order, by its id, if something is due."""
        async with self._doors.work("jobs") as session:
            row = await rows.take(session, uuid.UUID(payload))
        if row is None:
            return
        account = self._accounts.get((row.partner_id, row.perk_id))
        if account is None or account.channel != row.channel:
            ending = _parked("no_account")
        else:
            ending = await self._walk(row, account)
        if ending.parked:
            _log.error("parked", order=ids.show("or", row.order_id), channel=row.channel, why=ending.parked)
        async with self._doors.work("jobs") as session:
            await rows.finish(session, row, ending)

    async def _walk(self, row: Row, account: Account) -> Ending:
        before = row
        for _ in range(_MOST):
            row, ending = await self._step(row, account, before)
            if ending is not None:
                return ending
        return _failed(before)

    async def _step(self, row: Row, account: Account, before: Row) -> tuple[Row, Ending | None]:
        """Look once, and make the call that follows; with how the look ends, if it does."""
        seen = await self._find(row, account)
        if seen is None:
            return row, _failed(before)
        if max(seen.known.charged, seen.known.paid) > row.amount:
            return row, _parked("overcharged")
        async with self._doors.work("jobs") as session:
            row, ending, call = await self._decide(session, row, account, seen)
        if call is None:
            return row, ending or _rested(row, before)
        told = await self._made(account, call)
        async with self._doors.work("jobs") as session:
            await _keep(session, row, call, told)
        return row, _after(told.heard, before)

    async def _find(self, row: Row, account: Account) -> Seen | None:
        """How the order stands there; None when the channel gives no sure answer."""
        async with self._doors.work("jobs") as session:
            asked = await rows.calls(session, row)
        if not asked and row.stage == "none":
            return Seen(Known())
        now = clock.wall()
        heard = (await self._ask(account, numbers.look(row.channel, row.number, at=now))).heard
        if heard.outcome == "absent":
            over = row.stage in {"paid", "released"}
            return Seen(row.known if over else Known(), absent=True, turn=row.turn)
        if heard.outcome != "done" or heard.known is None:
            return None
        number = numbers.charge(row.channel, row.number, turn=row.turn)
        if number is None or number not in asked:
            return Seen(heard.known, theirs=heard.theirs, turn=row.turn)
        trade = (await self._ask(account, numbers.trade(row.number, number, at=now))).heard
        return _with_trade(heard, trade, row.turn)

    async def _decide(
        self, session: AsyncSession, row: Row, account: Account, seen: Seen
    ) -> tuple[Row, Ending | None, Call | None]:
        """Store what was found, note a payment, and store the next call, if there is one."""
        standing = await rows.standing(session, row)
        want, asked = course.wanted(standing.ours), await rows.calls(session, row)
        first = asked.get(numbers.request(row.channel, "create", row.number, turn=0, amount=0))
        known = _launched(row, seen, want, first)
        row = await rows.found(session, row, known, theirs=seen.theirs, trade=seen.trade, turn=seen.turn)
        if known.paid > row.recorded and await rows.record(session, row):
            return row, Ending(timedelta(0)), None
        try:
            step = course.following(known, want)
        except TooMuch:
            return row, _parked("over_the_guarantee"), None
        if row.channel == "wechat" and known.stage == "to_confirm" and want.aim == "hold" and row.launch is None:
            step = Step("create")  # its answer was lost, and with it what the payer needs: the same call says it again
        if step is None:
            return row, _over(row, known, want, first, standing), None
        return row, None, await self._stored(session, row, account, step, standing)

    async def _stored(self, session: AsyncSession, row: Row, account: Account, step: Step, standing: Standing) -> Call:
        amount = row.amount if step.verb == "create" else step.amount
        request = numbers.request(row.channel, step.verb, row.number, turn=row.turn, amount=amount)
        asked = await rows.ask(session, row, request=request, verb=step.verb, amount=amount)
        of_a_charge = step.verb in {"modify", "sync"}
        return Call(
            step.verb, row.number, request, asked.asked_at, amount=amount, turn=row.turn,
            held=row.held if row.stage == "held" else 0, theirs=row.trade if of_a_charge else row.theirs,
            until=standing.start_by, attach=standing.out_order_no, notify=self._notify.format(account.channel),
            ends=standing.planned_end if step.verb == "create" else standing.returned_at,
        )  # fmt: skip

    async def _made(self, account: Account, call: Call) -> Told:
        """Make a call; what the payer's telephone is to send at Alipay is only written."""
        if account.channel == "alipay" and call.verb == "create":
            return Told(Heard("done", launch=alipay.launch(account, call)), b"")
        return await self._ask(account, call)


async def _keep(session: AsyncSession, row: Row, call: Call, told: Told) -> None:
    heard = told.heard
    await rows.answered(session, row, call.request, outcome=heard.outcome, said=heard.said, digest=told.digest)
    if heard.launch is not None:
        await rows.launched(session, row, heard.launch)
    if heard.outcome == "refused":
        await rows.found(session, row, Known("released"), theirs="", trade="", turn=row.turn)


def _with_trade(freeze: Heard, trade: Heard, turn: int) -> Seen | None:
    known = freeze.known or Known()
    if trade.outcome == "absent":
        return Seen(known, theirs=freeze.theirs, turn=turn)
    if trade.outcome != "done":
        return None
    closed = trade.trade == "closed"
    found = alipay.with_trade(known, trade)
    return Seen(found, theirs=freeze.theirs, trade="" if closed else trade.theirs, turn=turn + closed)


def _launched(row: Row, seen: Seen, want: Want, first: Asked | None) -> Known:
    """What is known; a string that a telephone may launch is there for its payer before the channel knows of it."""
    if seen.absent and row.channel == "alipay" and first and want.aim == "hold" and seen.known.stage == "none":
        return Known("to_confirm", row.amount)
    return seen.known


def _over(row: Row, known: Known, want: Want, first: Asked | None, standing: Standing) -> Ending | None:
    """The end of looking, if this is one; None to look again."""
    unrecorded = known.paid > row.recorded and standing.ours.status != "disputed"
    if unrecorded and known.stage == "paid":
        return Ending(None, parked="paid_twice")
    if not course.at_rest(known, want):
        return None
    late = known.stage == "none" and first is not None and clock.wall() < first.asked_at + _LATE[row.channel]
    return None if late else Ending(None)


def _rested(row: Row, before: Row) -> Ending:
    idle = before.idle + 1 if row.known == before.known else 0
    return Ending(pacing.again(row.stage, idle), idle=min(idle, 30_000))


def _failed(before: Row) -> Ending:
    tries = min(before.tries + 1, 30_000)
    parked = "unknown" if tries >= pacing.PARKED_AFTER else None
    return Ending(pacing.retry(tries), tries=tries, idle=before.idle, parked=parked)


def _after(heard: Heard, before: Row) -> Ending | None:
    """How a look ends after a call; None to look at what came of it."""
    if heard.outcome == "ours":
        return _parked(heard.said)
    return None if heard.outcome in {"done", "refused"} else _failed(before)


def _parked(why: str) -> Ending:
    return Ending(pacing.retry(pacing.PARKED_AFTER), tries=pacing.PARKED_AFTER, parked=why)


def asker(*, sandbox: bool, seconds: float = asking.SECONDS) -> Callable[[Account, Call], Awaitable[Told]]:
    """What makes calls over HTTP."""

    async def ask(account: Account, call: Call) -> Told:
        return await asking.ask(account, call, sandbox=sandbox, seconds=seconds)

    return ask
