"""What is added to the library's answers."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.sip2 import enriching, frames
from api.sip2.enriching import Gift
from api.sip2.frames import Frame

STATUS = " " * 14 + "000" + "20261122    153000"


def information(*fields: tuple[str, str], loans: str = "0003") -> Frame:
    """Patron Information of somebody with so many items on loan."""
    return Frame("64", STATUS + "00000000" + loans + "0" * 12, (("AO", "lib"), ("AA", "R1"), ("AE", "张三明"), *fields))


FIELDS = st.lists(
    st.sampled_from(
        [("CB", "0010"), ("CB", "9999"), ("CB", "some"), ("CC", "50.00"), ("CC", "5"), ("CC", "x"), ("BH", "CNY"),
         ("BH", "EUR"), ("AF", "欢迎"), ("AG", "print"), ("BL", "Y"), ("BV", "200.00")]
    ),
    unique_by=lambda one: one[0],
)  # fmt: skip


class TestReading:
    """What an answer says of a reader."""

    def test_counts_and_limits(self) -> None:
        """On loan and the limit, where the system says them."""
        assert (enriching.on_loan(information()), enriching.limit(information(("CB", "0010")))) == (3, 10)
        assert (enriching.on_loan(information(loans="    ")), enriching.limit(information())) == (None, None)
        assert enriching.on_loan(Frame("24", STATUS)) is None

    def test_who_is_a_reader(self) -> None:
        """Not one whom the system calls invalid, and not with a wrong password."""
        asked, with_pin = Frame("63", " " * 31), Frame("63", " " * 31, (("AD", "1234"),))
        assert enriching.is_reader(asked, information(("BL", "Y"), ("CQ", "N")))
        assert enriching.is_reader(with_pin, information())
        assert not enriching.is_reader(with_pin, information(("BL", "Y"), ("CQ", "N")))
        assert not enriching.is_reader(asked, information(("BL", "N")))


class TestEnriched:
    """The answer with a gift."""

    def test_more_items_a_word_and_no_deposit(self) -> None:
        """The limit grows, the fee limit by the deposit, the word stands after the library's own."""
        said = information(("CB", "0010"), ("CC", "50.00"), ("AF", "欢迎"), ("AG", "x"))
        told = enriching.enriched(said, Gift(20, 20000, ("多借几册书：可借20册",)))
        assert (told.get("CB"), told.get("CC")) == ("0020", "250.00")
        assert [value for name, value in told.fields if name == "AF"] == ["欢迎", "多借几册书：可借20册"]
        assert (told.fixed, told.fields[-1]) == (said.fixed, ("AG", "x"))

    def test_a_limit_that_nobody_said(self) -> None:
        """Without a limit the gift's is told."""
        assert enriching.enriched(information(), Gift(20)).get("CB") == "0020"

    def test_status_gets_words_alone(self) -> None:
        """Patron Status has no limits."""
        said = Frame("24", STATUS, (("AA", "R1"),))
        assert enriching.enriched(said, Gift(20, 100, ("好",))).fields == (("AA", "R1"), ("AF", "好"))

    def test_words_fit_a_field(self) -> None:
        """At most 255 bytes, whole letters, nothing that ends a field."""
        told = enriching.enriched(information(), Gift(words=("积分|" * 100,)))
        said = told.get("AF") or ""
        assert len(said.encode()) <= 255
        assert "|" not in said
        assert frames.read(frames.write(told)) == told

    @settings(max_examples=50)
    @given(FIELDS, st.integers(0, 12000), st.integers(0, 10**6), st.lists(st.text(max_size=5), max_size=3))
    def test_never_less(self, fields: list[tuple[str, str]], items: int, fees: int, said: list[str]) -> None:
        """Whatever is added: flags, counts and every other field stay, limits never fall, no field goes."""
        before = information(*fields)
        after = enriching.enriched(before, Gift(items or None, fees, tuple(said)))
        assert msgspec.structs.replace(after, fields=()) == msgspec.structs.replace(before, fields=())
        assert [one for one in after.fields if one[0] not in {"AF", "CB", "CC"}] == [
            one for one in before.fields if one[0] not in {"AF", "CB", "CC"}
        ]
        assert (enriching.limit(after) or 0) >= (enriching.limit(before) or 0)
        fee_limits = [enriching._fen(one.get("CC")) or 0 for one in (before, after)]
        assert fee_limits[1] >= fee_limits[0]
        assert [value for name, value in after.fields if name == "AF"][: sum(one[0] == "AF" for one in fields)] == [
            value for name, value in fields if name == "AF"
        ]

    @settings(max_examples=50)
    @given(FIELDS)
    def test_nothing_given_nothing_changed(self, fields: list[tuple[str, str]]) -> None:
        """Without a gift it is the same answer."""
        assert enriching.enriched(information(*fields), Gift()) == information(*fields)
