"""A gate that works a day without a line: what it lets through, what it keeps, and what a power cut leaves."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.public import perklist
from api.public.creditcodes import TYPE as CODES_TYPE
from api.public.published import Press
from core import bitlist
from core.bitlist import BitList
from core.keys import Keyring
from core.settings import ROOT
from core.signed import Signer
from incentives import codes
from incentives.book import perkfile
from tests.incentives import gates

NOW = 1_795_348_800
PERK = "transit.discount"
LISTED, OTHER = 5, 6
(TRANSIT,) = perkfile.load((ROOT / "policy/perks/transit.toml").read_text(), "transit.toml")
Refused = gates.library.Refused


class City:
    """What a gate can fetch, and the codes that it is shown."""

    def __init__(self, ring: Keyring) -> None:
        """An hour ago the first list was made."""
        self.ring, self.mint, self.press = ring, codes.mint(ring, "990000", 0), Press(ring)
        self.bits, self.seq, self.worth, self.now, self.gone = bytes([1 << LISTED]), 1, "value", float(NOW), False
        self.asked: list[str] = []

    def fetch(self, path: str) -> tuple[dict[str, str], bytes]:
        """GET."""
        self.asked.append(path)
        if path == gates.days.JWKS:
            at = datetime.fromtimestamp(self.now, UTC)
            return {"date": format_datetime(at, usegmt=True)}, json.dumps({"keys": self._keys(at)}).encode()
        if path == gates.days.CODES:
            told = {
                "city": 990000, "perks": [{"perk": PERK, "number": 7}],
                "audiences": [{"kind": "partner", "name": "metro", "number": 41},
                              {"kind": "programme", "name": PERK, "number": 3}],
            }  # fmt: skip
            return {}, json.dumps({"statement": Signer(self.ring.ed25519("rcpt-1"), CODES_TYPE).sign(told)}).encode()
        if path == gates.days.PERKS:
            made = self.press.document("perks", lambda: {"perks": [perklist.show(TRANSIT)]})
            return {name.lower(): value for name, value in made.headers.items()}, made.body
        return {}, self._list("&since=" in path).encode()

    def turn(self, bits: bytes) -> None:
        """Another edition."""
        self.before, self.bits, self.seq = self.bits, bits, self.seq + 1

    def code(self, perk: int = 7, audience: int = 3) -> str:
        """A code of now."""
        return self.mint.code(perk=perk, audience=audience, at=datetime.fromtimestamp(self.now, UTC)).text

    def _keys(self, at: datetime) -> list[dict[str, Any]]:
        ours = [self.ring.ed25519("rcpt-1"), self.ring.es256("rules-1"), *self.mint.keys.published(at)]
        return [dict(one.as_dict(private=False)) for one in ours]

    def _list(self, delta: bool) -> str:  # noqa: FBT001  (of one caller)
        if delta and self.gone:
            raise OSError("410")
        told: dict[str, Any] = {"status_list": bitlist.encode(BitList(1, self.bits))}
        if delta:
            turned = BitList(1, self.before).changed(BitList(1, self.bits))
            told = {"since": self.seq - 1, "changed": bitlist.encode(turned)}
        return Signer(self.ring.ed25519("rcpt-1"), gates.lists.TYPE).sign({
            "aud": "metro", "exp": int(self.now) + 93_600, "perk": PERK, "worth": self.worth, "seq": self.seq,
            "digest": hashlib.sha256(self.bits).hexdigest(), **told,
        })  # fmt: skip


@pytest.fixture
def city(ring: Keyring) -> City:
    """A city at one time."""
    return City(ring)


Open = Callable[..., Any]


@pytest.fixture
def gate(city: City, tmp_path: Path) -> Open:
    """Opens the gate `a`, or one named otherwise, as it is on disk."""

    def open_gate(name: str = "a", **more: Any) -> Any:
        return gates.days.Day(
            tmp_path / name, perk=PERK, partner="metro", terminal=name, clock=lambda: city.now, **more
        )

    return open_gate


def why(attempt: Callable[[], object]) -> str:
    """Why a gate refused."""
    with pytest.raises(Refused) as refused:
        attempt()
    return refused.value.why


class TestCard:
    """By the list."""

    def test_who_is_on_it(self, city: City, gate: Open) -> None:
        """A tenth off; everybody else pays the ordinary fare."""
        day = gate()
        day.learn(city.fetch)
        paid = day.card(LISTED, 300)
        assert (paid.fare, paid.discount) == (270, 30)
        for index in (OTHER, 8, 10**6):
            assert why(partial(day.card, index, 300)) == "not on the list"

    def test_what_changed(self, city: City, gate: Open) -> None:
        """By the difference alone, and kept over a power cut; the whole where the city cannot tell any more."""
        day = gate()
        day.learn(city.fetch)
        city.turn(bytes([1 << OTHER]))
        day.learn(city.fetch)
        assert city.asked[-4:].count(f"{gates.days.LISTS}?perk={PERK}&since=1") == 1
        for one in (day, gate()):
            assert (one.list.holds(LISTED), one.list.holds(OTHER), one.list.seq) == (False, True, 2)
        city.turn(bytes([1 << LISTED]))
        city.gone = True
        day.learn(city.fetch)
        assert day.list.holds(LISTED)

    def test_an_old_list(self, city: City, gate: Open) -> None:
        """Closed for value, open for courtesy."""
        for worth, closed in (("value", True), ("courtesy", False)):
            city.worth, city.now = worth, NOW
            day = gate(worth)
            day.learn(city.fetch)
            city.now = NOW + 93_601
            if closed:
                assert why(partial(day.card, LISTED, 300)) == "the list is too old"
            else:
                assert day.card(LISTED, 0).discount == 0

    def test_a_list_of_somebody_else(self, city: City, gate: Open) -> None:
        """Signed by the city for another operator: it is not taken, and the old one stays."""
        day = gate()
        day.learn(city.fetch)
        other = gate("b")
        other.partner = "bus"
        with pytest.raises(ValueError, match="another"):
            other.learn(city.fetch)

    def test_a_check_takes_less_than_a_millisecond(self, city: City, gate: Open) -> None:
        """A million cards; the best of many, for what else runs here is not the gate's."""
        city.bits = bytes(1 << 18)[:-1] + b"\x80"
        day = gate()
        day.learn(city.fetch)
        last = (1 << 21) - 1

        def once() -> float:
            begun = time.perf_counter()
            assert day.list.holds(last)
            assert not day.list.holds(0)
            return time.perf_counter() - begun

        assert min(once() for _ in range(200)) < 0.001


class TestCode:
    """By signature."""

    def test_once(self, city: City, gate: Open) -> None:
        """Also over a power cut, for what was taken is on file."""
        day = gate()
        day.learn(city.fetch)
        text = city.code()
        assert day.code(text, 300).discount == 30
        assert why(lambda: day.code(text.lower(), 300)) == "taken here before"
        assert why(lambda: gate().code(text, 300)) == "taken here before"

    def test_of_another(self, city: City, gate: Open) -> None:
        """Another perk, another partner, no code."""
        day = gate()
        day.learn(city.fetch)
        for text in (city.code(perk=8), city.code(audience=9), "CC1:X"):
            with pytest.raises(Refused):
                day.code(text, 300)

    def test_old_keys(self, city: City, gate: Open) -> None:
        """After a month without a line no code has value; courtesy goes on."""
        for worth, closed in (("value", True), ("courtesy", False)):
            city.worth, city.now = worth, NOW
            day = gate(worth)
            day.learn(city.fetch)
            city.now = NOW + gates.days.KEYS_LAST + 1
            text = city.code()
            if closed:
                assert why(partial(day.code, text, 300)) == "the keys are too old"
            else:
                day.code(text, 0)


class TestLimits:
    """What a terminal may give away without asking."""

    @pytest.mark.parametrize(
        ("limits", "rides"),
        [({"rides": 2}, 2), ({"card": 89}, 2), ({"terminal": 95}, 3), ({}, 20)],
    )
    def test_of_a_card_and_a_terminal(self, city: City, gate: Open, limits: dict[str, int], rides: int) -> None:
        """Counted over a power cut; another day begins anew."""
        day = gate(limits=gates.days.Limits(**limits))
        day.learn(city.fetch)
        for _ in range(rides):
            day.card(LISTED, 300)
        for one in (day, gate(limits=gates.days.Limits(**limits))):
            with pytest.raises(Refused):
                one.card(LISTED, 300)
        city.now += 86_400
        assert day.card(LISTED, 300).discount == 30

    def test_the_published_limit_of_a_month(self, city: City, gate: Open) -> None:
        """60 rides a month by one card, whatever the terminal's own limits are."""
        day = gate(limits=gates.days.Limits(rides=100, card=10**6))
        day.learn(city.fetch)
        for _ in range(60):
            day.card(LISTED, 300)
        assert why(lambda: day.card(LISTED, 300)) == "the card's published limit"

    def test_of_a_code(self, city: City, gate: Open) -> None:
        """Too much for one code, and the code is not used up by it."""
        day = gate(limits=gates.days.Limits(code=20))
        day.learn(city.fetch)
        text = city.code()
        assert why(lambda: day.code(text, 300)).startswith("more than a code")
        assert day.code(text, 100).discount == 10


class TestClock:
    """What a clock may be."""

    def test_set_back(self, city: City, gate: Open) -> None:
        """Before the last ride it gives nothing: codes of yesterday would live again."""
        day = gate()
        day.learn(city.fetch)
        day.card(LISTED, 300)
        city.now -= 60
        assert why(lambda: day.card(LISTED, 300)) == "the clock is wrong"
        assert why(lambda: gate().card(LISTED, 300)) == "the clock is wrong"

    def test_wrong_when_it_learnt(self, city: City, gate: Open) -> None:
        """More than ten seconds from the city's."""
        slow = gates.days.Day(gate("x").usage.folder, perk=PERK, partner="metro", terminal="x", clock=lambda: NOW - 30)
        slow.learn(city.fetch)
        assert why(lambda: slow.card(LISTED, 300)) == "the clock is wrong"


_WRITER = """
import sys; sys.path.insert(0, sys.argv[1])
from osmanthus_usage import Usage
usage = Usage(sys.argv[2])
while True:
    number = usage.number("a")
    usage.keep({"ride": number, "at": "2026-11-22T08:00:00+00:00"})
    print(number, flush=True)
"""


class TestUsage:
    """The usage on file."""

    def test_kill_9(self, tmp_path: Path) -> None:
        """Whatever was let through is on file, whole, in its order."""
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(gates.FOLDER), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        told = [writer.stdout.readline().strip() for _ in range(20)]
        os.kill(writer.pid, signal.SIGKILL)
        told += writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()
        kept = [one["ride"] for one in gates.usage.Usage(tmp_path).kept()]
        assert kept[: len(told)] == told
        assert len(kept) <= len(told) + 1  # on file, and killed before it said so

    def test_a_torn_line(self, tmp_path: Path) -> None:
        """It is cut off, and what comes after stands alone."""
        usage = gates.usage.Usage(tmp_path)
        usage.keep({"ride": "1", "at": "2026-11-22T08:00:00+00:00"})
        with usage.days()[0].open("ab") as file:
            file.write(b'{"ride": "2", "a')
        again = gates.usage.Usage(tmp_path)
        again.keep({"ride": "3", "at": "2026-11-22T08:00:00+00:00"})
        assert [one["ride"] for one in again.kept()] == ["1", "3"]

    def test_upload_is_repeated_until_it_is_answered(self, tmp_path: Path) -> None:
        """A line that breaks loses nothing, what was answered is not sent again, and only that may be forgotten."""
        usage, sent = gates.usage.Usage(tmp_path), list[bytes]()
        for number in range(3):
            usage.keep({"ride": str(number), "at": "2026-11-22T08:00:00+00:00"})

        def broken(lines: bytes) -> dict[str, Any]:
            sent.append(lines)
            raise OSError("no line")

        with pytest.raises(OSError, match="no line"):
            usage.upload(broken)
        usage.forget("2026-11-23")
        assert len(list(usage.kept())) == 3
        bodies = list[bytes]()
        answer = {"rejected": []}
        for again in (False, False, True):
            usage.upload(lambda lines: bodies.append(lines) or answer, again=again)
        assert bodies == [sent[0], sent[0]]
        usage.forget("2026-11-23")
        assert list(usage.kept()) == []
