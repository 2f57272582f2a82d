"""Everything that the suite makes our code write is kept here and searched, at the end, for everybody it made up.

Heard: our log lines, other libraries' lines, PostgreSQL's own log, every problem's body, the metrics. Searched for:
every made-up ID number (they begin with 990000 and are told from chance by their check digit), and every name,
telephone, card and account that a test registered with `somebody`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import structlog

from core import idnumber

_NUMBER = re.compile(r"990000[0-9]{11}[0-9Xx]")

heard: list[str] = []
identities: set[str] = set()


class Ear:
    """A file that a logger writes to."""

    def write(self, text: str) -> int:
        """Keep what is written."""
        heard.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


_configure, _ours = structlog.configure, dict[str, Any]()


def listen(ear: TextIO) -> None:
    """Let our loggers write to `ear`; none keeps what it was set up with, or a command's closed stream would stay."""
    _ours.update(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer(ensure_ascii=False)],
        logger_factory=structlog.PrintLoggerFactory(ear),
        cache_logger_on_first_use=False,
    )
    structlog.configure = lambda **how: _configure(**{**how, "cache_logger_on_first_use": False})
    listen_again()


def listen_again() -> None:
    """As `listen` set it up."""
    if structlog.get_config()["logger_factory"] is not _ours["logger_factory"]:
        structlog.reset_defaults()
        _configure(**_ours)


def somebody(*identity: str) -> None:
    """From now on these texts are a person's, and must be found nowhere."""
    identities.update(text for text in identity if text)


def leaks(texts: Iterable[str], people: Iterable[str]) -> Iterator[str]:
    """What a text tells of a person, and around what words."""
    names = sorted(people, key=len, reverse=True)
    told = re.compile(f"(?<![0-9A-Za-z-])(?:{'|'.join(map(re.escape, names))})(?![0-9A-Za-z-])") if names else None
    for text in texts:
        numbers = [one for one in _NUMBER.finditer(text) if idnumber.check(one[0]) is not None]
        for found in [*numbers, *(told.finditer(text) if told else ())]:
            yield f"{found[0]!r} in …{text[max(0, found.start() - 80) : found.end() + 40]!r}…"
