"""What becomes of one question about a reader: the library's answer, the city's, and the reader's class between them.

Promises that the library's own answer is the least that a reader gets: whatever goes wrong here, whatever is late, it
goes through as it came. A class is raised before a limit is told, so no screen promises what the desk refuses. Nothing
personal is logged, and of a standard route nothing is shown.
"""

import asyncio
import logging
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from api.sip2 import enriching, limits, words
from api.sip2.city import AwayError, City, Ruling
from api.sip2.enriching import Gift
from api.sip2.frames import Frame
from api.sip2.koha import NotMovedError, Register
from api.sip2.limits import LIMIT, Rung, Standing
from api.sip2.line import Line, LineError
from api.sip2.places import Places
from api.sip2.readers import Held, Readers
from core import clock

_LOG = logging.getLogger("osmanthus.sip2")
_MOST_LATE = 100
_MOST_CODES = 1000  # of which each lives a minute
_EXPECTED = (AwayError, NotMovedError, LineError)


class Asked(msgspec.Struct, frozen=True):
    """A terminal's question (23 or 63) about a card, with the credit code that was scanned in its place if one was."""

    card: str
    code: str | None
    frame: Frame


class Bridge:
    """Between one library's system and the city."""

    def __init__(self, places: Places, city: City, readers: Readers, *, register: Register | None, line: Line) -> None:
        """`register` moves readers between categories; without one the answers alone are enriched.

        Raises ValueError when somebody stands on a rung that the file no longer names.
        """
        self._places, self._city, self._readers, self._register, self._line = places, city, readers, register, line
        self._perks = places.perks()
        self._rungs: Mapping[str, Rung] = {one.name: one for one in places.rungs}
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[Frame]] = set()
        self._keys: OrderedDict[tuple[str, str], str] = OrderedDict()
        if lost := readers.rungs() - set(self._rungs):
            message = f"Readers stand on rungs that are not in the file any more: {', '.join(sorted(lost))}."
            raise ValueError(message)

    async def within(self, asked: Asked, answer: Frame) -> Frame:
        """The answer with what the perks add, or as it came when that takes longer than the library's patience.

        What is late goes on, and serves the next question.
        """
        if len(self._running) >= _MOST_LATE:
            return answer
        task = asyncio.create_task(self.answer(asked, answer))
        self._running.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=self._places.patience_ms / 1000)
        return task.result() if done and task.exception() is None else answer

    def _ended(self, task: "asyncio.Task[Frame]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            trace = None if isinstance(fault, _EXPECTED) else fault
            _LOG.warning("the library's own answer went through: %s", type(fault).__name__, exc_info=trace)

    async def close(self) -> None:
        """Let what is late come to its end."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def answer(self, asked: Asked, answer: Frame) -> Frame:
        """The answer with what the perks add. Raises AwayError, NotMovedError."""
        held, refused = await self._rulings(asked)
        granted = frozenset(one.perk for one, ruling in held if ruling.granted)
        before, standing = await self._settle(asked.card, answer, granted)
        if standing and standing.rung != (before and before.rung):
            answer = await self._afresh(asked, answer)
        gift = self._gift([(one, ruling) for one, ruling in held if ruling.granted], standing)
        return enriching.enriched(answer, msgspec.structs.replace(gift, words=(*gift.words, *refused)))

    async def _rulings(self, asked: Asked) -> tuple[list[tuple[Held, Ruling]], tuple[str, ...]]:
        """What goes with the card and what is decided of it now; what is said of a code that opens nothing."""
        refused = await self._take(asked) if asked.code else ()
        found: list[tuple[Held, Ruling]] = []
        for one in self._readers.held(asked.card, on=clock.today()):
            if one.subject:
                holder = {"subject": one.subject}
                found.append((one, await self._city.check(one.perk, holder=holder, amount=self._amount(one.perk))))
            elif one.told is not None:
                found.append((one, one.told))
        return found, refused

    async def _take(self, asked: Asked) -> tuple[str, ...]:
        """Ask about a code that was scanned; what it gives is kept with the card. What to say if it gives nothing."""
        code = asked.code or ""
        perk = await self._city.perk_of(code)
        if perk not in self._perks:
            return (words.REFUSED["code_not_for_you"],)
        key = self._key(asked.card, code)
        ruling = await self._city.check(perk, holder={"code": code}, amount=self._amount(perk), key=key)
        if ruling.granted:
            until = clock.today() + timedelta(days=self._places.code_days)
            self._readers.hold(Held(asked.card, perk, until, told=ruling))
        said = words.REFUSED.get(ruling.reason or "")
        return () if said is None else (said,)

    def _key(self, card: str, code: str) -> str:
        """What makes a code at a card the same question again, and at another card another one: the city takes it once.

        Drawn at random, since nothing that follows from a card goes to the city.
        """
        key = self._keys.setdefault((card, code), f"sip2-{uuid.uuid4()}")
        while len(self._keys) > _MOST_CODES:
            self._keys.popitem(last=False)
        return key

    def _amount(self, perk: str) -> int | None:
        """The library's deposit, for a perk that waives it."""
        return self._places.deposit or None if perk in self._places.deposit_perks else None

    async def _settle(
        self, card: str, answer: Frame, granted: frozenset[str]
    ) -> tuple[Standing | None, Standing | None]:
        """Bring the reader to the class that is due: where they stood, where they stand. Raises NotMovedError."""
        if self._register is None:
            return None, None
        async with self._turn:
            before = self._readers.standing(card)
            wanted = limits.best(self._places.rungs, granted)
            if before is None and wanted is None:
                return None, None
            start = before or Standing(LIMIT.start, None, await self._register.category(card), enriching.limit(answer))
            present = None if start.rung is None else self._rungs[start.rung]
            after = limits.turn(start, present=present, wanted=wanted, on_loan=enriching.on_loan(answer))
            self._readers.keep(card, start, granted)  # whoever begins again after a fall knows the reader's own class
            now, to = (limits.category(one, self._places.rungs) for one in (start, after))
            if not await self._register.move(card, now=now, to=to):
                self._readers.forget(card)
                return before, None
            self._readers.keep(card, after, granted)
            if after.state == LIMIT.start:
                self._readers.forget(card)
            return before, after

    async def _afresh(self, asked: Asked, answer: Frame) -> Frame:
        """What the library's system says now that the class is another; the old answer when it says nothing."""
        try:
            told = await self._line.ask(msgspec.structs.replace(asked.frame, sequence=None, checked=False))
        except LineError:
            return answer
        if told.code != answer.code:
            return answer
        return msgspec.structs.replace(told, sequence=answer.sequence, checked=answer.checked)

    def _gift(self, granted: list[tuple[Held, Ruling]], standing: Standing | None) -> Gift:
        """What is added for perks that are granted; numbers only where the reader's class gives them already."""
        rung = self._rungs.get(standing.rung or "") if standing and standing.state == "raised" else None
        given = [
            ruling for one, ruling in granted if self._register is None or (rung is not None and one.perk in rung.perks)
        ]
        items = max((ruling.measures.get("items", 0) for ruling in given), default=0)
        fees = max((ruling.waived for ruling in given), default=0) if self._places.deposit_in_fees else 0
        said = tuple(
            words.granted(ruling.name, measures=ruling.measures, waived=ruling.waived, until=one.until,
                          basis=ruling.basis)
            for one, ruling in granted
        )  # fmt: skip
        return Gift(items or None, fees, said)

    async def review(self, card: str) -> str | None:
        """Ask the library's system about a reader whom we moved; lower their class if a loan's end allows it.

        The city is not asked: what it said last holds as long as the perk goes with the card. The state then; nothing
        for a reader who is an ordinary one. Raises LineError, NotMovedError.
        """
        if self._readers.standing(card) is None:
            return None
        answer = await self._line.patron(card)
        live = {one.perk for one in self._readers.held(card, on=clock.today())}
        _, after = await self._settle(card, answer, self._readers.wanted(card) & live)
        return None if after is None else after.state

    async def returned(self, card: str) -> None:
        """Something came back from a reader: if their class waits for that, look whether it is enough."""
        standing = self._readers.standing(card)
        if standing is not None and standing.state == "waiting":
            try:
                await self.review(card)
            except _EXPECTED as fault:
                _LOG.warning("a reader's class waits for the next sweep: %s", type(fault).__name__)
