"""Questions to somebody who answers several as quickly as one: those that wait for a turn anyway go together.

A question that finds nobody under way goes at once and alone. While one trip is under way the others gather, and the
next trip takes them along; when half a trip waits, or one has waited longer than `patience`, another lane opens. So
nobody waits for company, under load each trip serves several, and a trip that is held up somewhere holds up few.
Promises: every question is asked once, in the order of arrival, and has its own answer or error; that somebody goes
away (is cancelled) does not concern the others. Does not promise how many travel together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Batcher(Generic[Q, A]):
    """The questions of one process to one function."""

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        *,
        lanes: int,
        most: int,
        patience: float = 0.02,
    ) -> None:
        """`answer` is asked up to `most` questions at once, by up to `lanes`; an exception answers one of them.

        What it raises answers all of them. `patience` in seconds.
        """
        self._answer, self._most, self._patience = answer, most, patience
        self._alarm: asyncio.TimerHandle | None = None
        self._free = self._all = lanes
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._lanes: set[asyncio.Task[None]] = set()  # an event loop holds no task by itself

    async def ask(self, question: Q) -> A:
        """The answer to one question; raises what answers it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, future))
        if self._free == self._all or 2 * len(self._waiting) >= self._most:
            self._open()
        elif self._alarm is None:
            self._alarm = loop.call_later(self._patience, self._open)
        return await future

    def _take(self) -> "list[tuple[Q, asyncio.Future[A]]]":
        """Those who go next; whoever has to stay is patient from now on."""
        if self._alarm is not None:
            self._alarm.cancel()
        some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(self._patience, self._open) if self._waiting else None
        return [one for one in some if not one[1].done()]

    def _open(self) -> None:
        """Open another lane, if there is one, for those who wait."""
        if self._free and self._waiting:
            self._free -= 1
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _lane(self) -> None:
        try:
            while self._waiting:
                if going := self._take():
                    await self._trip([question for question, _ in going], [future for _, future in going])
        finally:
            self._free += 1

    async def _trip(self, questions: list[Q], futures: "list[asyncio.Future[A]]") -> None:
        try:
            told = list(zip(futures, await self._answer(questions), strict=True))
        except asyncio.CancelledError:  # the process is about to end
            for future in futures:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  (it is everybody's answer)
            told = [(future, error) for future in futures]
        for future, answer in told:
            if future.done():  # whoever asked went away
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
