"""A gate without a line: what it admits once, and every attack on it that we know of."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incentives import creditcode
from incentives.creditcode import Claims
from tests.incentives import gates

NOW = 1_795_348_800
CITY, KEY = 990_000, Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
MINE = Claims(24, CITY, b"\0\1\2\3\4\5\6\7", NOW, 7, 41)


class Venue:
    """A gate for perk 7 of partner 41 and programme 3, at a time of one's choosing."""

    def __init__(self, since: float = 0) -> None:
        """A gate that has been on for long, unless told otherwise."""
        self.now = float(NOW)
        self.gate = gates.library.Gate({(CITY, 24): KEY.public_key()}, 7, {41, 3}, clock=lambda: self.now, since=since)

    def shows(self, text: str) -> str:
        """What becomes of a text."""
        try:
            self.gate.admit(text)
        except gates.library.Refused as no:
            return no.reason
        return "granted"


def code(by: Ed25519PrivateKey = KEY, **other: Any) -> str:
    """A code like the good one but for some claims."""
    return creditcode.write(msgspec.structs.replace(MINE, **other), by.sign)


def forged(change: Callable[[bytes], bytes]) -> str:
    """A good code with its body changed, and signed by the city all the same: what only the city could make."""
    body = change(gates.library.base45(code()[4:])[:25])
    return "CC1:" + creditcode.base45(body + KEY.sign(b"CC1\0" + body))


class TestAdmit:
    """What is admitted."""

    @pytest.mark.parametrize("late", [-10, 0, 60, 70])
    def test_a_code_of_this_minute(self, late: int) -> None:
        """With ten seconds between the clocks, either way."""
        venue = Venue()
        venue.now += late
        assert venue.shows(code()) == "granted"

    def test_of_the_programme_as_of_the_partner(self) -> None:
        """Whoever chose no partner is welcome at each that offers the perk."""
        assert Venue().shows(code(audience=3)) == "granted"

    def test_as_a_scanner_gives_it(self) -> None:
        """With a line end, in small letters."""
        assert Venue().shows(f" {code().lower()}\r\n") == "granted"


class TestAttacks:
    """Nothing of this is admitted."""

    def test_replay(self) -> None:
        """Once, for as long as it lives, however it is written; and memory does not grow after that."""
        venue = Venue()
        assert [venue.shows(text) for text in (code(), code(), code().lower())] == ["granted", "code_used", "code_used"]
        for number in range(100):
            venue.now += 5
            venue.shows(code(jti=number.to_bytes(8), issued=int(venue.now)))
        assert len(venue.gate._shown) < 30

    def test_replay_by_two_turnstiles_at_once(self) -> None:
        """Of racing threads one has it."""
        venue, barrier = Venue(), Barrier(8)

        def show() -> str:
            barrier.wait()
            return venue.shows(code())

        with ThreadPoolExecutor(8) as pool:
            came = [one.result() for one in [pool.submit(show) for _ in range(8)]]
        assert sorted(came) == ["code_used"] * 7 + ["granted"]

    def test_replay_across_a_restart(self) -> None:
        """A gate that forgot admits nothing of before; the visitor draws another."""
        assert Venue(since=NOW + 1).shows(code()) == "code_expired"
        assert Venue(since=NOW).shows(code()) == "granted"

    def test_another_issuer_with_the_same_key_byte(self) -> None:
        """The key is the city's and the byte's; a stranger who signs under both is not believed."""
        assert Venue().shows(code(by=STRANGER)) == "code_expired"

    @pytest.mark.parametrize("other", [{"city": 320_500}, {"city": 0}, {"key": 25}])
    def test_an_unknown_city_or_key(self, other: dict[str, int]) -> None:
        """What has no key here is nobody's."""
        assert Venue().shows(code(KEY, **other)) == "code_expired"

    @pytest.mark.parametrize("late", [-11, 71, 3600, 10**9])
    def test_a_screenshot_and_a_clock_ahead(self, late: int) -> None:
        """After 71 seconds it is a picture; before its time it is nothing yet."""
        venue = Venue()
        venue.now += late
        assert venue.shows(code()) == "code_expired"

    @pytest.mark.parametrize("life", [0, 61, 255])
    def test_a_long_life(self, life: int) -> None:
        """Even signed by the city, nothing lives beyond a minute."""
        assert Venue().shows(forged(lambda body: body[:18] + bytes([life]) + body[19:])) == "code_expired"

    @pytest.mark.parametrize("other", [{"audience": 42}, {"perk": 8}, {"perk": 41, "audience": 7}])
    def test_another_venue_or_perk(self, other: dict[str, int]) -> None:
        """Signed and fresh, and not for here; what it was for is still open to it."""
        assert Venue().shows(code(KEY, **other)) == "code_not_for_you"

    def test_for_everybody(self) -> None:
        """Audience nought is refused even by a gate that was told to take it."""
        nought = forged(lambda body: body[:21] + bytes(4))
        gate = gates.library.Gate({(CITY, 24): KEY.public_key()}, 7, {0, 41}, clock=lambda: NOW, since=0)
        with pytest.raises(gates.library.Refused, match="code_not_for_you"):
            gate.admit(nought)

    @pytest.mark.parametrize(
        "text", [code().replace("CC1:", "CC2:"), code()[4:], forged(lambda body: b"\2" + body[1:]), "CC1:", "", "CC1:é"]
    )
    def test_relabelled(self, text: str) -> None:
        """Another type, another version, none at all."""
        assert Venue().shows(text) == "code_expired"

    def test_signed_for_another_purpose(self) -> None:
        """A signature of the same key over the bare bytes, or under another name, is none."""
        body = gates.library.base45(code()[4:])[:25]
        for domain in (b"", b"CC2C", b"CC2P", b"CC1"):
            assert Venue().shows("CC1:" + creditcode.base45(body + KEY.sign(domain + body))) == "code_expired"

    def test_truncated_or_longer(self) -> None:
        """At each length but its own."""
        text = code()
        assert {Venue().shows(text[:cut]) for cut in range(len(text))} == {"code_expired"}
        assert {Venue().shows(text + more) for more in ("0", "00", "000", ":")} == {"code_expired"}

    def test_712_flipped_bits(self) -> None:
        """Not one of the 89 × 8 codes that differ in a bit is admitted."""
        raw, venue = gates.library.base45(code()[4:]), Venue()
        flipped = [raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :] for at in range(89) for bit in range(8)]
        assert len(flipped) == 712
        assert "granted" not in {venue.shows("CC1:" + creditcode.base45(one)) for one in flipped}
        assert venue.shows(code()) == "granted"


class TestVectors:
    """`docs/gate/vectors.json`, which any language can test against."""

    def test_the_library_answers_as_they_say(self) -> None:
        """Each text at its time, at a fresh gate."""
        told = json.loads(gates.VECTORS.read_text())
        assert len(told["cases"]) > 15
        for one in told["cases"]:
            gate = gates.library.Gate(
                gates.library.keys(told["jwks"], told["gate"]["city"]), told["gate"]["perk"], told["gate"]["audiences"],
                clock=lambda now=one["now"]: now, since=told["gate"]["since"],
            )  # fmt: skip
            came: list[str] = []
            for text in one["texts"]:
                try:
                    gate.admit(text)
                    came.append("granted")
                except gates.library.Refused as no:
                    came.append(no.reason)
            assert came == one["answers"], one["what"]

    def test_they_are_what_we_write(self) -> None:
        """The file is made of our own writer's codes, byte by byte."""
        from tests.incentives import vectors

        assert json.loads(gates.VECTORS.read_text()) == vectors.made()
