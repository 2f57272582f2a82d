"""How often a partner may ask, about one presented value, known or not, and from one terminal: probing gains nothing.

Limits are published in every answer (draft-ietf-httpapi-ratelimit-headers). All are counted in the short-lived store,
so they hold across processes; a partner's own total is drawn from it in lots, so that a busy partner's count is not one
hot row, and may be overrun by one lot a process at most. Each question of a batch counts as one that came alone.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence

import msgspec

from core.errors import TooMany
from core.shortlived import Store

WINDOW = 60
PER_PARTNER = 12_000
PER_VALUE = 30
PER_TERMINAL = 600
LOT = 50
_QUOTAS = {"partner": PER_PARTNER, "value": PER_VALUE, "terminal": PER_TERMINAL}.items()
_POLICY = ", ".join(f'"{each}";q={quota};w={WINDOW}' for each, quota in _QUOTAS)


class Limits:
    """The limits of one process."""

    def __init__(self, short: Store) -> None:
        """`short` counts."""
        self._short = short
        self._drawing = asyncio.Lock()
        self._lots: dict[str, tuple[float, int, int]] = {}  # partner: until (monotonic), left of the lot, left beyond

    async def count(self, *, partner: str, asked: Sequence[tuple[bytes, str | None]]) -> list[tuple[str, str]]:
        """Count checks, each of a value (a digest) at a terminal, by `partner`. Returns RateLimit headers; TooMany."""
        return told({"partner": await self._draw(partner, len(asked)), **await self._left(partner, asked)})

    async def of_one(self, *, partner: str, value: bytes, terminal: str | None) -> "Counting":
        """Count one check of `partner`; what its own statement has to count of value and terminal. TooMany."""
        left = {"partner": await self._draw(partner, 1)}
        if left["partner"] < 0:
            told(left)
        most = {_of_value(partner, value): PER_VALUE}
        return Counting(left, most if terminal is None else most | {_of_terminal(partner, terminal): PER_TERMINAL})

    async def _left(self, partner: str, asked: Sequence[tuple[bytes, str | None]]) -> dict[str, int]:
        """What is left of the value and of the terminal asked most."""
        of_value = [_of_value(partner, value) for value, _ in asked]
        of_terminal = [_of_terminal(partner, terminal) for _, terminal in asked if terminal is not None]
        if len(asked) == 1 and not of_terminal:
            return {"value": PER_VALUE - await self._short.count(of_value[0], WINDOW)}
        counted = await self._short.count_all([*of_value, *of_terminal], WINDOW)
        left = {"value": PER_VALUE - max(counted[key] for key in of_value)}
        return left | ({"terminal": PER_TERMINAL - max(counted[key] for key in of_terminal)} if of_terminal else {})

    async def _draw(self, partner: str, taken: int) -> int:
        """Take from the partner's lot, drawing more when it is empty or old; how many are left then."""
        if self._lacking(partner, taken):
            async with self._drawing:  # who waited may find what the one before has drawn
                if lots := self._lacking(partner, taken):
                    await self._more(partner, lots)
        until, left, beyond = self._lots[partner]
        self._lots[partner] = (until, left - taken, beyond)
        return beyond + left - taken

    def _lacking(self, partner: str, taken: int) -> int:
        """How many lots must be drawn before so many can be taken."""
        until, left, _ = self._lots.get(partner, (0.0, 0, 0))
        if time.monotonic() > until:
            self._lots.pop(partner, None)
            left = 0
        return max(0, -((left - taken) // LOT))

    async def _more(self, partner: str, lots: int) -> None:
        drawn = await self._short.count_all([f"check|{partner}"] * lots, WINDOW)
        _, left, _ = self._lots.get(partner, (0.0, 0, 0))
        beyond = PER_PARTNER - drawn[f"check|{partner}"] * LOT
        self._lots[partner] = (time.monotonic() + WINDOW, left + lots * LOT, beyond)


class Counting(msgspec.Struct, frozen=True):
    """What is left to the partner, and the keys that a statement counts with how often each may be asked, if any."""

    left: dict[str, int] = {}
    most: dict[str, int] = {}

    def told(self, counts: Sequence[int]) -> list[tuple[str, str]]:
        """The headers when the statement has counted, in the order of `most`. TooMany."""
        named = zip(("value", "terminal"), self.most.values(), counts, strict=False)  # a terminal may be unnamed
        left = self.left | {name: most - count for name, most, count in named}
        return told(left) if left else []


def told(left: Mapping[str, int]) -> list[tuple[str, str]]:
    """RateLimit headers by what is left of each quota. TooMany where something is overdrawn."""
    name = min(left, key=lambda each: left[each])
    headers = [("RateLimit-Policy", _POLICY), ("RateLimit", f'"{name}";r={max(0, left[name])};t={WINDOW}')]
    if left[name] < 0:
        detail = f"At most {PER_VALUE} checks of one value, {PER_TERMINAL} of one terminal, {PER_PARTNER} in all"
        problem = TooMany(f"{detail} within {WINDOW} s.", retry_after=WINDOW)
        problem.headers.update(headers)
        raise problem
    return headers


def _of_value(partner: str, value: bytes) -> str:
    return f"check|{partner}|{value.hex()}"


def _of_terminal(partner: str, terminal: str) -> str:
    """A terminal's name may be anything, so its digest is counted."""
    return f"check|{partner}|@{hashlib.blake2b(terminal.encode(), digest_size=16).hexdigest()}"
