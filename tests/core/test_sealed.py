"""Sealed fields open with their key at their place, and nowhere else."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import sealed

KEY = bytes(range(32))
PLACE = ("auth.citizen", "sealed_profile", b"row-1")


class TestUnseal:
    """Opening."""

    @given(st.binary(max_size=300))
    def test_what_was_sealed_opens(self, plaintext: bytes) -> None:
        """Any bytes survive."""
        assert sealed.unseal(KEY, sealed.seal(KEY, plaintext, place=PLACE), place=PLACE) == plaintext

    @pytest.mark.parametrize(
        "place", [("auth.client", *PLACE[1:]), (PLACE[0], "other", PLACE[2]), (*PLACE[:2], b"row-2")]
    )
    def test_a_value_moved_elsewhere_does_not_open(self, place: tuple[str, str, bytes]) -> None:
        """Another table, column or row is another place."""
        with pytest.raises(sealed.SealBroken):
            sealed.unseal(KEY, sealed.seal(KEY, b"secret", place=PLACE), place=place)

    def test_every_flipped_bit_is_found(self) -> None:
        """No single altered bit of header, nonce, ciphertext or tag passes."""
        value = sealed.seal(KEY, b"secret", place=PLACE)
        for position in range(len(value) * 8):
            altered = bytearray(value)
            altered[position // 8] ^= 1 << position % 8
            with pytest.raises(sealed.SealBroken):
                sealed.unseal(KEY, bytes(altered), place=PLACE)

    def test_another_key_does_not_open(self) -> None:
        """Only the key that sealed opens."""
        with pytest.raises(sealed.SealBroken):
            sealed.unseal(os.urandom(32), sealed.seal(KEY, b"secret", place=PLACE), place=PLACE)

    def test_parts_of_a_place_cannot_run_into_each_other(self) -> None:
        """("ab", "c") and ("a", "bc") are different places."""
        with pytest.raises(sealed.SealBroken):
            sealed.unseal(KEY, sealed.seal(KEY, b"secret", place=("ab", "c", b"")), place=("a", "bc", b""))

    @pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\x01", b"\x01\x01" + bytes(12), b"\x01\x01" + bytes(30)])
    def test_a_stump_does_not_open(self, value: bytes) -> None:
        """Too short to be a sealed value is not a fault of ours."""
        with pytest.raises(sealed.SealBroken):
            sealed.unseal(KEY, value, place=PLACE)
