"""Read tickets and passes (TK1) at a gate that has no line; beside osmanthus_gate.py, and needing nothing more.

    gate = TicketGate.of(jwks, statement, perks=["tourism.ticket", "tourism.annual-pass"], partner="old-town", file="used")
    try:
        gate.admit(scanned)          # open; the file now says so, whatever becomes of this process
    except Refused as no:
        print(no.reason)             # ticket_unknown, ticket_for_another_day, ticket_used
    for visit in gate.unsent():      # with a line again: POST /v1/partner/visits, then gate.sent(visit)
        ...

A text is good for one civil day, so a photograph of it opens this gate as often as the ticket admits, and no more: what
was used is in the file. Two gates without a line cannot know of each other; the second one to tell is answered 409, and
bears that visit itself. Take it, change it: public domain.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from osmanthus_gate import Clock, Keys, Refused, base45, keys, opened

PREFIX, DOMAIN = "TK1:", b"TK1\x00"
LAYOUT = struct.Struct(
    ">BBI8sIIBHI"
)  # version, key, city, number, begins, ends, per day, perk, audience; then 64 signed


class TicketGate:
    """One gate, or several that share a file. Its clock must be right to the minute around midnight."""

    def __init__(self, known: Keys, perks: Iterable[int], audience: int, file: str, clock: Clock = time.time) -> None:
        """`known`: see `osmanthus_gate.keys`; `perks`, `audience`: numbers; `file`: one line a visit, only ever longer."""
        self.keys, self.perks, self.audience, self.clock = known, frozenset(perks), audience, clock
        self.file, self._lock = Path(file), threading.Lock()
        self.file.touch()

    @classmethod
    def of(cls, jwks: dict[str, Any], statement: str, *, perks: list[str], partner: str, file: str) -> TicketGate:
        """A gate by names; KeyError for a perk or partner that the city does not know."""
        told = opened(statement, jwks)
        numbers = {one["perk"]: one["number"] for one in told["perks"]}
        audience = {(one["kind"], one["name"]): one["number"] for one in told["audiences"]}["partner", partner]
        return cls(keys(jwks, told["city"]), [numbers[perk] for perk in perks], audience, file)

    def admit(self, text: str) -> dict[str, str]:
        """Let somebody in, once for each admission of the day; returns the visit to be sent. Raises Refused."""
        begins, ends, per_day = self._read(text)
        now = self.clock()
        if not begins <= now < ends:
            raise Refused("ticket_for_another_day", f"good from {begins} until {ends}")
        with self._lock:
            used = Counter(one["ticket"] for one in self._lines("visit") if begins <= one["at"] < ends)
            if used[text.strip().upper()] >= per_day:
                raise Refused("ticket_used", f"{per_day} a day")
            visit = {"visit": secrets.token_hex(16), "ticket": text.strip().upper(), "at": now}
            self._write(visit)
        return told(visit)

    def unsent(self) -> list[dict[str, str]]:
        """Bodies for `POST /v1/partner/visits`, oldest first; sent twice they count once."""
        done = {one["sent"] for one in self._lines("sent")}
        return [told(one) for one in self._lines("visit") if one["visit"] not in done]

    def sent(self, visit: dict[str, str]) -> None:
        """Remember that a visit was answered, 200 or 409."""
        self._write({"sent": visit["visit_id"]})

    def _read(self, text: str) -> tuple[int, int, int]:
        text = text.strip().upper()
        try:
            raw = base45(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else b""
            version, key, city, _, begins, ends, per_day, perk, audience = LAYOUT.unpack(raw[: LAYOUT.size])
            self.keys[city, key].verify(raw[LAYOUT.size :], DOMAIN + raw[: LAYOUT.size])
        except (ValueError, OverflowError, struct.error, KeyError, InvalidSignature):
            raise Refused("ticket_unknown", "not a TK1 text of a city and key that this gate knows") from None
        if version != 1 or perk not in self.perks or audience != self.audience:
            raise Refused("ticket_unknown", f"for perk {perk}, audience {audience}")
        return begins, ends, per_day

    def _lines(self, kind: str) -> Iterator[dict[str, Any]]:
        """What the file says; a line that a crash cut off never admitted anybody."""
        for line in self.file.read_text().splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if kind in one:
                yield one

    def _write(self, line: dict[str, Any]) -> None:
        """Begin on a new line, whatever a crash left behind."""
        with self.file.open("a") as file:
            file.write(f"\n{json.dumps(line)}\n")
            file.flush()
            os.fsync(file.fileno())


def told(visit: dict[str, Any]) -> dict[str, str]:
    """A visit as it is sent."""
    at = datetime.fromtimestamp(visit["at"], UTC).isoformat()
    return {"ticket": visit["ticket"], "visit_id": visit["visit"], "visited_at": at}
