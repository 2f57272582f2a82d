"""Signed objects, read strictly."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from core import jose

KEY = ECKey.generate_key("P-256", private=True)
TOKEN = jwt.encode({"alg": "ES256"}, {"sub": "x", "n": 1}, KEY, algorithms=["ES256"])
SIGNATURE = jose.raw(TOKEN.split(".")[2])


def part(value: object) -> str:
    """One part of a compact JWS."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class TestParse:
    """`jose.parse` and `jose.verify`."""

    def test_whole(self) -> None:
        """A good one is read and verified."""
        signed = jose.parse(TOKEN)
        jose.verify(signed, KEY)
        assert signed.claims == {"sub": "x", "n": 1}

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "a.b",
            "a.b.c.d",
            "....",
            f"{TOKEN}=",
            f"{TOKEN}\n",
            f" {TOKEN}",
            "é.é.é",
            f"{part([1])}.{part({})}.AA",
            f"{part({'alg': 'ES256'})}.{part([1])}.AA",
            f"{part({'alg': 'ES256'})}.{part(b'{')}.AA",
            f"{part({'alg': 'ES256'})}.{part(b'[' * 4000)}.AA",
            part(b'{"alg":"ES256","alg":"none"}') + f".{part({})}.AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"sub":"a","sub":"b"}') + ".AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"exp":NaN}') + ".AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"exp":Infinity}') + ".AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"exp":' + b"9" * 5000 + b"}") + ".AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"exp":1e999}') + ".AA",
            f"{part({'alg': 'ES256'})}." + part('{"sub":"utf-16"}'.encode("utf-16")) + ".AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"sub":"half \xed\xa0\x80"}') + ".AA",
            f"{part({'alg': 'ES256'})}." + part(b'{"sub":"half \\uD83D"}') + ".AA",
            f"{part({'alg': ['ES256']})}.{part({})}.AA",
            f"{part({'alg': 'es256'})}.{part({})}.AA",
            f"{part({})}.{part({})}.AA",
            f"{part({'alg': 'ES256'})}.{part({'x': 'y' * 9000})}.AA",
        ],
        ids=lambda token: token[:30],
    )
    def test_broken(self, token: str) -> None:
        """What is not exactly a compact JWS of ours to read is refused, and nothing else is raised."""
        with pytest.raises(jose.NotSigned):
            jose.parse(token)

    def test_pairs(self) -> None:
        """A character beyond the first plane may be written as a pair of escapes, as many encoders do."""
        assert jose.unpacked(part(b'{"sub":"\\ud83d\\ude00"}')) == {"sub": "\U0001f600"}

    @given(place=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from("AZaz09-_=. "))
    def test_any_changed_letter(self, place: int, letter: str) -> None:
        """No changed letter goes unnoticed, not even in unused bits."""
        changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
        if changed == TOKEN:
            return
        with pytest.raises(jose.NotSigned):
            jose.verify(jose.parse(changed), KEY)

    @given(st.text(max_size=200))
    def test_any_text(self, text: str) -> None:
        """No text makes it fail in another way."""
        with pytest.raises(jose.NotSigned):
            jose.parse(text)


class TestPublicKey:
    """`jose.public_key`."""

    @pytest.mark.parametrize(
        "jwk",
        [
            None,
            "key",
            {},
            {"kty": "EC"},
            {"kty": "oct", "k": "AAAA"},
            {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
            {"kty": "EC", "crv": "P-256", "x": "!", "y": "!"},
            {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"},
            {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
            {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\xff" * 1024).decode().rstrip("="), "e": "AQAB"},
            {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\xff" * 256).decode().rstrip("="), "e": "Aw"},
            {"kty": "RSA", "n": "!", "e": "AQAB"},
            {**KEY.as_dict(private=True)},
        ],
        ids=lambda jwk: " ".join(map(str, sorted(jwk)))[:40] if isinstance(jwk, dict) else str(jwk),
    )
    def test_refused(self, jwk: Any) -> None:
        """F37: what is not a public key that we use, of a sound size, is refused."""
        with pytest.raises(jose.NotSigned):
            jose.public_key(jwk)

    @given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e"]), st.text(max_size=50)))
    def test_any_members(self, jwk: dict[str, str]) -> None:
        """No members make it fail in another way."""
        for kind in ("EC", "RSA", "OKP"):
            with pytest.raises(jose.NotSigned):
                jose.public_key({**jwk, "kty": kind, "crv": {"EC": "P-256", "OKP": "Ed25519"}.get(kind)})


class TestClaims:
    """`jose.number` and `jose.text`."""

    def test_number(self) -> None:
        """A number or nothing."""
        assert jose.number({}, "exp") is None
        assert jose.number({"exp": 1.5}, "exp") == 1.5
        for wrong in ("1", True, [1]):
            with pytest.raises(jose.NotSigned):
                jose.number({"exp": wrong}, "exp")

    def test_text(self) -> None:
        """A string of a length."""
        assert jose.text({"jti": "a"}, "jti") == "a"
        for wrong in ("", "a" * 300, 1, None):
            with pytest.raises(jose.NotSigned):
                jose.text({"jti": wrong}, "jti")


class TestEs256:
    """The signature of nearly everything."""

    @pytest.mark.parametrize(
        "pair",
        [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64, SIGNATURE[32:] + SIGNATURE[:32], SIGNATURE + b"\0"],
        ids=["none", "short", "zeros", "long", "ones", "turned", "one-more"],  # alike in every process
    )
    def test_another_pair_of_numbers(self, pair: bytes) -> None:
        """Too short, too long, zero, beyond the order, the wrong way round: it does not hold."""
        head, claims, _ = TOKEN.split(".")
        with pytest.raises(jose.NotSigned, match="the signature does not hold"):
            jose.verify(jose.parse(f"{head}.{claims}.{jose.base64(pair)}"), KEY)
