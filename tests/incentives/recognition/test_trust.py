"""The trust list: who may say which cities are trusted, and which lies about it are refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from core import jose
from incentives.recognition import trust
from incentives.recognition.trust import About, Body, Distrusted, Entry, Keys, Seen, TrustList

NOW = 1_795_345_600
SIGNERS = {f"root-{n}": ECKey.generate_key("P-256", private=True) for n in range(3)}
HOME, NEXT = (ECKey.generate_key("P-256", {"kid": f"vc-{n}"}, private=True) for n in range(2))


def city(key: ECKey, code: str, name: str) -> Entry:
    """A city with one key."""
    issuer = f"https://{code}.example"
    about = About(code, name, "urn:x", "1", (f"{issuer}/status-lists/",))
    return Entry(issuer, Keys((key.as_dict(private=False),)), about)


BODY = Body(
    "https://990000.example", NOW - 60, NOW + 86_400, 7, (city(HOME, "990100", "邻市"), city(NEXT, "990200", "远市"))
)


def signing(*kids: str, keys: dict[str, ECKey] = SIGNERS) -> list[tuple[str, Callable[[bytes], bytes]]]:
    """What signs as these."""
    algorithm = JWSRegistry.algorithms["ES256"]
    return [(kid, lambda message, key=keys[kid]: algorithm.sign(message, key)) for kid in kids]


def made(body: Body = BODY, kids: tuple[str, ...] = ("root-0", "root-2")) -> bytes:
    """A list that some of the signers signed."""
    return trust.sign(body, signing(*kids))


def read(raw: bytes, *, needed: int = 2, seen: Seen | None = None, now: int = NOW) -> TrustList:
    """What a host makes of it."""
    return trust.read(raw, dict(SIGNERS), needed=needed, now=now, seen=seen)


class TestRead:
    """What counts."""

    def test_two_of_three(self) -> None:
        """Any two of three signers are enough, in any order."""
        for kids in (("root-0", "root-1"), ("root-2", "root-0"), ("root-0", "root-1", "root-2")):
            assert read(made(kids=kids)).body == BODY

    def test_keys(self) -> None:
        """A city's key signs for that city alone."""
        held = read(made())
        found = held.key("https://990100.example", "vc-0")
        assert found is not None
        assert jose.thumbprint(found) == HOME.thumbprint()
        assert held.key("https://990200.example", "vc-0") is None
        assert held.key("https://stranger.example", "vc-0") is None

    def test_again(self) -> None:
        """The same list may come again; a newer one, too."""
        seen = Seen(7, read(made()).payload)
        assert read(made(), seen=seen).body.seq == 7
        assert read(made(msgspec.structs.replace(BODY, seq=8)), seen=seen).body.seq == 8

    def test_a_signer_who_left(self) -> None:
        """The signature of somebody whom we do not pin counts for nothing, and spoils nothing."""
        keys = {**SIGNERS, "root-9": ECKey.generate_key("P-256", private=True)}
        raw = trust.sign(BODY, signing("root-9", "root-0", "root-1", keys=keys))
        assert read(raw).body == BODY
        with pytest.raises(Distrusted, match="1 of the signers"):
            read(trust.sign(BODY, signing("root-9", "root-0", keys=keys)))


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A signed list whose outer form was changed afterwards."""
    form = json.loads(made())
    change(form)
    return json.dumps(form).encode()


def other(**changes: Any) -> bytes:
    """Another list, properly signed."""
    return made(msgspec.structs.replace(BODY, **changes))


def forged() -> bytes:
    """Two signatures in the names of signers, by a key that is not theirs."""
    mine = dict.fromkeys(SIGNERS, ECKey.generate_key("P-256", private=True))
    return trust.sign(BODY, signing("root-0", "root-1", keys=mine))


LIES: dict[str, Callable[[], bytes]] = {
    "one signer": lambda: made(kids=("root-0",)),
    "one signer twice": lambda: made(kids=("root-0", "root-0")),
    "nobody": lambda: made(kids=()),
    "forged": forged,
    "another payload": lambda: changed(lambda form: form.update(payload=jose.packed({"iss": "x"}))),
    "a signature taken away": lambda: changed(lambda form: form["signatures"].pop()),
    "a signature of a receipt": lambda: changed(lambda form: form["signatures"][0].update(protected=jose.packed(
        {"alg": "ES256", "kid": "root-0", "typ": "decision-receipt+jwt"}))),
    "unsigned": lambda: changed(lambda form: form["signatures"][0].update(protected=jose.packed(
        {"alg": "none", "kid": "root-0", "typ": trust.TYPE}))),
    "a member more": lambda: changed(lambda form: form.update(header={"kid": "root-0"})),
    "expired": lambda: other(exp=NOW),
    "of tomorrow": lambda: other(iat=NOW + 61, exp=NOW + 600),
    "for a year": lambda: other(exp=NOW + 365 * 86_400),
    "an issuer twice": lambda: other(cities=(BODY.cities[0], city(NEXT, "990100", "冒名"))),
    "a city twice": lambda: other(cities=(BODY.cities[0], msgspec.structs.replace(
        BODY.cities[1], about=msgspec.structs.replace(BODY.cities[1].about, city="990100")))),
    "a key of two cities": lambda: other(cities=(BODY.cities[0], city(HOME, "990300", "借钥"))),
    "a private key": lambda: other(cities=(msgspec.structs.replace(
        BODY.cities[0], jwks=Keys((HOME.as_dict(private=True),))),)),
    "too many signatures": lambda: changed(lambda form: form.update(signatures=form["signatures"] * 9)),
    "too long": lambda: b" " * 1_000_001,
    "no JSON": lambda: b"\xff",
    "nothing": lambda: b"",
}  # fmt: skip


class TestRefused:
    """What does not."""

    @pytest.mark.parametrize("lie", LIES)
    def test_lie(self, lie: str) -> None:
        """Refused as a whole: no city of it is trusted."""
        with pytest.raises(Distrusted):
            read(LIES[lie]())

    def test_rollback(self) -> None:
        """An older list, or another one of the same number, does not come back."""
        seen = Seen(8, read(made(msgspec.structs.replace(BODY, seq=8))).payload)
        for raw in (made(), other(seq=8, cities=BODY.cities[:1])):
            with pytest.raises(Distrusted, match="older"):
                read(raw, seen=seen)

    @given(st.data())
    def test_any_byte(self, data: st.DataObject) -> None:
        """Whatever byte is changed: the same list or none."""
        raw = bytearray(made())
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
        with suppress(Distrusted):
            assert read(bytes(raw)).body == BODY


class TestUnder:
    """Which addresses speak for a city: nothing else is ever fetched for it."""

    @pytest.mark.parametrize(
        "uri",
        ["https://a.example/status-lists/1", "https://a.example/status-lists/2026/1"],
    )
    def test_its_own(self, uri: str) -> None:
        """Below what the list names."""
        assert trust.under(uri, "https://a.example/status-lists/")

    @pytest.mark.parametrize(
        "uri",
        [
            "https://b.example/status-lists/1", "http://a.example/status-lists/1", "https://a.example:8443/status-lists/1",
            "https://a.example@evil.example/status-lists/1", "https://a.example.evil.example/status-lists/1",
            "https://a.example/status-lists/../admin", "https://a.example/status-lists/%2e%2e/admin",
            "https://a.example/status-lists-of-evil/1", "https://a.example/status-lists/1?x=1",
            "https://a.example/status-lists/1#x", "https://a.example\\@evil.example/status-lists/1",
            "file:///etc/passwd", "https://[::1/status-lists/1", "", "https://a.example/status-lists/\n1",
        ],
    )  # fmt: skip
    def test_anothers(self, uri: str) -> None:
        """Another host, scheme, port or path, however it is dressed up."""
        assert not trust.under(uri, "https://a.example/status-lists/")
