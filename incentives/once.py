"""A check in one trip with what its request spends: its proof of possession, and one more of what may be asked.

`incentives.check_once` (migrations 0034, 0045) is the statement, `check_each` (0047) the same for several. Under load
requests that wait for a turn anyway travel together and are committed together; each is decided as if it came alone,
and none is answered before its access row is on disk. Promises: of racing requests with one proof exactly one is
decided; a check that PostgreSQL will not take fails alone. A check with an idempotency key, which may have to wait for
another one with that key, travels alone, so that nobody waits with it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from core import pgerrors
from core.batching import Batcher
from core.errors import Unauthenticated
from incentives import eligibility
from incentives.eligibility import Gate, Question, Verdict

_ONCE = "select * from incentives.check_once($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)"
_EACH = "select * from incentives.check_each($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)"
_LANES, _MOST = 2, 16

_Arguments = tuple[Any, ...]
_OF_A_KEY = {6, 7}  # places of the key, and of what its repeats must share, behind the token


class ProofSpent(Unauthenticated):
    """The request's proof of possession was used before (RFC 9449, section 11.1)."""

    code = "invalid_dpop_proof"
    title = "The DPoP proof does not hold"


class Admission(msgspec.Struct, frozen=True):
    """What a request spends with its work: its proof, which the store of `epoch` remembers for `life`, and counts.

    `most`: how often each key may be asked in a `window`, in the order in which the counts come back.
    """

    epoch: str
    proof: str
    life: timedelta
    most: dict[str, int]
    window: timedelta

    def arguments(self) -> tuple[object, ...]:
        """What the statement is told before the question."""
        most = self.most
        return self.epoch, self.proof, self.life, list(most), list(most.values()), self.window

    def overdrawn(self, counts: Sequence[int]) -> bool:
        """Whether anything was counted above its most."""
        return any(count > most for count, most in zip(counts, self.most.values(), strict=True))


class Checks:
    """The checks of one process."""

    def __init__(self, gate: Gate) -> None:
        """`gate` decides."""
        self._gate = gate
        self._together: Batcher[_Arguments, Any] = Batcher(self._decide, lanes=_LANES, most=_MOST)

    async def check(
        self, question: Question, *, admission: Admission, token: bytes, key: str | None = None
    ) -> tuple[list[int], Verdict | None]:
        """`Gate.check` in the trip that spends and counts; the counts, and None where one is above its most.

        What is undone, by a crash too, spent nothing. Raises ProofSpent besides what `Gate.check` raises.
        """
        given = {} if key is None else eligibility.shared_by_repeats(question, self._gate.digest(question))
        asked = (*admission.arguments(), token, *eligibility.arguments(question, key, given))
        row = await (self._together.ask(asked) if key is None else self._alone(asked, again=True))
        if row is None:
            raise ProofSpent
        counted = list[int](row["counts"])
        if admission.overdrawn(counted):
            return counted, None
        if row["partner_id"] is None:
            raise eligibility.dead()
        return counted, eligibility.told(row, given)

    async def _alone(self, asked: _Arguments, *, again: bool = False) -> Any:
        """The row of one check; None for a spent proof."""
        rows = await self._gate.ask(_ONCE, asked, again=again)
        return rows[0] if rows else None

    async def _decide(self, asked: Sequence[_Arguments]) -> Sequence[Any]:
        """The row of each check, None for a spent proof, the error of one that fails."""
        if len(asked) == 1:
            return [await self._alone(asked[0])]
        try:
            rows = await self._gate.fetch(_EACH, *_columns(asked))
        except (asyncpg.PostgresError, ValueError) as error:
            if pgerrors.is_unavailable(error) and not isinstance(error, asyncpg.DeadlockDetectedError):
                raise  # what was done is not known; of anything else, nothing was
            return [await self._attempt(one) for one in asked]
        found = {row["place"]: row for row in rows}
        return [found.get(place) for place in range(1, len(asked) + 1)]

    async def _attempt(self, asked: _Arguments) -> Any:
        try:
            return await self._alone(asked)
        except Exception as error:  # noqa: BLE001  (it is the answer to this one)
            return error


def _columns(asked: Sequence[_Arguments]) -> list[Any]:
    """The arguments of `check_each`: those of `check_once` by column, and what is counted in one list."""
    epochs, proofs, lives, values, most, windows, *questions = zip(*asked, strict=True)
    columns = [list(column) for at, column in enumerate(questions) if at not in _OF_A_KEY]
    places = [place for place, mine in enumerate(values, 1) for _ in mine]
    return [
        list(epochs), list(proofs), lives[0], [each for mine in values for each in mine],
        [each for mine in most for each in mine], places, windows[0], *columns,
    ]  # fmt: skip
