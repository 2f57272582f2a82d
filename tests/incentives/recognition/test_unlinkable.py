"""Who is the same? Two verifiers with all that many holders showed them cannot say better than by guessing."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from incentives.recognition.credential import PLACES, Attested
from tests.incentives.recognition import linking
from tests.incentives.recognition.wallet import ATTESTED, DAY, PLACE, Place, Wallet

HOLDERS, COPIES, SIZE = 60, 6, 131_072
QUESTIONS = [("over_110",), ("over_110", "city"), ("city", "as_of", "scorecard"), ()]
NUMBERS = ("vc claims.status.status_list.idx",)


class Shows:
    """Holders who reached different thresholds, several copies of each, and what each copy showed of `names`."""

    def __init__(self, *names: str) -> None:
        """Noise and indexes are drawn from a seed, so that what is measured does not change from run to run."""
        dice = random.Random(11)  # noqa: S311  (not a secret: a seed)
        self.texts = list[list[str]]()
        for _ in range(HOLDERS):
            reached = frozenset({110, *dice.sample(range(111, 200), dice.randrange(12))})
            attested = Attested(reached, ATTESTED.city, DAY, ATTESTED.scorecard)
            copies = [
                Wallet(attested, dice.randbytes(512), Place(PLACE.uri, dice.randrange(SIZE))) for _ in range(COPIES)
            ]
            self.texts.append([copy.show(*names) for copy in copies])
        self.seen = [[linking.features(text) for text in each] for each in self.texts]

    @property
    def all(self) -> list[dict[str, Any]]:
        """What every copy showed."""
        return [one for each in self.seen for one in each]


@pytest.fixture(scope="module")
def shows() -> Shows:
    """One predicate and the city."""
    return Shows("over_110", "city")


class TestEveryField:
    """Each is everybody's, or nobody's twice."""

    @pytest.mark.parametrize("names", QUESTIONS, ids=lambda names: "+".join(names) or "nothing")
    def test_public_or_fresh(self, names: tuple[str, ...]) -> None:
        """No field has a value that some have in common; but places among sixteen, which are looked at below."""
        found = linking.kinds(Shows(*names).all)
        others = {name for name, kind in found.items() if kind == "other"}
        assert others <= {*NUMBERS, *(f"{turn} place" for turn in range(len(names)))}
        fresh = {name for name, kind in found.items() if kind == "fresh"}
        assert fresh - set(NUMBERS) == {
            "vc signature", "kb signature", "vc claims._sd elements", "vc claims.cnf.jwk.x", "vc claims.cnf.jwk.y",
            "kb claims.sd_hash", *(f"{turn} salt" for turn in range(len(names))),
        }  # fmt: skip

    def test_pairs(self, shows: Shows) -> None:
        """What two copies of one holder have in common, and what two holders' have: the same fields exactly."""
        measured = {*NUMBERS, "0 place", "1 place"}

        def common(one: dict[str, Any], other: dict[str, Any]) -> frozenset[str]:
            return frozenset(name for name in one if name not in measured and one[name] == other[name])

        same = {common(one, other) for each in shows.seen for one, other in pairwise(each)}
        strangers = {common(one[0], other[0]) for one, other in pairwise(shows.seen)}
        assert same == strangers
        assert len(same) == 1

    def test_lengths(self, shows: Shows) -> None:
        """But for the digits of an index, which are drawn anew for each copy, all are as long as one another."""
        digits = {
            len(text) - len(str(seen[NUMBERS[0]])) * 4 // 3
            for text, seen in zip(_flat(shows.texts), shows.all, strict=True)
        }
        assert max(digits) - min(digits) <= 1  # base64 rounds


class TestPlaces:
    """Where the digest of what is shown stands among the others."""

    def test_anywhere(self, shows: Shows) -> None:
        """Each of the sixteen places is as likely, however much the holder has reached (chi-square, 15 degrees)."""
        for turn in (0, 1):
            counted = Counter(one[f"{turn} place"] for one in shows.all)
            fair = HOLDERS * COPIES / PLACES
            assert sum((counted[place] - fair) ** 2 / fair for place in range(PLACES)) < 37.7  # p = 0.001

    @pytest.mark.parametrize("field", [*NUMBERS, "0 place", "1 place"])
    def test_no_nearer(self, shows: Shows, field: str) -> None:
        """The numbers of two copies of one holder are no nearer to each other than those of two holders."""
        same = [float(abs(a[field] - b[field])) for each in shows.seen for a, b in pairwise(each)]
        strangers = [
            float(abs(a[field] - b[field])) for n in range(COPIES) for a, b in pairwise(each[n] for each in shows.seen)
        ]
        assert linking.apart(same, strangers) < 3


class TestPacked:
    """Sizes after compression, as they are seen on a line."""

    def test_no_nearer(self, shows: Shows) -> None:
        """Nor are the compressed sizes of one holder's copies nearer to each other, or of another size than others'."""
        sizes = [[linking.packed(text) for text in each] for each in shows.texts]
        same = [float(abs(a - b)) for each in sizes for a, b in pairwise(each)]
        strangers = [float(abs(a - b)) for n in range(COPIES) for a, b in pairwise(each[n] for each in sizes)]
        assert linking.apart(same, strangers) < linking.STRANGE


class TestAble:
    """The measure would see it."""

    def test_one_key_for_two(self) -> None:
        """Copies that share a key, a salt or an index are found out."""
        noise = bytes(512)
        first, second = Wallet(noise=noise), Wallet(noise=noise)
        found = linking.kinds([*(linking.features(one.show("city")) for one in (first, second, Wallet()))])
        assert found["0 salt"] == found["vc claims._sd elements"] == "other"


def _flat(texts: list[list[str]]) -> list[str]:
    return [text for each in texts for text in each]
