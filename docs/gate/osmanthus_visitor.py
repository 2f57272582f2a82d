"""A gate that lets visitors of other cities in by their credentials, without a line; beside osmanthus_vc.py.

    gate = VisitorGate("/var/lib/visitors", host="https://credit.example.city", signers=roots, audience="p_old-town",
                       accepts={"https://credit.neighbour.city": ["over_120"]})
    gate.learn(fetch)                    # this morning: trust list, keys and status lists
    question = gate.question()           # shown to the wallet: {"audience", "nonce", "any_of"}
    try:
        gate.admit(presentation)         # open; the file says so before it does
    except Refused as no:
        print(no.reason)                 # standard_route: the ordinary ticket; nobody is turned away

`signers` are the root keys of the trust list, pinned by hand when the gate is set up; `accepts` says which predicates of
which issuer hold this gate's perk (the host's published `recognition` rules). A copy of a credential opens once here.
What has value is refused when lists are older than they say; `value=False`, what costs nobody anything, goes on. Whom
home took back when it was last heard is refused either way. Its clock must be right within a minute. Public domain.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import osmanthus_vc as vc
from osmanthus_gate import Refused
from osmanthus_usage import lay

Fetch = Callable[[str], bytes]  # GET of a whole address: the body, or raises
TRUST, METADATA = "/.well-known/credit-trust-list", "/.well-known/openid-credential-issuer"
AGGREGATION = "status_list_aggregation_endpoint"  # Token Status List, section 9.1
ANSWER_WITHIN, MOST_QUESTIONS, MOST_LISTS = 300, 1_000, 100


class VisitorGate:
    """One gate, for one perk of one merchant. `folder` belongs to it alone."""

    def __init__(
        self, folder: str | os.PathLike[str], *, host: str, signers: Mapping[str, vc.Jwk], audience: str,
        accepts: Mapping[str, Iterable[str]], needed: int = 2, value: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """Open what was learnt and used before; every signature is checked again."""
        self.host, self.signers, self.needed, self.audience = host, dict(signers), needed, audience
        self.accepts = {issuer: frozenset(names) for issuer, names in accepts.items()}
        self.value, self.clock, self._lock = value, clock, threading.Lock()
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._used_file, self._known = self.folder / "used", self.folder / "known.json"
        self._used_file.touch()
        self._used = {line for line in self._used_file.read_text().split("\n") if line}
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._trust: dict[str, Any] | None = None
        self._statuses: dict[tuple[str, str], tuple[bytes, float]] = {}
        self._at = 0.0
        if self._known.exists():
            held = json.loads(self._known.read_text())
            self._open(held["trust"], held["lists"], held["at"])

    def learn(self, fetch: Fetch) -> list[str]:
        """Fetch the trust list and the status lists of every city in it; returns the cities that did not answer.

        Raises what `fetch` does, or ValueError, when there is no trust list that counts: then all stays as it was.
        """
        now, silent, lists = self.clock(), list[str](), self._lists()
        trust = fetch(self.host + TRUST).decode()
        body = vc.trusted(trust.encode(), self.signers, self.needed, now, self._trust)
        for city in body["cities"]:
            if city["sub"] not in self.accepts:
                continue
            try:
                lists[city["sub"]] = self._fetched(fetch, city)
            except Exception:  # noqa: BLE001  (whatever a city did, the others' lists are good)
                silent.append(city["sub"])
        with self._lock:
            self._open(trust, lists, now)
            lay(self._known, json.dumps({"trust": trust, "lists": lists, "at": now}).encode())
        return silent

    def question(self) -> dict[str, Any]:
        """What a wallet is asked: it signs the audience and this nonce, within five minutes, once."""
        nonce = secrets.token_urlsafe(16)
        with self._lock:
            self._asked[nonce] = self.clock() + ANSWER_WITHIN
            while len(self._asked) > MOST_QUESTIONS:
                self._asked.popitem(last=False)
        return {"audience": self.audience, "nonce": nonce, "any_of": sorted(set().union(*self.accepts.values()))}

    def admit(self, text: str) -> vc.Shown:
        """What a visitor showed, once. Raises Refused."""
        with self._lock:
            now = self.clock()
            try:
                shown = vc.presentation(
                    text.strip(), self.audience, lambda nonce: self._asked.get(nonce, 0) >= now, now, self._key
                )
            except vc.BROKEN as why:
                raise Refused("standard_route", str(why)) from None
            self._timely(now)
            if shown.reached.isdisjoint(self.accepts.get(shown.issuer, ())):
                raise Refused("standard_route", "not what this perk asks for")
            self._must_stand(shown, now)
            self._use(shown, text)
            return shown

    def _timely(self, now: float) -> None:
        if self.value and (self._trust is None or now >= self._trust["exp"]):
            raise Refused("standard_route", "the trust list is too old")
        if self.value and now < self._at - vc.SKEW:
            raise Refused("standard_route", "the clock is wrong")

    def _must_stand(self, shown: vc.Shown, now: float) -> None:
        """What home said last of this copy: what was taken back stays so, however old the list is."""
        bits, until = self._statuses.get((shown.issuer, shown.uri), (b"", 0.0))
        byte, place = divmod(shown.idx * 2, 8)
        if byte < len(bits) and bits[byte] >> place & 3:
            raise Refused("standard_route", "home took it back")
        if self.value and (byte >= len(bits) or now >= until):
            raise Refused("standard_route", "no status of today")

    def _use(self, shown: vc.Shown, text: str) -> None:
        """Each copy and each question once; on disk first. The copy's place is kept as a digest, and tells nobody."""
        mark = sha256(f"{shown.uri}#{shown.idx}".encode()).hexdigest()
        if mark in self._used:
            raise Refused("standard_route", "this copy was shown here before")
        with self._used_file.open("a") as file:
            file.write(f"{mark}\n")
            file.flush()
            os.fsync(file.fileno())
        self._used.add(mark)
        self._asked.pop(vc.members(text.strip().rpartition("~")[2].split(".")[1])["nonce"], None)

    def _key(self, issuer: str, kid: str) -> vc.Jwk | None:
        """A city's key by the trust list: exactly one, or none."""
        cities = self._trust["cities"] if self._trust else []
        found = [jwk for city in cities if city["sub"] == issuer for jwk in city["jwks"]["keys"] if jwk["kid"] == kid]
        return found[0] if len(found) == 1 else None

    def _fetched(self, fetch: Fetch, city: dict[str, Any]) -> dict[str, str]:
        """A city's status lists by their addresses, each below what the trust list says, and nothing else is fetched."""
        where = json.loads(fetch(city["sub"] + METADATA))[AGGREGATION]
        origins = city["about"]["status_origins"]
        below = [origin for origin in (*origins, city["sub"]) if vc.under(where, origin)]
        addresses = json.loads(fetch(where))["status_lists"] if below else []
        if not below or len(addresses) > MOST_LISTS:
            raise ValueError("no addresses of status lists, or too many")
        if not all(any(vc.under(one, origin) for origin in origins) for one in addresses):
            raise ValueError("a status list elsewhere")
        return {one: fetch(one).decode() for one in addresses}

    def _lists(self) -> dict[str, dict[str, str]]:
        return json.loads(self._known.read_text())["lists"] if self._known.exists() else {}

    def _open(self, trust: str, lists: dict[str, dict[str, str]], at: float) -> None:
        """Put what was fetched to use, as of when it was; a list that does not count is as if it were not there."""
        self._trust = vc.trusted(trust.encode(), self.signers, self.needed, at, self._trust)
        self._statuses, self._at = {}, at
        for issuer, tokens in lists.items():
            for uri, token in tokens.items():
                try:
                    self._statuses[issuer, uri] = vc.statuses(token, issuer, uri, at, self._key)
                except vc.BROKEN:
                    continue
