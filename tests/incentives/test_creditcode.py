"""CC1: the bytes, the text, the QR."""

from struct import unpack

import numpy as np
import pytest
import segno
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from incentives import creditcode
from incentives.creditcode import AUDIENCES, PERKS, Claims
from tests.incentives import gates

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLAIMS = Claims(24, 990_000, b"\0\1\2\3\4\5\6\7", 1_795_348_800, 7, 41)
_U32 = st.integers(0, 2**32 - 1)
ANY = st.builds(
    Claims, key=st.integers(0, 255), city=_U32, jti=st.binary(min_size=8, max_size=8), issued=_U32,
    perk=st.integers(1, PERKS), audience=st.integers(1, AUDIENCES), life=st.integers(1, 60),
)  # fmt: skip


class TestBase45:
    """RFC 9285."""

    @pytest.mark.parametrize(
        ("data", "text"),
        [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
    )
    def test_the_examples_of_the_rfc(self, data: bytes, text: str) -> None:
        """Section 4.3 and 4.4, written here and read by the gate."""
        assert creditcode.base45(data) == text
        assert gates.library.base45(text) == data

    @pytest.mark.parametrize("text", ["0", "BB80", ":::", "GGW", "::", "a", "BB_"])
    def test_what_no_encoder_writes_is_refused(self, text: str) -> None:
        """A letter alone, 65536 and more in three, 256 and more in two, a letter of no alphabet (section 6)."""
        with pytest.raises((ValueError, OverflowError)):
            gates.library.base45(text)

    @given(st.binary(max_size=100))
    def test_a_gate_reads_what_is_written(self, data: bytes) -> None:
        """Every byte string comes back."""
        assert gates.library.base45(creditcode.base45(data)) == data

    @given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=12))
    def test_each_byte_string_has_one_text(self, text: str) -> None:
        """A text is refused, or is the one that its bytes are written as: nobody respells a code."""
        try:
            data = gates.library.base45(text)
        except (ValueError, OverflowError):
            return
        assert creditcode.base45(data) == text


class TestWrite:
    """Writing."""

    def test_the_layout_is_that_of_the_page(self) -> None:
        """25 bytes, big-endian, in this order; 64 bytes of signature over `CC1`, nought and them; 138 characters."""
        text = creditcode.write(CLAIMS, KEY.sign)
        raw = gates.library.base45(text.removeprefix("CC1:"))
        assert (len(raw), len(text)) == (89, 138)
        assert unpack(">BBI8sIBHI", raw[:25]) == (1, 24, 990_000, CLAIMS.jti, CLAIMS.issued, 60, 7, 41)
        KEY.public_key().verify(raw[25:], b"CC1\0" + raw[:25])

    @given(ANY)
    def test_a_gate_reads_what_it_says(self, claims: Claims) -> None:
        """Every claim that can be written is read the same."""
        read = gates.claims(creditcode.write(claims, KEY.sign))
        assert Claims(read.key, read.city, read.jti, read.issued, read.perk, read.audience, read.life) == claims

    @pytest.mark.parametrize(
        "wrong", [{"audience": 0}, {"perk": 0}, {"perk": 65_536}, {"audience": 2**32}, {"life": 0}, {"life": 61}]
    )
    def test_no_code_for_everybody_or_for_long(self, wrong: dict[str, int]) -> None:
        """Nought names nobody, and a minute is the longest life: such a code is not made at all."""
        said = {"key": 0, "city": 1, "jti": bytes(8), "issued": 0, "perk": 1, "audience": 1} | wrong
        with pytest.raises(ValueError, match="one perk"):
            creditcode.write(Claims(**said), KEY.sign)  # type: ignore[arg-type]  (made up by the test)


class TestPicture:
    """As a QR."""

    def test_it_is_a_version_6_m_and_another_reader_reads_it(self) -> None:
        """Drawn by one library, read by another (zxing-cpp), character by character."""
        text = creditcode.write(CLAIMS, KEY.sign)
        drawn = segno.make_qr(text, error="m")
        assert (drawn.version, drawn.error, drawn.mode) == (6, "M", "alphanumeric")
        dots = np.array(list(drawn.matrix_iter(scale=4, border=4)), dtype=np.uint8)
        (read,) = zxingcpp.read_barcodes((1 - dots) * 255)
        assert read.text == text


class TestRead:
    """Reading, at home: what a gate without a line sends in later."""

    @given(ANY)
    def test_what_was_written(self, claims: Claims) -> None:
        """Every claim comes back, and the signature is over the bytes that are told."""
        read, message, signature = creditcode.read(creditcode.write(claims, KEY.sign).lower() + "\n")
        assert read == claims
        KEY.public_key().verify(signature, message)

    @pytest.mark.parametrize(
        "text", ["", "CC1:", "CC2:BB8", "CC1:BB8", "CC1:" + "0" * 134, "CC1:" + ":" * 134, "CC1:_"]
    )
    def test_what_is_none(self, text: str) -> None:
        """Another prefix, too short, another version, no base45."""
        with pytest.raises(ValueError, match=r"not|substring"):
            creditcode.read(text)
