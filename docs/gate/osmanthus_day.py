"""A gate that works a whole day without a line: cards by a signed list, codes by signature, limits, and usage on paper.

    day = Day("/var/lib/gate", perk="transit.discount", partner="city-card", terminal="gate-7")
    day.learn(fetch)                       # while there is a line: once a day, or every hour
    try:
        paid = day.card(index, fare=300)   # or day.code(scanned, fare=300)
    except Refused as no:
        ...                                # the ordinary fare; nobody is turned away
    day.upload(post)                       # when the line is back; may be repeated

What costs nobody anything (`courtesy`) stays open on an old list; what has value is refused when the list or the keys
are too old, when the clock cannot be trusted, or when this terminal gave away as much as it may without asking. A ride
is on disk before the gate opens. README.md says what settles it. Public domain.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from osmanthus_gate import SKEW, Gate, Refused, read
from osmanthus_list import Listed, published
from osmanthus_usage import Post, Usage, lay

Fetch = Callable[[str], tuple[Mapping[str, str], bytes]]  # GET: the answer's headers and body, or raises
CITY = timezone(timedelta(hours=8))
KEYS_LAST = 30 * 86_400
MOST_CHANGES = 50
JWKS, CODES, PERKS, LISTS = (
    "/.well-known/jwks.json",
    "/v1/rules/credit-codes",
    "/v1/rules/perks",
    "/v1/citycard/entitlements",
)


class Limits(NamedTuple):
    """What a terminal may give away without asking: fen off per code, per card and day, in all per day; rides per card."""

    code: int = 500
    card: int = 2_000
    rides: int = 20
    terminal: int = 100_000


class Paid(NamedTuple):
    """A ride: what it costs now and what came off, in fen, and its number."""

    fare: int
    discount: int
    ride: str


_PERIODS = {"day": 10, "month": 7, "year": 4, "ever": 0}  # so many letters of an ISO day


def _period(every: str, day: str) -> str:
    return day[: _PERIODS[every]]


def _zone(place: dict[str, Any]) -> bool:
    """A programme's terms go before a zone's."""
    return place["zone"]


class Day:
    """One terminal of a partner, for one perk."""

    def __init__(
        self, folder: str | os.PathLike[str], *, perk: str, partner: str, terminal: str,
        limits: Limits = Limits(), clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """Open what was learnt and used before; `folder` belongs to this terminal alone."""
        self.perk, self.partner, self.terminal, self.limits, self.clock = perk, partner, terminal, limits, clock
        self.usage = Usage(folder)
        self._known = self.usage.folder / "known.json"
        self._lock = threading.Lock()
        self._given: defaultdict[tuple[object, ...], list[int]] = defaultdict(lambda: [0, 0])
        self._last = 0.0
        self.list: Listed | None = None
        self.gate: Gate | None = None
        self._codes: set[tuple[int, bytes]] = set()
        for ride in self.usage.kept():
            self._count(ride.get("index"), datetime.fromisoformat(ride["at"]), ride["discount"])
            if "code" in ride:
                code = read(ride["code"])[0]
                self._codes.add((code.city, code.jti))
        if self._known.exists():
            self._open(json.loads(self._known.read_text()))

    def learn(self, fetch: Fetch) -> None:
        """Fetch keys, numbers, the perk and the list, or what changed in it. Raises what `fetch` does, or ValueError."""
        headers, jwks = fetch(JWKS)
        told = {"jwks": json.loads(jwks), "at": self.clock(), "lists": self._lists(fetch)}
        told["codes"] = json.loads(fetch(CODES)[1])["statement"]
        told["perk"] = self._own(published(*fetch(PERKS), told["jwks"]))
        told["ahead"] = self.clock() - parsedate_to_datetime(headers["date"]).timestamp()
        with self._lock:
            self._open(told)
            lay(self._known, json.dumps(told).encode())

    def card(self, index: int, fare: int) -> Paid:
        """A ride by a card. Raises Refused."""
        with self._lock:
            now = self._instant()
            if self.list is None or not self.list.holds(index):
                raise Refused("standard_route", "not on the list")
            if self.list.value and now > self.list.until:
                raise Refused("standard_route", "the list is too old")
            return self._ride({"index": index}, fare, now)

    def code(self, text: str, fare: int) -> Paid:
        """A ride by a credit code. Raises Refused."""
        with self._lock:
            now = self._instant()
            if self.gate is None or (self._value() and now - self._told["at"] > KEYS_LAST):
                raise Refused("standard_route", "the keys are too old")
            return self._ride({"code": text}, fare, now)

    def upload(self, post: Post, *, again: bool = False) -> list[dict[str, Any]]:
        """Send the usage; returns lines that the server would not take, which somebody should look at."""
        with self._lock:
            return self.usage.upload(post, again=again)

    def discount(self, fare: int, day: str) -> int:
        """What comes off at this terminal on an ISO day, by the published perk."""
        perk = self._perk
        if perk["closed"] or not (perk["starts_on"] or day) <= day <= (perk["ends_on"] or day):
            raise Refused("perk_closed", "the perk rests")
        here = [one for one in perk["places"] if self._covers(one, day)]
        rate = {
            **perk,
            **{name: value for name, value in min(here, key=_zone, default={}).items() if value is not None},
        }
        if fare < rate["from_amount"] or (fare > rate["cap"] and perk["over_cap"] == "refuse"):
            return 0
        return min(rate["cap"], fare * rate["percent"] // 100 + rate["minus"], fare)

    def _ride(self, holder: dict[str, object], fare: int, now: float) -> Paid:
        at = datetime.fromtimestamp(now, UTC)
        off = self.discount(fare, f"{at.astimezone(CITY):%Y-%m-%d}")
        self._must_be_within(holder.get("index"), off, at)
        if "code" in holder:
            self._admit(str(holder["code"]))
        number = self.usage.number(self.terminal)
        self.usage.keep({
            "ride": number, **holder, "perk": self.perk, "at": at.isoformat(), "gate": self.terminal, "fare": fare,
            "discount": off,
        })  # fmt: skip
        self._count(holder.get("index"), at, off)
        return Paid(fare - off, off, number)

    def _admit(self, text: str) -> None:
        """A code once, also across a power cut: the usage on file tells which were taken."""
        code = read(text)[0]
        if (code.city, code.jti) in self._codes:
            raise Refused("code_used", "taken here before")
        self.gate.admit(text)
        self._codes.add((code.city, code.jti))

    def _must_be_within(self, index: object, off: int, at: datetime) -> None:
        """The limits of a terminal without a line, and the published ones of a citizen, by the card."""
        given, day = self._given, f"{at.astimezone(CITY):%Y-%m-%d}"
        if given["terminal", day][1] + off > self.limits.terminal:
            raise Refused("standard_route", "this terminal gave away what it may in a day")
        if index is None:
            if off > self.limits.code:
                raise Refused("standard_route", "more than a code may bring without asking")
            return
        rides, fen = given[index, day]
        if rides >= self.limits.rides or fen + off > self.limits.card:
            raise Refused("standard_route", "this card had what it may in a day")
        for one in self._perk["budgets"]:
            rides, fen = given[index, _period(one["every"], day)] if one["per"] == "citizen" else (0, 0)
            if rides >= (one["count"] or rides + 1) or fen + off > (one["amount"] or fen + off):
                raise Refused("standard_route", "the card's published limit")

    def _count(self, index: object, at: datetime, off: int) -> None:
        day = f"{at.astimezone(CITY):%Y-%m-%d}"
        holders = {("terminal", day)} | (
            {(index, _period(every, day)) for every in _PERIODS} if index is not None else set()
        )
        for one in holders:
            self._given[one][0] += 1
            self._given[one][1] += off
        self._last = max(self._last, at.timestamp())

    def _instant(self) -> float:
        """Now, where the clock can be trusted with value."""
        now = self.clock()
        if now < self._last - SKEW or (self._value() and abs(self._told["ahead"]) > SKEW):
            raise Refused("standard_route", "the clock is wrong")
        return now

    def _value(self) -> bool:
        return self.list is None or self.list.value

    def _covers(self, place: dict[str, Any], day: str) -> bool:
        return (
            (not place["partners"] or self.partner in place["partners"])
            and (not place["terminals"] or self.terminal in place["terminals"])
            and (place["zone"] or place["from_on"] <= day <= place["until_on"])
        )

    def _lists(self, fetch: Fetch) -> list[str]:
        """The list on file and what changed since; the whole anew where the city cannot tell any more."""
        whole = f"{LISTS}?perk={self.perk}"
        if self.list is not None and len(self._told["lists"]) < MOST_CHANGES:
            try:
                return [*self._told["lists"], fetch(f"{whole}&since={self.list.seq}")[1].decode()]
            except Exception:  # noqa: BLE001  (whatever it was, asking for the whole says it again)
                pass
        return [fetch(whole)[1].decode()]

    def _own(self, perks: dict[str, Any]) -> dict[str, Any]:
        """This gate's perk of those in force. Raises ValueError."""
        found = [one for one in perks["perks"] if one["id"] == self.perk]
        if not found:
            raise ValueError(f"{self.perk} is not in force")
        return found[0]

    def _open(self, told: dict[str, Any]) -> None:
        """Put what was fetched to use; every signature is checked again, also after a power cut."""
        listed = Listed.of(told["lists"], told["jwks"])
        if (listed.perk, listed.operator) != (self.perk, self.partner):
            raise ValueError("the list of another perk or operator")
        gate = Gate.of(told["jwks"], told["codes"], perk=self.perk, partner=self.partner)
        gate.clock, gate.since = self.clock, 0  # the usage on file remembers what a power cut made memory forget
        self._told, self._perk, self.list, self.gate = told, told["perk"], listed, gate
