"""The codec of SD-JWT, against the vectors of RFC 9901 and against what an attacker would show."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import jose
from incentives.recognition import sdjwt
from incentives.recognition.sdjwt import NotRevealed
from tests.incentives.recognition import rfc9901

SALT = "2GLC42sKQveCfGfryNRN9w"


def seen(*disclosures: str, **claims: object) -> dict[str, Any]:
    """Claims whose `_sd` has the digests of what is disclosed, opened by it."""
    return sdjwt.reveal({"_sd": [sdjwt.digest(one) for one in disclosures], **claims}, disclosures)


def raw(value: object) -> str:
    """A disclosure of any JSON value."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class TestVectors:
    """RFC 9901."""

    @pytest.mark.parametrize(("digest", "disclosure"), rfc9901.DISCLOSED.items())
    def test_digests(self, digest: str, disclosure: str) -> None:
        """Each digest of section 5.1 is that of its disclosure."""
        assert sdjwt.digest(disclosure) == digest

    def test_issued(self) -> None:
        """What is issued in 5.1 opens to the whole payload, and the issuer's signature holds."""
        signed = jose.parse(rfc9901.ISSUED)
        jose.verify(signed, jose.public_key(rfc9901.ISSUER))
        opened = sdjwt.reveal(signed.claims, rfc9901.DISCLOSED.values())
        assert opened["given_name"] == "John"
        assert opened["nationalities"] == ["US", "DE"]
        assert opened["address"]["locality"] == "Anytown"
        assert {"_sd", "_sd_alg", "..."}.isdisjoint(opened)

    def test_presented(self) -> None:
        """Of what is presented in 5.2 four members are seen, and the key binding speaks of exactly these bytes."""
        parts = sdjwt.split(rfc9901.PRESENTED)
        signed, binding = jose.parse(parts.issued), jose.parse(parts.binding)
        jose.verify(binding, jose.public_key(signed.claims["cnf"]["jwk"]))
        assert binding.claims["sd_hash"] == sdjwt.digest(parts.bound)
        opened = sdjwt.reveal(signed.claims, parts.disclosures)
        assert opened["nationalities"] == ["US"]
        assert (opened["family_name"], "email" in opened) == ("Doe", False)

    def test_nested(self) -> None:
        """Appendix A.1: members of a member are opened, the rest stays shut."""
        parts = sdjwt.split(rfc9901.NESTED)
        opened = sdjwt.reveal(jose.parse(parts.issued).claims, parts.disclosures)
        assert opened["address"] == {"region": "港区", "country": "JP"}
        assert parts.binding == ""


class TestReveal:
    """Section 7.1: what was not signed is refused, not ignored."""

    def test_recursion(self) -> None:
        """A disclosure may hold digests of others."""
        inner = sdjwt.disclosure(SALT, "street", "人民路")
        outer = sdjwt.disclosure(SALT, "address", {"_sd": [sdjwt.digest(inner)]})
        claims = {"_sd": [sdjwt.digest(outer)]}
        assert sdjwt.reveal(claims, [outer, inner]) == {"address": {"street": "人民路"}}
        with pytest.raises(NotRevealed, match="belongs to no digest"):
            sdjwt.reveal(claims, [inner])

    @pytest.mark.parametrize(
        ("disclosure", "why"),
        [
            (raw([SALT, "_sd", ["x"]]), "names no member"),
            (raw([SALT, "...", "x"]), "names no member"),
            (raw([SALT, "iss", "https://other.example"]), "one that is there"),
            (raw([SALT, 7, "x"]), "names no member"),
            (raw([SALT, "x"]), "names no member"),
            (raw([SALT, "a", "b", "c"]), "two or three"),
            (raw([1, "a", "b"]), "two or three"),
            (raw({"salt": SALT}), "no list"),
            (raw("text"), "no list"),
            (base64.urlsafe_b64encode(b'["s","n",NaN]').rstrip(b"=").decode(), None),
            (base64.urlsafe_b64encode(b'["s","n",{"a":1,"a":2}]').rstrip(b"=").decode(), None),
            ("!!!", "base64url"),
            (raw([SALT, "over_110", True]) + "=", "base64url"),
            (raw([SALT, "deep", json.loads("[" * 20 + "]" * 20)]), "deeper"),
        ],
    )
    def test_refused(self, disclosure: str, why: str | None) -> None:
        """Whatever is odd about a disclosure whose digest was signed is an error."""
        with pytest.raises((NotRevealed, jose.NotSigned), match=why):
            seen(disclosure, iss="https://city.example")

    def test_unreferenced(self) -> None:
        """A disclosure that no digest asks for is refused: some libraries pass it on."""
        with pytest.raises(NotRevealed, match="belongs to no digest"):
            sdjwt.reveal({"_sd": []}, [sdjwt.disclosure(SALT, "over_150", value=True)])

    def test_twice(self) -> None:
        """A digest that comes twice, or a disclosure shown twice, is refused."""
        one = sdjwt.disclosure(SALT, "over_110", value=True)
        with pytest.raises(NotRevealed, match="comes twice"):
            sdjwt.reveal({"_sd": [sdjwt.digest(one)] * 2}, [one])
        with pytest.raises(NotRevealed, match="comes twice"):
            sdjwt.reveal({"_sd": [sdjwt.digest(one)]}, [one, one])

    @pytest.mark.parametrize("algorithm", ["md5", "sha-512", None, 7])
    def test_algorithm(self, algorithm: object) -> None:
        """Only SHA-256, even where nothing is disclosed."""
        with pytest.raises(NotRevealed, match="_sd_alg"):
            sdjwt.reveal({"_sd_alg": algorithm}, [])

    @pytest.mark.parametrize("held", [{"_sd": "x"}, {"_sd": [7]}, {"a": [{"...": "x", "b": 1}]}, {"...": "x"}])
    def test_shape(self, held: dict[str, Any]) -> None:
        """Names with a meaning of their own are used as the RFC has them, or refused."""
        with pytest.raises(NotRevealed):
            sdjwt.reveal(held, [])


class TestSplit:
    """The compact form."""

    @pytest.mark.parametrize("text", ["", "~", "a", "a~~", "a~~b", "é~", "a~" + "b~" * 65, "x" * 16_385])
    def test_refused(self, text: str) -> None:
        """What is no SD-JWT, or larger than one is."""
        with pytest.raises(NotRevealed):
            sdjwt.split(text)

    @given(
        st.lists(
            st.tuples(st.text(max_size=20), st.recursive(st.none() | st.booleans() | st.text(max_size=9), st.lists))
        )
    )
    def test_round(self, members: list[tuple[str, Any]]) -> None:
        """Whatever was disclosed under a name is what is read, and nothing else."""
        said = {f"m_{name}": value for name, value in members}
        disclosures = [sdjwt.disclosure(str(place), name, value) for place, (name, value) in enumerate(said.items())]
        parts = sdjwt.split(sdjwt.join("head", disclosures[:60]))
        assert seen(*parts.disclosures) == dict(list(said.items())[:60])
