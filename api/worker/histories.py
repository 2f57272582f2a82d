"""The job that asks sources for the history of those who have just joined (`scoring.feeds.pulls`).

A source that is away, slow, or answers with anything but NDJSON lines or "nothing" is asked again later; one source's
trouble keeps nobody else waiting. Asking is an access: the person whom it is about sees who was asked, when and for
what.
"""

import asyncio
import uuid

import structlog

from api.deps import House
from api.source import questions
from auth import digestkeys, registrations
from core import audit, clock, ids
from core.audit import Actor
from core.errors import Malformed, TooLarge
from core.outbound import NotReached
from scoring import ingest, rulebook
from scoring.feeds import pulls
from scoring.feeds.pulls import Pull
from scoring.ingest import Source
from scoring.tally import How

PURPOSE = "history"
_MOST_BYTES = 8 << 20
_SECONDS = 30.0
_OK, _NOTHING = 200, 204
_HOW = How("pull")
_log = structlog.get_logger("osmanthus.histories")


async def turn(house: House) -> int:
    """Ask what is due; returns how many answered."""
    async with house.doors.work("scorer") as session:
        asked = await registrations.addresses(session, purpose=PURPOSE)
        keys = await digestkeys.of(session, house.ring, asked)
        await pulls.prepare(session, sources=list(keys))
        due = await pulls.begin(session, sources=list(keys))
        for pull in due:
            await audit.write(
                session, actor=Actor("source", pull.source), action="history.ask", purpose="score", outcome="done",
                owner=pull.citizen_id, detail={"attempt": pull.attempt},
            )  # fmt: skip
    sources = {name: Source(name, kinds, keys[name]) for name, (_, kinds) in asked.items() if name in keys}
    done = await asyncio.gather(*(_one(house, pull, asked[pull.source][0], sources[pull.source]) for pull in due))
    return sum(done)


async def _one(house: House, pull: Pull, address: str, source: Source) -> bool:
    """Ask one question; says whether it was answered."""
    try:
        batch_id = await _answer(house, pull, address, source)
    except (NotReached, Malformed, TooLarge) as error:
        async with house.doors.work("scorer") as session:
            last = await pulls.missed(session, pull)
        _log.warning("history not answered", source=pull.source, attempt=pull.attempt, code=error.code, last=last)
        return False
    async with house.doors.work("scorer") as session:
        await pulls.done(session, pull, batch_id=batch_id)
    return True


async def _answer(house: House, pull: Pull, address: str, source: Source) -> uuid.UUID | None:
    """What came of it: the batch, or None for nothing. Raises NotReached, Malformed, TooLarge."""
    async with house.doors.work("scorer") as session:
        book = await rulebook.current(session, on=clock.today())
    question = pulls.question(pull, kinds=source.kinds, book=book, today=clock.today())
    async with questions.ask(house, address, question, most=_MOST_BYTES, seconds=_SECONDS) as answer:
        if answer.status == _NOTHING:
            return None
        if answer.status != _OK:
            raise NotReached("The source answered with another status.")
        receipt = await ingest.receive(house.doors, source=source, body=answer.chunks, how=_HOW, only=pull.digest)
    return ids.read("ba", receipt.batch_id) if receipt.received else None
