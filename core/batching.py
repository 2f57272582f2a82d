"""Questions to somebody who answers several as quickly as one: those that wait for a turn anyway go together.

A question that finds nobody under way goes at once and alone. While one trip is under way the others gather, and the
next trip takes them along; when half a trip waits, another lane opens. So nobody waits for company, under load each
trip serves several, and under more load several trips are under way.
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
        self, answer: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]], *, lanes: int, most: int
    ) -> None:
        """`answer` is asked up to `most` questions at once, by up to `lanes`; an exception answers one of them.

        What it raises answers all of them.
        """
        self._answer, self._most = answer, most
        self._free = self._all = lanes
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._lanes: set[asyncio.Task[None]] = set()  # an event loop holds no task by itself

    async def ask(self, question: Q) -> A:
        """The answer to one question; raises what answers it."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._free == self._all or (self._free and 2 * len(self._waiting) >= self._most):
            self._free -= 1
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await future

    async def _lane(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                if going := [(question, future) for question, future in some if not future.done()]:
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
