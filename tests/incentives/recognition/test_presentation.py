"""A presentation counts when it is exactly what was asked for: everything else that was ever shown is refused."""

import base64
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from core import jose
from incentives.recognition import credential, presentation, sdjwt
from incentives.recognition.presentation import Asked, Shown, Untrusted
from tests.incentives.recognition import mutations
from tests.incentives.recognition.wallet import CITY, CITY_KEY, HERE, KID, NONCE, NOW, PLACE, Wallet, key_of, signed

ASKED = Asked(HERE, NONCE, NOW)
OTHER = ECKey.generate_key("P-256", {"kid": KID}, private=True)
VC = {"alg": "ES256", "kid": KID, "typ": credential.TYPE}
SALT = "AAAAAAAAAAAAAAAAAAAAAA"


def read(text: str, asked: Asked = ASKED) -> Shown:
    """What a verifier makes of it."""
    return presentation.read(text, asked, key_of)


class TestRead:
    """What holds."""

    def test_one_predicate(self) -> None:
        """One threshold and the city were shown: that is all that is known."""
        wallet = Wallet()
        shown = read(wallet.show("over_110", "city"))
        assert (shown.issuer, shown.reached, dict(shown.facts)) == (CITY, {"over_110"}, {"city": "990100"})
        assert (shown.place, shown.thumbprint) == (PLACE, wallet.key.thumbprint())

    def test_nothing(self) -> None:
        """A holder may show nothing at all; that proves nothing, and is no fault."""
        assert read(Wallet().show()).reached == frozenset()

    def test_skew(self) -> None:
        """Clocks that are a minute apart agree; older than five minutes is another question."""
        wallet = Wallet()
        assert read(wallet.show(iat=NOW + 60)).issuer == read(wallet.show(iat=NOW - 300)).issuer == CITY


def unreferenced(wallet: Wallet) -> str:
    """A disclosure that the holder made up."""
    return wallet.show("city", extra=(sdjwt.disclosure(SALT, "over_150", value=True),))


def raised(wallet: Wallet, name: str, value: object) -> str:
    """A member that the city signed a digest of, though a credential does not have it."""
    one = sdjwt.disclosure(SALT, name, value)
    body = {**wallet.claims, "_sd": [sdjwt.digest(one)]}
    return wallet.show(issued=signed(CITY_KEY, VC, body), extra=(one,))


def twice(wallet: Wallet) -> str:
    """The payload with a member that comes twice: which one counts depends on who reads."""
    body = json.dumps(wallet.claims)[:-1] + f', "exp": {NOW + 999}}}'
    return wallet.show(issued=signed(CITY_KEY, VC, body.encode()))


def infinite(wallet: Wallet) -> str:
    """A time that only JSON with extensions can write."""
    return wallet.show(issued=signed(CITY_KEY, VC, json.dumps({**wallet.claims, "exp": float("inf")}).encode()))


def hmac_by_public_key(wallet: Wallet) -> str:
    """HS256 with the city's public key as the secret: the oldest trick of all (RFC 8725, section 2.1)."""
    head, body = ({"alg": "HS256", "kid": KID, "typ": credential.TYPE}, wallet.claims)
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (head, body)]
    return wallet.show(issued=".".join([*parts, parts[0]]))


def unsigned(wallet: Wallet) -> str:
    """The algorithm `none`."""
    head = base64.urlsafe_b64encode(json.dumps({**VC, "alg": "none"}).encode()).rstrip(b"=").decode()
    return wallet.show(issued=f"{head}.{wallet.issued.split('.')[1]}.")


def stripped(wallet: Wallet) -> str:
    """One disclosure less than the holder signed for."""
    issued, _, *rest = wallet.show("over_110", "city").split("~")
    return "~".join([issued, *rest])


def swapped(wallet: Wallet) -> str:
    """The key binding of another copy."""
    return wallet.show("city").rsplit("~", 1)[0] + "~" + Wallet().show("city").rsplit("~", 1)[1]


def jwk(wallet: Wallet, **changes: object) -> dict[str, Any]:
    """The holder's key with other members."""
    return {"jwk": {**wallet.key.as_dict(private=False), **changes}}


ED = OKPKey.generate_key("Ed25519", {"kid": KID}, private=True)
ATTACKS: dict[str, Any] = {
    "no key binding": lambda w: sdjwt.join(w.issued, w.named("city")),
    "binding of another type": lambda w: w.show("city", typ="JWT"),
    "binding by another key": lambda w: w.show("city", key=OTHER),
    "binding of another copy": swapped,
    "for another verifier": lambda w: w.show("city", aud="https://elsewhere.example"),
    "for a list of verifiers": lambda w: w.show("city", aud=[HERE]),
    "for another question": lambda w: w.show("city", nonce="other"),
    "without a nonce": lambda w: w.show("city", nonce=None),
    "without an audience": lambda w: w.show("city", aud=None),
    "an old binding": lambda w: w.show("city", iat=NOW - 301),
    "a binding of tomorrow": lambda w: w.show("city", iat=NOW + 61),
    "a binding without time": lambda w: w.show("city", iat=None),
    "a binding about other bytes": lambda w: w.show("city", sd_hash="x" * 43),
    "a binding about nothing": lambda w: w.show("city", sd_hash=None),
    "a disclosure taken away": stripped,
    "a disclosure that was not signed": unreferenced,
    "a disclosure that overrides exp": lambda w: raised(w, "exp", NOW + 10**9),
    "a disclosure that overrides _sd": lambda w: raised(w, "_sd", ["x"]),
    "a negative claim": lambda w: raised(w, "blacklisted", value=True),
    "a predicate that is false": lambda w: raised(w, "over_110", value=False),
    "a predicate that is a number": lambda w: raised(w, "over_110", 1),
    "a fact that is no text": lambda w: raised(w, "city", ["990100"]),
    "a day that is none": lambda w: raised(w, "as_of", "2026-13-01"),
    "another algorithm of digests": lambda w: w.altered(_sd_alg="md5"),
    "an expired credential": lambda w: w.altered(exp=NOW),
    "a credential for years": lambda w: w.altered(exp=NOW + 40 * 86_400),
    "a credential for ever": infinite,
    "a credential without end": lambda w: w.altered(exp=None),
    "an end that is text": lambda w: w.altered(exp=str(NOW + 9)),
    "a credential of tomorrow": lambda w: w.altered(nbf=NOW + 3600),
    "issued in the future": lambda w: w.altered(iat=NOW + 3600),
    "an access token": lambda w: w.altered(header={**VC, "typ": "at+jwt"}),
    "the old type": lambda w: w.altered(header={**VC, "typ": "vc+sd-jwt"}),
    "no type": lambda w: w.altered(header={"alg": "ES256", "kid": KID}),
    "a critical extension": lambda w: w.altered(header={**VC, "crit": ["b64"], "b64": True}),
    "a key of its own": lambda w: w.altered(key=OTHER, header={**VC, "jwk": OTHER.as_dict(private=False)}),
    "a key elsewhere": lambda w: w.altered(key=OTHER, header={**VC, "jku": "https://evil.example/jwks"}),
    "a chain of its own": lambda w: w.altered(key=OTHER, header={**VC, "x5c": ["MIIB"]}),
    "signed by somebody else": lambda w: w.altered(key=OTHER),
    "another algorithm": lambda w: w.altered(key=ED, header={**VC, "alg": "EdDSA"}),
    "HMAC by the public key": hmac_by_public_key,
    "unsigned": unsigned,
    "a city that nobody trusts": lambda w: w.altered(iss="https://evil.example"),
    "no city": lambda w: w.altered(iss=None),
    "an unknown key": lambda w: w.altered(header={**VC, "kid": "vc-9"}),
    "no key": lambda w: w.altered(header={"alg": "ES256", "typ": credential.TYPE}),
    "another kind of credential": lambda w: w.altered(vct="urn:example:pid:1"),
    "a visible member more": lambda w: w.altered(points=1215),
    "a member twice": twice,
    "no holder": lambda w: w.altered(cnf=None),
    "a holder by name": lambda w: w.altered(cnf={"kid": "did:example:1"}),
    "a private key": lambda w: w.altered(cnf=jwk(w, d="AAAA")),
    "a point off the curve": lambda w: w.altered(cnf=jwk(w, x="A" * 43)),
    "no status": lambda w: w.altered(status=None),
    "a status of another kind": lambda w: w.altered(status={"bitstring": {}}),
    "a place below zero": lambda w: w.altered(status={"status_list": {"idx": -1, "uri": PLACE.uri}}),
    "a place beyond every list": lambda w: w.altered(status={"status_list": {"idx": 1 << 40, "uri": PLACE.uri}}),
    "a place that is text": lambda w: w.altered(status={"status_list": {"idx": "1", "uri": PLACE.uri}}),
    "too long": lambda w: w.show("city") + "A" * 20_000,
    "too many disclosures": lambda w: w.show("city", extra=tuple(sdjwt.disclosure(str(n), "a", n) for n in range(70))),
    "nothing": lambda _: "",
    "not text": lambda _: "\x00\U0001f600~",
}


class TestRefused:
    """Every negative of which a library was ever found lenient, and some more."""

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_attack(self, attack: str) -> None:
        """Refused, and the reason names nobody."""
        with pytest.raises(Untrusted) as refused:
            read(ATTACKS[attack](Wallet()))
        assert str(refused.value).isascii()
        assert CITY not in str(refused.value)

    def test_mutations(self) -> None:
        """Whatever one changes in a presentation, it does not count; whatever its holder signs, it says no more."""
        counted = mutations.judge(seed=7, rounds=1500)
        assert counted["tampered"] == 0
        assert counted["rebound"] > 0

    def test_the_other_signature(self) -> None:
        """ECDSA has two signatures for everything: the other one is the same copy, so it is used up with the first."""
        text = Wallet().show("over_110", "city")
        assert (other := mutations.malleated(text)) != text
        assert read(other) == read(text)

    def test_the_city_alone(self) -> None:
        """A refusal says nothing of whether the key was missing or the signature wrong to whoever sees one sentence."""
        assert issubclass(Untrusted, Exception)
        assert not issubclass(Untrusted, jose.NotSigned)
