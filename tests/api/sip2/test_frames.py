"""SIP2 on the wire."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.sip2 import frames
from api.sip2.frames import FIXED, LONGEST, Cutter, Frame, Piece, TooLongError, UnreadableError

KNOWN = "09N20160419    12200820160419    122008APReading Room 1|AO830|AB830$28170815|AC|AY2AZEB80"
TEXT = st.text(st.characters(blacklist_characters="|\r\n\0", blacklist_categories=["Cs"]), max_size=40)
NAMES = st.from_regex(r"[A-Z][A-Z0-9]", fullmatch=True)


@st.composite
def frame(draw: st.DrawFn) -> Frame:
    """Any message that can be written."""
    code = draw(st.sampled_from(sorted(FIXED)))
    size = FIXED[code]
    fixed = draw(st.text(st.characters(min_codepoint=32, max_codepoint=123), min_size=size, max_size=size))
    fields = tuple(draw(st.lists(st.tuples(NAMES, TEXT), max_size=6)))
    sequence = draw(st.none() | st.sampled_from("0123456789"))
    return Frame(code, fixed, fields, sequence, draw(st.booleans()))


class TestRead:
    """What a line says."""

    def test_the_published_example(self) -> None:
        """A check-in with a known checksum is read and written back byte for byte."""
        read = frames.read(KNOWN.encode())
        assert (read.code, read.get("AP"), read.get("AC"), read.sequence) == ("09", "Reading Room 1", "", "2")
        assert frames.write(read).decode() == KNOWN

    @pytest.mark.parametrize(
        "line",
        [
            b"", b"6", b"ZZ", b"00", b"\xff\xfe", b"2300", b"94", KNOWN.replace("EB80", "EB81").encode(),
            KNOWN.replace("Room", "Rooms").encode(), b"941AF\xe5\xbc|", b"941AFno end", b"941af|", b"941A|", b"941||",
            b"941" + b"A" * LONGEST, "94一".encode(), b"941AFa\nb|",
        ],
    )  # fmt: skip
    def test_what_cannot_be_read(self, line: bytes) -> None:
        """Junk, cut, damaged, of another encoding: a plain UnreadableError."""
        with pytest.raises(UnreadableError):
            frames.read(line)

    def test_small_letters_in_a_checksum(self) -> None:
        """Some terminals write the checksum in small letters."""
        assert frames.read(KNOWN.replace("EB80", "eb80").encode()).checked

    @settings(max_examples=40)
    @given(st.binary(max_size=200))
    @example(b"941AFx|AY1")
    @example(b"96AZFEF6")
    def test_any_bytes(self, line: bytes) -> None:
        """Any bytes are read and written back as they came, or refused as unreadable."""
        try:
            read = frames.read(line)
        except UnreadableError:
            return
        assert frames.write(read).upper() == line.upper()


class TestWrite:
    """The line of a frame."""

    @settings(max_examples=40)
    @given(frame())
    @example(Frame("64", " " * 59, (("AF", "张三明，您好"), ("AF", "积分免押")), "7", checked=True))
    def test_round_trip(self, made: Frame) -> None:
        """What is written is read as it was, Chinese too."""
        assert frames.read(frames.write(made)) == made

    @pytest.mark.parametrize("text", ["桂花", "億墊亅", "𠀀€"])
    def test_in_the_national_encoding(self, text: str) -> None:
        """GB 18030 has letters that end with the byte of a field's end; they are whole here, and their lines too."""
        made = Frame("94", "1", (("AF", text), ("AG", "x")), "3", checked=True)
        line = frames.write(made, "gb18030")
        assert frames.read(line, "gb18030") == made
        assert frames.write(frames.read(line, "gb18030"), "gb18030") == line

    def test_letters_that_an_encoding_has_not(self) -> None:
        """What cannot be said in an encoding is not said in another."""
        with pytest.raises(UnreadableError):
            frames.write(Frame("94", "1", (("AF", "桂花"),)), "latin-1")

    @settings(max_examples=40)
    @given(frame(), st.integers(0, 500), st.integers(1, 255))
    def test_damage_is_noticed(self, made: Frame, place: int, other: int) -> None:
        """One changed byte of a checked message never passes for another message with its checksum."""
        line = bytearray(frames.write(Frame(made.code, made.fixed, made.fields, "1", checked=True)))
        line[place % len(line)] ^= other
        try:
            read = frames.read(bytes(line))
        except UnreadableError:
            return
        assert not read.checked or line[-4:].upper() == frames.checksum(bytes(line[:-4]))

    @pytest.mark.parametrize(
        "made",
        [
            Frame("ZZ"), Frame("94", "11"), Frame("94", "是"), Frame("94", "1", (("AF", "a|b"),)),
            Frame("94", "1", (("AF", "a\rb"),)), Frame("94", "1", (("af", "b"),)), Frame("94", "1", (("A|", "b"),)),
        ],
    )  # fmt: skip
    def test_what_cannot_be_written(self, made: Frame) -> None:
        """Nothing is put in that would end a field or a line: no message is smuggled in."""
        with pytest.raises(UnreadableError):
            frames.write(made)


class TestField:
    """Fields by name."""

    def test_the_first_of_a_name(self) -> None:
        """The first of a name is read and set, the others and the order stay."""
        made = Frame("94", "1", (("AF", "a"), ("CN", "b"), ("AF", "c")))
        assert made.get("AF") == "a"
        assert made.with_field("AF", "d").fields == (("AF", "d"), ("CN", "b"), ("AF", "c"))
        assert made.with_field("CO", "e").fields[-1] == ("CO", "e")


class TestCutter:
    """A stream is cut into lines."""

    @settings(max_examples=40)
    @given(st.lists(st.binary(max_size=9).filter(lambda one: not set(one) & set(b"\r\n")), max_size=6), st.data())
    def test_in_any_pieces(self, lines: list[bytes], data: st.DataObject) -> None:
        """However the bytes arrive, every line is found, and put together they are what came."""
        ends = [data.draw(st.sampled_from([b"\r", b"\r\n"])) for _ in lines]
        whole = b"".join(line + end for line, end in zip(lines, ends, strict=True))
        cutter, found = Cutter(), list[Piece]()
        while whole:
            size = data.draw(st.integers(1, len(whole)))
            found += cutter.feed(whole[:size])
            whole = whole[size:]
        assert [one.body for one in found if one.end != b"\n"] == lines
        assert b"".join(one.body + one.end for one in found) == b"".join(
            line + end for line, end in zip(lines, ends, strict=True)
        )

    def test_a_line_without_end(self) -> None:
        """More than any message has, without an end, is refused; memory stays bounded."""
        cutter = Cutter()
        assert cutter.feed(b"6" * LONGEST) == []
        with pytest.raises(TooLongError):
            cutter.feed(b"3")

    def test_a_long_line_with_an_end(self) -> None:
        """The same in one go with its end far behind."""
        with pytest.raises(TooLongError):
            Cutter().feed(b"6" * (LONGEST + 1) + b"\r")
