"""Two suites, held to the vectors of their standards."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core import suites

# RFC 8998, appendix A.1
KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
NONCE = bytes.fromhex("00001234567800000000abcd")
BOUND = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
PLAIN = bytes.fromhex(
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
    "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
)
CIPHER = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
)
TAG = bytes.fromhex("83de3541e4c2b58177e065a9bf7b62ec")


class TestSm4:
    """SM4-GCM."""

    def test_rfc_8998_a_1(self) -> None:
        """The RFC's ciphertext and tag, there and back."""
        assert suites.sm4_encrypt(KEY, NONCE, PLAIN, BOUND) == CIPHER + TAG
        assert suites.sm4_decrypt(KEY, NONCE, CIPHER + TAG, BOUND) == PLAIN

    def test_a_short_tag_is_no_tag(self) -> None:
        """Fewer than 16 bytes of tag are refused, however right they are."""
        for text in (CIPHER + TAG[:-1], TAG[:15], b""):
            with pytest.raises(InvalidTag):
                suites.sm4_decrypt(KEY, NONCE, text, BOUND)

    def test_gb_t_32907_a_1(self) -> None:
        """The standard's block: the key encrypted under itself."""
        block = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()  # noqa: S305  (the standard's own vector)
        assert block.update(KEY).hex() == "681edf34d206965e86b3e94f536e4246"


class TestSm3:
    """SM3."""

    def test_gb_t_32905_a_1(self) -> None:
        """The standard's digest of abc."""
        made = hashes.Hash(suites.SM.hash)
        made.update(b"abc")
        assert made.finalize().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"

    def test_hmac_against_its_definition(self) -> None:
        """RFC 2104 spelled out by hand with SM3."""

        def sm3(text: bytes) -> bytes:
            made = hashes.Hash(hashes.SM3())
            made.update(text)
            return made.finalize()

        key = bytes(range(32)).ljust(64, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
        assert suites.SM.digest(bytes(range(32)), b"value") == sm3(outer + sm3(inner + b"value"))


class TestExpand:
    """Keys from keys."""

    def test_rfc_5869_a_1(self) -> None:
        """The RFC's first 32 bytes of output for its first case."""
        prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
        found = suites.AES.expand(prk, bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"))
        assert found.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"

    def test_no_bytes_are_keys_of_two_algorithms(self) -> None:
        """What SM4 takes is no part of what AES takes."""
        key = bytes(range(32))
        assert suites.SM.expand(key, b"sm4-gcm", 16) not in key
