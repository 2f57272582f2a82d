"""Sealed fields open with their key at their place, and nowhere else."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core import sealed, suites

KEY = bytes(range(32))
PLACE = ("auth.citizen", "sealed_profile", b"row-1")
PLACES = st.tuples(st.text(max_size=9), st.text(max_size=9), st.binary(max_size=17))


@pytest.fixture(params=sorted(suites.SUITES), autouse=True, scope="module")
def suite(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test of this module with each suite as the one that writes."""
    sealed.choose(request.param)
    yield request.param
    sealed.choose("aes")


class TestChoose:
    """Which suite writes."""

    def test_the_header_says_it(self, suite: str) -> None:
        """The second byte is the suite's number."""
        assert sealed.seal(KEY, b"", place=PLACE)[:2] == bytes((1, suites.SUITES[suite].number))

    @pytest.mark.parametrize("other", sorted(suites.SUITES))
    def test_what_either_wrote_opens_in_either_setting(self, suite: str, other: str) -> None:
        """A city that turns to the other suite goes on reading."""
        value = sealed.seal(KEY, b"secret", place=PLACE)
        sealed.choose(other)
        try:
            assert sealed.unseal(KEY, value, place=PLACE) == b"secret"
        finally:
            sealed.choose(suite)


class TestBlind:
    """What finds without holding."""

    def test_either_setting_searches_for_both(self, suite: str) -> None:
        """The process's suite comes first; what was written in the other setting is among the candidates."""
        found = sealed.blind(KEY, 3, "column", "value")
        assert [one[:3] for one in found] == [bytes((suites.SUITES[suite].number, 0, 3)), found[1][:3]]
        assert {one[0] for one in found} == {1, 2}
        assert {len(one) for one in found} == {35}

    def test_key_number_column_and_value_all_count(self) -> None:
        """Changing any one of them changes every candidate."""
        found = {*sealed.blind(KEY, 1, "c", "v")}
        for other in ((bytes(32), 1, "c", "v"), (KEY, 2, "c", "v"), (KEY, 1, "d", "v"), (KEY, 1, "c", "w")):
            assert not found & {*sealed.blind(*other)}


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

    @given(st.binary(max_size=60), st.data())
    def test_every_altered_byte_is_found(self, plaintext: bytes, data: st.DataObject) -> None:
        """No byte of header, nonce, ciphertext or tag can be another one, the suite's number least of all."""
        value = sealed.seal(KEY, plaintext, place=PLACE)
        position = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != value[position]))
        with pytest.raises(sealed.SealBroken):
            sealed.unseal(KEY, value[:position] + bytes((other,)) + value[position + 1 :], place=PLACE)

    def test_every_flipped_bit_of_one_value_is_found(self) -> None:
        """All of them, one after the other."""
        value = sealed.seal(KEY, b"secret", place=PLACE)
        for position in range(len(value) * 8):
            altered = bytearray(value)
            altered[position // 8] ^= 1 << position % 8
            with pytest.raises(sealed.SealBroken):
                sealed.unseal(KEY, bytes(altered), place=PLACE)

    def test_a_value_called_the_other_suite_s_does_not_open(self) -> None:
        """The suite's number is bound: it cannot be exchanged to have the same bytes read by another cipher."""
        value = sealed.seal(KEY, b"secret", place=PLACE)
        with pytest.raises(sealed.SealBroken):
            sealed.unseal(KEY, bytes((1, 3 - value[1])) + value[2:], place=PLACE)

    @given(st.binary(max_size=60), st.integers(0, 89))
    def test_a_value_cut_short_does_not_open(self, plaintext: bytes, length: int) -> None:
        """Nor does one with something after it."""
        value = sealed.seal(KEY, plaintext, place=PLACE)
        assume(length < len(value))
        for altered in (value[:length], value + value[:1]):
            with pytest.raises(sealed.SealBroken):
                sealed.unseal(KEY, altered, place=PLACE)

    @given(PLACES, PLACES)
    @settings(max_examples=200)
    def test_it_opens_at_its_own_place_alone(
        self, place: tuple[str, str, bytes], other: tuple[str, str, bytes]
    ) -> None:
        """Any two different places are different, however their parts run into each other."""
        value = sealed.seal(KEY, b"secret", place=place)
        assert sealed.unseal(KEY, value, place=place) == b"secret"
        if place != other:
            with pytest.raises(sealed.SealBroken):
                sealed.unseal(KEY, value, place=other)

    @given(st.binary(max_size=80))
    def test_no_other_bytes_open(self, value: bytes) -> None:
        """Whatever somebody writes into the column."""
        for header in (b"", b"\x01\x01", b"\x01\x02"):
            with pytest.raises(sealed.SealBroken):
                sealed.unseal(KEY, header + value, place=PLACE)

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
