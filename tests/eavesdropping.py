"""Everything that the suite makes our code write is kept here and searched, at the end, for everybody it made up.

Heard: our log lines, other libraries' lines, PostgreSQL's own log, every problem's body, the metrics. Searched for:
every made-up ID number (they begin with 990000 and are told from chance by their check digit), and every name,
telephone, card and account that a test registered with `somebody`.
"""

import re
from collections.abc import Iterable, Iterator

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


def somebody(*identity: str) -> None:
    """From now on these texts are a person's, and must be found nowhere."""
    identities.update(text for text in identity if text)


def leaks(texts: Iterable[str], people: Iterable[str]) -> Iterator[str]:
    """What a text tells of a person, and around what words."""
    names = sorted(people, key=len, reverse=True)
    told = re.compile("|".join(map(re.escape, names))) if names else None
    for text in texts:
        numbers = [one for one in _NUMBER.finditer(text) if idnumber.check(one[0]) is not None]
        for found in [*numbers, *(told.finditer(text) if told else ())]:
            yield f"{found[0]!r} in …{text[max(0, found.start() - 80) : found.end() + 40]!r}…"
