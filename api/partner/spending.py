"""What a request spends in the trip that does its work: its proof, and one more of what a partner may ask.

Where the store's rows are out of reach of that statement (Redis), both are spent before it, as everywhere else.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from api import deps, guards, proofs
from api.deps import HttpRequest
from api.partner.desk import Desk
from api.partner.limits import WINDOW, Counting
from auth import dpop
from incentives.eligibility import Question
from incentives.once import Admission, ProofSpent

T = TypeVar("T")
Headers = list[tuple[str, str]]
_LIFE, _WINDOW = timedelta(seconds=dpop.REMEMBERED), timedelta(seconds=WINDOW)


async def along(
    request: HttpRequest,
    here: Desk,
    question: Question | None,
    *,
    once: Callable[[Admission], Awaitable[tuple[list[int], T | None]]],
    alone: Callable[[], Awaitable[T]],
) -> tuple[T, Headers]:
    """What `once` comes to, which spends and counts in its own trip, or `alone`, which does neither; RateLimit headers.

    `question`: what is counted; None for a request that names nobody anew, which counts nothing. Raises TooMany, the
    401 for a proof that was used before, and what the two raise.
    """
    partner = (await guards.provide_client(request)).client_id
    if (proof := proofs.unspent(request)) is None:
        asked = [] if question is None else [(here.gate.digest(question), question.terminal)]
        headers = await here.limits.count(partner=partner, asked=asked) if asked else []
        return await alone(), headers
    counting = Counting() if question is None else await _counting(here, partner, question)
    epoch = await deps.house(request).short.epoch()
    try:
        counts, done = await once(Admission(epoch, proof, _LIFE, counting.most, _WINDOW))
    except ProofSpent as used:
        raise proofs.proof_used(request) from used
    proofs.spent(request)
    headers = counting.told(counts)
    if done is None:  # never: told has raised
        raise guards.invalid_token()
    return done, headers


async def _counting(here: Desk, partner: str, question: Question) -> Counting:
    value = here.gate.digest(question)
    return await here.limits.of_one(partner=partner, value=value, terminal=question.terminal)
