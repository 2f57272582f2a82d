"""Which key signs access tokens when: one a calendar quarter (UTC), so that all processes agree without talking.

A key is published for the whole quarter before its own, and for twice a token's life after it, so no verifier that
knows today's keys meets a token that it cannot check. `serial` is the operator's emergency switch: another number
makes every key another one at once, and every token signed before is refused.
"""

from datetime import datetime, timedelta

import msgspec

_QUARTER = 3


class Names(msgspec.Struct, frozen=True):
    """The key ids of a moment; `previous` is None when the last quarter's tokens have all expired."""

    current: str
    following: str
    previous: str | None

    def published(self) -> tuple[str, ...]:
        """All of them: what verifiers are told, and what is accepted."""
        return (
            (self.current, self.following) if self.previous is None else (self.current, self.following, self.previous)
        )


def names(at: datetime, *, serial: int, overlap: timedelta) -> Names:
    """The key ids at an instant; the last quarter's is kept for `overlap`."""
    quarter = at.year * 4 + (at.month - 1) // _QUARTER
    before = at - overlap
    lingers = before.year * 4 + (before.month - 1) // _QUARTER < quarter
    return Names(
        current=_name(quarter, serial),
        following=_name(quarter + 1, serial),
        previous=_name(quarter - 1, serial) if lingers else None,
    )


def _name(quarter: int, serial: int) -> str:
    year, place = divmod(quarter, 4)
    return f"as-at-{year}q{place + 1}" + (f".{serial}" if serial else "")
