"""Writes `docs/gate/vectors.json`: `python -m tests.incentives.vectors`, after a change of the form."""

import json
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from incentives import creditcode
from incentives.creditcode import Claims
from tests.incentives import gates

NOW, CITY = 1_795_348_800, 990_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
MINE = Claims(24, CITY, bytes.fromhex("0001020304050607"), NOW, 7, 41)
GATE = {"city": CITY, "perk": 7, "audiences": [41, 3], "since": 0}


def made() -> dict[str, Any]:
    """The file's content."""
    public = OKPKey.import_key(KEY.public_key(), {"kid": "cc-24", "alg": "EdDSA", "use": "sig"})
    return {
        "about": "Codes shown at `now` (unix seconds) to a gate that was just made; `answers`, one a text, in order.",
        "jwks": {"keys": [dict(public.as_dict(private=False))]},
        "gate": GATE,
        "cases": [
            {"what": what, "now": now, "texts": texts, "answers": answers} for what, now, texts, answers in _all()
        ],
    }


def _all() -> list[tuple[str, int, list[str], list[str]]]:
    good, stale, other = code(), "code_expired", "code_not_for_you"
    raw = gates.library.base45(good[4:])
    return [
        ("good", NOW, [good], ["granted"]),
        ("good, at the end of the skew", NOW + 70, [good], ["granted"]),
        ("good, from a clock ten seconds ahead", NOW - 10, [good], ["granted"]),
        ("small letters and blanks around it", NOW, [f"  {good.lower()}\n"], ["granted"]),
        ("for the programme", NOW, [code(audience=3)], ["granted"]),
        ("the largest numbers that a code can hold", NOW, [code(perk=65535, audience=2**32 - 1)], [other]),
        ("shown twice", NOW, [good, good], ["granted", "code_used"]),
        ("two that differ in their random bytes", NOW, [good, code(jti=bytes(8))], ["granted", "granted"]),
        ("a picture, 71 seconds old", NOW + 71, [good], [stale]),
        ("from a clock eleven seconds ahead", NOW - 11, [good], [stale]),
        ("a life of 255 seconds", NOW, [signed(raw[:18] + b"\xff" + raw[19:25])], [stale]),
        ("a life of none", NOW, [signed(raw[:18] + b"\0" + raw[19:25])], [stale]),
        ("for another partner", NOW, [code(audience=42)], [other]),
        ("for another perk", NOW, [code(perk=8)], [other]),
        ("for everybody", NOW, [signed(raw[:21] + bytes(4))], [other]),
        ("an unknown city", NOW, [code(city=320_500)], [stale]),
        ("an unknown key", NOW, [code(key=25)], [stale]),
        ("another issuer with the same key byte", NOW, [code(by=OTHER)], [stale]),
        ("signed without the domain", NOW, [written(raw[:25] + KEY.sign(raw[:25]))], [stale]),
        ("version 2", NOW, [signed(b"\2" + raw[1:25])], [stale]),
        ("named CC2", NOW, ["CC2:" + good[4:]], [stale]),
        ("without its name", NOW, [good[4:]], [stale]),
        ("cut off", NOW, [good[:-2], good[:-1], good[:70], "CC1:", ""], [stale] * 5),
        ("longer", NOW, [good + "0", good + "00"], [stale] * 2),
        ("a bit of the body, of the signature", NOW, [flip(raw, 3), flip(raw, 24), flip(raw, 25), flip(raw, 88)],
         [stale] * 4),
        ("no base45", NOW, ["CC1:" + "::::" * 33 + "::", "CC1:" + "_" * 134], [stale] * 2),
    ]  # fmt: skip


def code(by: Ed25519PrivateKey = KEY, **other: Any) -> str:
    """The good code but for some claims."""
    return creditcode.write(msgspec.structs.replace(MINE, **other), by.sign)


def signed(body: bytes) -> str:
    """A body that our writer would refuse, signed by the city all the same."""
    return written(body + KEY.sign(creditcode.DOMAIN + body))


def written(raw: bytes) -> str:
    """89 bytes as text."""
    return creditcode.PREFIX + creditcode.base45(raw)


def flip(raw: bytes, at: int) -> str:
    """One bit the other way."""
    return written(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


if __name__ == "__main__":
    gates.VECTORS.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n")
