"""The composing of lists: real bits where cards are, decoys everywhere else; what several editions changed."""

from hypothesis import given
from hypothesis import strategies as st

from core.bitlist import BitList
from incentives.citycard import lists

SIZE = 4096


def compose(key: bytes = bytes(32), perk: str = "a.b", size: int = SIZE, **more: frozenset[int]) -> BitList:
    """A list of an operator's."""
    return lists.compose(key, "op", perk, size=size, **{"owned": frozenset(), "granted": frozenset(), **more})


class TestCompose:
    """One list."""

    @given(st.frozensets(st.integers(0, SIZE - 1), max_size=60), st.data())
    def test_cards_have_their_own_bits_and_touch_no_other(self, owned: frozenset[int], data: st.DataObject) -> None:
        """Granted is 1, owned and not granted 0, and what is nobody's as without any card."""
        granted = frozenset(data.draw(st.lists(st.sampled_from(sorted(owned)), max_size=60))) if owned else owned
        bits, empty = compose(owned=owned, granted=granted), compose()
        assert [bits[place] for place in sorted(owned)] == [int(place in granted) for place in sorted(owned)]
        assert all(bits[place] == empty[place] for place in range(SIZE) if place not in owned)

    def test_decoys_are_stable_and_longer_lists_begin_alike(self) -> None:
        """The same every day; what a list gains by growing is at its end."""
        assert compose() == compose()
        assert compose(size=2 * SIZE).packed.startswith(compose().packed)

    def test_another_key_operator_or_perk_draws_others(self) -> None:
        """So lists of two perks cannot be laid on each other."""
        different = {compose().packed, compose(key=b"k" * 32).packed, compose(perk="a.c").packed}
        assert len(different) == 3

    def test_counting_ones_tells_nothing(self) -> None:
        """How many decoys are 1 varies from perk to perk by most of the list, so no number of holders stands out."""
        shares = [len(list(compose(perk=f"p.{number}").ones())) / SIZE for number in range(60)]
        assert min(shares) < 0.3
        assert max(shares) > 0.7


class TestTogether:
    """Several editions."""

    @given(st.lists(st.frozensets(st.integers(0, 63), max_size=9), max_size=6))
    def test_what_turned_twice_is_as_it_was(self, turns: list[frozenset[int]]) -> None:
        """The places that changed an odd number of times."""
        odd = {place for turn in turns for place in turn if sum(place in one for one in turns) % 2}
        kept = [b"".join(place.to_bytes(4) for place in sorted(turn)) for turn in turns]
        assert set(lists.together(64, kept).ones()) == odd

    def test_what_is_kept_is_what_is_read(self) -> None:
        """Four bytes a place."""
        changed = BitList(1, bytes([0b101, 0, 0b10000000, 0]))
        assert lists.together(32, [lists.places(changed)]) == changed
