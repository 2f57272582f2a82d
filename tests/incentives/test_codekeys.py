"""The keys of credit codes turn by the calendar, and at once by the operator's switch."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.keys import Keyring
from incentives.codekeys import Keys

LAST = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
FIRST = LAST + timedelta(seconds=1)


def kids(keys: Keys, at: datetime) -> list[str]:
    """The published names of an instant."""
    return [str(one.kid) for one in keys.published(at)]


class TestTurn:
    """From one quarter to the next."""

    def test_a_key_is_known_a_quarter_before_it_signs(self, ring: Keyring) -> None:
        """Whoever fetched the keys in autumn reads the codes of winter."""
        keys = Keys(ring)
        signing = keys.current(FIRST)
        assert f"cc-{signing.byte}" == kids(keys, LAST)[1] == kids(keys, FIRST)[0]
        assert keys.current(LAST).byte != signing.byte

    def test_the_last_ones_lingers_for_its_codes(self, ring: Keyring) -> None:
        """A code of the last second is read until it is over, and its key is gone soon after."""
        keys, old = Keys(ring), f"cc-{Keys(ring).current(LAST).byte}"
        assert old in kids(keys, FIRST + timedelta(seconds=70))
        assert old not in kids(keys, FIRST + timedelta(seconds=200))

    def test_two_processes_agree(self, ring: Keyring) -> None:
        """The same master key gives the same keys, and what is published checks what is signed."""
        one, other = Keys(ring), Keys(ring)
        public = other.published(LAST)[0].public_key
        assert isinstance(public, Ed25519PublicKey)
        public.verify(one.current(LAST).sign(b"x"), b"x")

    def test_a_byte_comes_again_for_another_key(self, ring: Keyring) -> None:
        """After eight years; the key of then is not the key of now."""
        keys, later = Keys(ring), datetime(2034, 12, 31, tzinfo=UTC)
        assert keys.current(LAST).byte == keys.current(later).byte
        assert keys.current(LAST).sign(b"x") != keys.current(later).sign(b"x")


class TestSwitch:
    """The operator's emergency switch."""

    @pytest.mark.parametrize("serial", [1, 7, 8])
    def test_another_serial_is_another_key(self, ring: Keyring, serial: int) -> None:
        """Every published key changes at once, and nothing that was signed before is checked by the new ones."""
        before, after = Keys(ring), Keys(ring, serial)
        was = {one.as_dict(private=False)["x"] for one in before.published(LAST)}
        assert was.isdisjoint(one.as_dict(private=False)["x"] for one in after.published(LAST))
