"""Which key of a family signs when: one a calendar quarter (UTC), so that all processes agree without talking.

A key is published for the whole quarter before its own, and for longer than what it signed lives after it, so no
verifier that knows today's keys meets anything that it cannot check. `serial` is the operator's emergency switch:
another number makes every key another one at once, and everything signed before is refused.
"""

from datetime import datetime, timedelta

import msgspec

_QUARTER = 3


class Names(msgspec.Struct, frozen=True):
    """The key ids of a moment; `previous` is None when all that the last quarter's signed has expired."""

    current: str
    following: str
    previous: str | None

    def published(self) -> tuple[str, ...]:
        """All of them: what verifiers are told, and what is accepted."""
        return (
            (self.current, self.following) if self.previous is None else (self.current, self.following, self.previous)
        )


def names(at: datetime, *, family: str, serial: int, overlap: timedelta) -> Names:
    """The key ids of a family (`as-at`) at an instant; the last quarter's is kept for `overlap`."""
    quarter = at.year * 4 + (at.month - 1) // _QUARTER
    before = at - overlap
    lingers = before.year * 4 + (before.month - 1) // _QUARTER < quarter
    return Names(
        current=_name(family, quarter, serial),
        following=_name(family, quarter + 1, serial),
        previous=_name(family, quarter - 1, serial) if lingers else None,
    )


def _name(family: str, quarter: int, serial: int) -> str:
    year, place = divmod(quarter, 4)
    return f"{family}-{year}q{place + 1}" + (f".{serial}" if serial else "")
