"""Presentations that were tampered with: by somebody in between, by a holder who signs what was changed, by a city.

`Dice` makes them from what wallets show. What `tampered` gives must never count. What `rebound` gives is signed by the
holder's own key, so only what the city signed can refuse it; it may count, when all it says is what the city said.
What `misissued` gives was signed by a trusted city, whatever it says: it may count, when it says something at all.
`judge` holds a reader to that.
"""

import base64
import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from incentives.recognition import credential, presentation, sdjwt
from incentives.recognition.presentation import Asked, Shown, Untrusted
from tests.incentives.recognition.wallet import (
    ATTESTED,
    CITY,
    CITY_KEY,
    HERE,
    KID,
    NONCE,
    NOW,
    PLACE,
    Wallet,
    key_of,
    signed,
)  # fmt: skip

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1 << 70, 1e308, float("nan"), float("inf"), "", "over_150", "990199", "\x00\ud800",
    [], {}, [[]], {"...": "x"}, {"_sd": []}, {"jwk": {}}, "2026-13-01", "A" * 3000,
)  # fmt: skip
NAMES = ("iss", "vct", "exp", "iat", "nbf", "cnf", "status", "_sd", "_sd_alg", "over_150", "...", "x", "jwk", "crit")
DEEP = 4_000
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (FIPS 186-5)
ASKED = Asked(HERE, NONCE, NOW)


class Dice:
    """Seeded: the same seed makes the same presentations."""

    def __init__(self, seed: int, wallets: int = 8) -> None:
        """Holders of different things, of one city."""
        self.dice = random.Random(seed)  # noqa: S311  (not a secret: a seed)
        self.wallets = [Wallet() for _ in range(wallets)]
        self.shown = [wallet.show("over_110", "city") for wallet in self.wallets]

    def tampered(self) -> str:
        """What somebody in between makes of what was shown: other bytes, whoever signed."""
        return self.tamper(self.dice.choice(self.shown))

    def tamper(self, shown: str) -> str:
        """What somebody in between makes of this: never a presentation that somebody made."""
        text = shown
        while text in {shown, *self.shown}:
            for _ in range(self.dice.choice((1, 1, 1, 2, 5))):
                text = self._pick(self._letters, self._span, self._parts, self._inside)(text)
        return text

    def rebound(self) -> tuple[Wallet, str]:
        """What a holder makes: anything changed before the key binding, which is then signed anew."""
        wallet = self.dice.choice(self.wallets)
        held = sdjwt.join(wallet.issued, wallet.disclosures)[:-1]
        for _ in range(self.dice.choice((1, 1, 2, 4))):
            held = self._pick(self._letters, self._span, self._parts, self._inside, self._resigned)(held)
        issued, *shown = held.split("~")
        return wallet, wallet.show(issued=issued or "~", extra=tuple(shown))

    def misissued(self) -> str:
        """What a trusted city that writes nonsense could sign, shown as it should be."""
        wallet = self.dice.choice(self.wallets)
        claims, header = wallet.claims, {"alg": "ES256", "kid": KID, "typ": credential.TYPE}
        for _ in range(self.dice.choice((1, 1, 2))):
            self._change(claims)
        return wallet.show("over_110", "city", issued=signed(CITY_KEY, header, claims))

    def _pick(self, *ways: Callable[[str], str]) -> Callable[[str], str]:
        return self.dice.choice(ways)

    def _letters(self, text: str) -> str:
        """A bit of one character, or another character of the alphabet."""
        at = self.dice.randrange(len(text) or 1)
        old = text[at : at + 1] or "A"
        return (
            text[:at] + self.dice.choice((chr(ord(old) ^ 1 << self.dice.randrange(7)), self._letter())) + text[at + 1 :]
        )

    def _letter(self) -> str:
        return self.dice.choice((*LETTERS, "~", ".", "=", "\x00", "é", "\U0001f600"))

    def _span(self, text: str) -> str:
        """A stretch taken out, repeated, or put in from another holder's."""
        start = self.dice.randrange(len(text) or 1)
        end = start + self.dice.randrange(200)
        other = self.dice.choice(self.shown)
        put = self.dice.choice(("", text[start:end] * 2, other[start:end], "A" * self.dice.choice((1, 90, 20_000))))
        return text[:start] + put + text[end:]

    def _parts(self, text: str) -> str:
        """Parts between tildes or dots taken out, repeated, swapped, or another holder's."""
        mark = self.dice.choice("~~.")
        parts, theirs = text.split(mark), self.dice.choice(self.shown).split(mark)
        at, to = self.dice.randrange(len(parts)), self.dice.randrange(len(parts))
        way = self.dice.randrange(5)
        if way == 0:
            del parts[at]
        elif way == 1:
            parts[at:at] = [parts[at]] * self.dice.choice((1, 1, 70))
        elif way == 2:
            parts[at], parts[to] = parts[to], parts[at]
        elif way == 3:
            parts[at] = self.dice.choice(theirs)
        else:
            parts.insert(at, self.dice.choice((*theirs, "")))
        return mark.join(parts)

    def _inside(self, text: str) -> str:
        """The JSON in one part with another value, another name, one member less or more, or very deep."""
        parts = text.replace("~", "~\n").replace(".", ".\n").split("\n")
        at = self.dice.randrange(len(parts))
        bare = parts[at].rstrip("~.")
        end = parts[at][len(bare) :]
        try:
            read = json.loads(base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)))
        except (ValueError, RecursionError):
            return text
        parts[at] = _part(self._json(read)) + end
        return "".join(parts)

    def _json(self, read: Any) -> bytes:
        if self.dice.random() < 0.01:
            return self.dice.choice((b"[" * DEEP, b'{"a":' * DEEP))
        self._change(read)
        return json.dumps(read).encode()

    def _change(self, read: Any) -> None:
        """One value in an object or a list, at any depth."""
        keys: list[Any] = (
            list(read) if isinstance(read, dict) else list(range(len(read))) if isinstance(read, list) else []
        )
        if not keys:
            return
        key = self.dice.choice(keys)
        if isinstance(read[key], dict | list) and self.dice.random() < 0.7:
            self._change(read[key])
        elif isinstance(read, dict) and self.dice.random() < 0.4:
            name = self.dice.choice(NAMES)
            read[name] = deepcopy(self.dice.choice((*VALUES, read[key])))
            if self.dice.random() < 0.3:
                del read[key]
        elif self.dice.random() < 0.2:
            del read[key]
        else:
            read[key] = deepcopy(self.dice.choice(VALUES))

    def _resigned(self, text: str) -> str:
        """Visible claims or header changed and signed by the holder: who trusts a key in a header is lost."""
        issued, *shown = text.split("~")
        try:
            head, body, _ = issued.split(".")
            header, claims = (json.loads(base64.urlsafe_b64decode(one + "==")) for one in (head, body))
            self._change(claims)
            wallet = self.dice.choice(self.wallets)
            if self.dice.random() < 0.5:
                header["jwk"] = wallet.key.as_dict(private=False)
            return "~".join([signed(wallet.key, {**header, "alg": "ES256"}, claims), *shown])
        except (ValueError, TypeError, RecursionError):
            return text


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def malleated(text: str) -> str:
    """The same presentation with the other signature that ECDSA has for it (s becomes n - s), made without a key."""
    head, _, signature = text.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    other = ORDER - int.from_bytes(raw[32:])
    return f"{head}.{_part(raw[:32] + other.to_bytes(32))}"


def read(text: str) -> Shown | None:
    """What a verifier makes of it, None for what does not count."""
    try:
        return presentation.read(text, ASKED, key_of)
    except Untrusted:
        return None


def judge(seed: int, rounds: int, reader: Callable[[str], Shown | None] = read) -> dict[str, int]:
    """Read `rounds` of them, and say how many counted by whom: of `tampered` none may. Raises AssertionError."""
    dice, counted = Dice(seed), {"tampered": 0, "rebound": 0, "misissued": 0}
    for turn in range(rounds):
        if turn % 2:
            assert reader(text := dice.tampered()) is None, text
        elif turn % 4:
            wallet, text = dice.rebound()
            if shown := reader(text):
                counted["rebound"] += 1
                assert _honest(shown), text
                assert shown.thumbprint == wallet.key.thumbprint(), text
        elif shown := reader(text := dice.misissued()):
            counted["misissued"] += 1
            assert shown.reached <= {"over_110"}, text
            assert shown.until > NOW, text
    return counted


def _honest(shown: Shown) -> bool:
    """Whether it says nothing but what the city said of its holder."""
    said = {"city": ATTESTED.city, "as_of": ATTESTED.as_of.isoformat(), "scorecard": ATTESTED.scorecard}
    reached = {credential.predicate(one) for one in ATTESTED.reached}
    return (
        (shown.issuer, shown.place) == (CITY, PLACE)
        and shown.reached <= reached
        and shown.facts.items() <= said.items()
    )
