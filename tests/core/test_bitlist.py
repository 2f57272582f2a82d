"""The packed lists: vectors of the draft, every width there and back, and what no reader swallows."""

import re
import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import bitlist
from core.bitlist import BitList, NoBitList

# draft-ietf-oauth-status-list: the examples of section 4, and of the appendix two lists of 2^20 entries. A run of 'A'
# longer than 8 is written as its length.
SMALL = {
    1: ([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1], "eNrbuRgAAhcBXQ"),
    2: ([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], "eNo76fITAAPfAgc"),
}
AT = (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345)
ONE_BIT = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQ{19}IBylgQ{53}XG9I{9}PwsJ{15}vhsS{12}7KpL{21}JsLCQ"
    "{11}Djel{11}KjDMAQAAAACAZC8L2AEb"
)
TWO_BITS = (
    "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEB{41}EB5WwI{106}ID0ugQ{17}QG12Sg{27}OCSIQE{23"
    "}D8ExI{41}wJEuAQ{23}MB9SwI{19}CoYUo{14}EBqH81gAQw"
)
VALUES_OF_TWO = (1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3)
lists = st.sampled_from([1, 2, 4, 8]).flatmap(
    lambda bits: st.tuples(st.just(bits), st.lists(st.integers(0, 2**bits - 1), max_size=70))
)


def _whole(short: str) -> str:
    """A vector with its runs of 'A' written out."""
    return re.sub(r"\{(\d+)\}", lambda found: "A" * int(found[1]), short)


def _lst(packed: bytes) -> dict[str, object]:
    return {"bits": 1, "lst": urlsafe_b64encode(packed).rstrip(b"=").decode()}


class TestVectors:
    """What the draft prints."""

    @pytest.mark.parametrize("bits", SMALL)
    def test_the_small_examples_have_the_drafts_bytes(self, bits: bitlist.Bits) -> None:
        """Written as printed, and read back from what is printed."""
        numbers, lst = SMALL[bits]
        assert bitlist.encode(bitlist.pack(numbers, bits)) == {"bits": bits, "lst": lst}
        read = bitlist.decode({"bits": bits, "lst": lst})
        assert [read[at] for at in range(len(numbers))] == numbers

    def test_the_long_list_of_one_bit_is_read_and_written(self) -> None:
        """Of 2^20 entries eleven are 1, and they are those that the appendix names."""
        read = bitlist.decode({"bits": 1, "lst": _whole(ONE_BIT)})
        assert (len(read), tuple(read.ones())) == (2**20, AT)
        digits = bytearray(b"0" * 2**20)
        for at in AT:
            digits[at] = ord("1")
        assert bitlist.flags(digits) == read
        assert bitlist.encode(read)["lst"] == _whole(ONE_BIT)

    def test_the_long_list_of_two_bits_is_read_and_written(self) -> None:
        """The appendix's second: values 1 to 3 at the same places."""
        read = bitlist.decode({"bits": 2, "lst": _whole(TWO_BITS)})
        assert (len(read), tuple(read.ones())) == (2**20, AT)
        assert tuple(read[at] for at in AT) == VALUES_OF_TWO
        assert bitlist.encode(read)["lst"] == _whole(TWO_BITS)


class TestRoundTrip:
    """Every width."""

    @given(lists)
    def test_what_is_packed_is_read(self, given_: tuple[bitlist.Bits, list[int]]) -> None:
        """Numbers come back in their order, then zeros up to a whole byte."""
        bits, numbers = given_
        read = bitlist.decode(bitlist.encode(bitlist.pack(numbers, bits)))
        held = [read[at] for at in range(len(read))]
        assert held[: len(numbers)] == numbers
        assert set(held[len(numbers) :]) <= {0}
        assert len(held) - len(numbers) < 8

    @given(st.lists(st.booleans(), max_size=70))
    def test_flags_are_a_list_of_one_bit(self, bits: list[bool]) -> None:
        """The quick way for a city gives the same bytes."""
        assert bitlist.flags("".join("01"[bit] for bit in bits).encode()) == bitlist.pack(map(int, bits))

    @given(st.binary(max_size=20).flatmap(lambda a: st.tuples(st.just(a), st.binary(min_size=len(a), max_size=len(a)))))
    def test_what_changed_turns_each_list_into_the_other(self, two: tuple[bytes, bytes]) -> None:
        """Applied twice it changes nothing; its ones are where the two differ."""
        old, new = BitList(1, two[0]), BitList(1, two[1])
        delta = old.changed(new)
        assert (old.changed(delta), new.changed(delta)) == (new, old)
        assert list(delta.ones()) == [at for at in range(len(old)) if old[at] != new[at]]


class TestRefusals:
    """What is no list."""

    @pytest.mark.parametrize(
        "members",
        [
            {},
            {"bits": 3, "lst": "eNrbuRgAAhcBXQ"},
            {"bits": True, "lst": "eNrbuRgAAhcBXQ"},
            {"bits": 1, "lst": 7},
            {"bits": 1, "lst": "é"},
            {"bits": 1, "lst": "eNrbuRgAAhcB"},
            {"bits": 1, "lst": "A"},
            _lst(zlib.compress(b"x") + b"more"),
            _lst(b"x"),
        ],
    )
    def test_it_is_refused(self, members: dict[str, object]) -> None:
        """No width, no text, no base64url, a stream that is cut off or goes on."""
        with pytest.raises(NoBitList):
            bitlist.decode(members)

    def test_a_list_that_unpacks_to_more_than_is_allowed_stops_there(self) -> None:
        """A megabyte of zeros in a kilobyte is not unpacked for who expects less; one who allows it reads it."""
        bomb = _lst(zlib.compress(bytes(2**20), 9))
        with pytest.raises(NoBitList):
            bitlist.decode(bomb, most=2**20 - 1)
        assert len(bitlist.decode(bomb, most=2**20)) == 2**23

    def test_numbers_and_places_that_do_not_fit(self) -> None:
        """A number too large, a width of 3, lists of two shapes, an index behind the end or before 0."""
        for wrong in ([2], [-1]):
            with pytest.raises(NoBitList):
                bitlist.pack(wrong)
        with pytest.raises(NoBitList):
            bitlist.pack([1], 3)  # pyright: ignore[reportArgumentType]  (that is what is tried)
        with pytest.raises(NoBitList):
            bitlist.pack([1]).changed(bitlist.pack([1] * 9))
        for index in (-1, 8):
            with pytest.raises(IndexError):
                bitlist.pack([1])[index]
