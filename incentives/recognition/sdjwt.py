"""SD-JWT (RFC 9901): a signed object whose members are shown one by one. Pure.

Promises: what `reveal` gives was signed, whole, by the digests that the issuer wrote: a disclosure that no digest asks
for, a digest or a member that comes twice, a name that means something else, is an error and not a shrug. Only SHA-256,
nothing deeper than `_DEEPEST`, at most `MOST` disclosures. Does not promise anything about signatures, times and keys:
whoever reads a presentation checks them (`presentation`).
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NoReturn, cast

import msgspec

from core import jose

MOST = 64
LONGEST = 16_384
_DEEPEST = 8
_LISTED = 2
_NAMED = 3


class NotRevealed(Exception):
    """What was shown is not what was signed; the message is plain ASCII and says nothing about anybody."""


class Parts(msgspec.Struct, frozen=True):
    """The three parts of a presentation: `bound` is all that the key binding speaks of, the last tilde included."""

    issued: str
    disclosures: tuple[str, ...]
    binding: str
    bound: str


def disclosure(salt: str, name: str, value: object) -> str:
    """What opens one member: base64url of `[salt, name, value]` (section 4.2.1)."""
    return jose.base64(json.dumps([salt, name, value], separators=(",", ":"), ensure_ascii=False).encode())


def digest(disclosed: str) -> str:
    """The digest of a disclosure, over its own text (section 4.2.3)."""
    return jose.base64(sha256(disclosed.encode("ascii")).digest())


def join(issued: str, disclosures: Iterable[str], binding: str = "") -> str:
    """The compact form (section 4): without a key binding it ends with a tilde."""
    return "~".join([issued, *disclosures, binding])


def split(text: str) -> Parts:
    """Take a compact form of at most `LONGEST` characters apart. Raises NotRevealed."""
    if len(text) > LONGEST or not text.isascii():
        _refuse("longer than a presentation is")
    issued, *disclosures, binding = text.split("~") if "~" in text else ("", "")
    if not issued or not all(disclosures) or len(disclosures) > MOST:
        _refuse("not an SD-JWT, or one of more disclosures than are taken")
    return Parts(issued, tuple(disclosures), binding, text[: len(text) - len(binding)])


def reveal(claims: Mapping[str, Any], disclosures: Iterable[str]) -> dict[str, Any]:
    """The signed claims with what was disclosed in its place (section 7.1, steps 3 to 5). Raises NotRevealed."""
    if claims.get("_sd_alg", "sha-256") != "sha-256":
        _refuse("_sd_alg is not sha-256")
    return _Opening(disclosures).whole(claims)


class _Opening:
    """One walk through the claims: which disclosures there are, and which digests were met."""

    def __init__(self, disclosures: Iterable[str]) -> None:
        self._held: dict[str, list[Any]] = {}
        for one in disclosures:
            if self._held.setdefault(digest(one), read := _read(one)) is not read:
                _refuse("a disclosure comes twice")
        self._met: set[str] = set()

    def whole(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        opened = self._object({name: value for name, value in claims.items() if name != "_sd_alg"}, 0)
        if not self._met.issuperset(self._held):
            _refuse("a disclosure belongs to no digest")
        return opened

    def _object(self, held: Mapping[str, Any], depth: int) -> dict[str, Any]:
        opened = {name: self._value(value, depth) for name, value in held.items() if name != "_sd"}
        if "..." in opened or (depth and "_sd_alg" in opened):
            _refuse("a name is used that means something else")
        digests = held.get("_sd", [])
        if not isinstance(digests, list):
            _refuse("_sd is not a list")
        for one in cast("list[object]", digests):
            if (found := self._meet(one)) is None:
                continue
            if len(found) != _NAMED or not isinstance(found[1], str) or found[1] in {"_sd", "...", *opened}:
                _refuse("a disclosure names no member, or one that is there")
            opened[found[1]] = self._value(found[2], depth)
        return opened

    def _value(self, value: object, depth: int) -> object:
        if depth == _DEEPEST:
            _refuse("deeper than is read")
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), depth + 1)
        if isinstance(value, list):
            return self._list(cast("list[object]", value), depth + 1)
        return value

    def _list(self, values: list[object], depth: int) -> list[object]:
        opened: list[object] = []
        for value in values:
            held = cast("dict[str, object]", value) if isinstance(value, dict) else {}
            if "..." not in held:
                opened.append(self._value(cast("object", value), depth))
                continue
            if len(held) != 1:
                _refuse("a digest in a list stands beside something")
            if (found := self._meet(held["..."])) is None:
                continue
            if len(found) != _LISTED:
                _refuse("a disclosure of a list has a name")
            opened.append(self._value(found[1], depth))
        return opened

    def _meet(self, one: object) -> list[Any] | None:
        if not isinstance(one, str) or one in self._met:
            _refuse("a digest is no string, or comes twice")
        self._met.add(one)
        return self._held.get(one)


def _read(disclosed: str) -> list[Any]:
    """The members of a disclosure (section 4.2)."""
    try:
        read = jose.unpacked(disclosed)
    except jose.NotSigned as error:
        message = "a disclosure is not base64url of JSON"
        raise NotRevealed(message) from error
    if not isinstance(read, list):
        _refuse("a disclosure is no list")
    members = cast("list[Any]", read)
    if len(members) not in {_LISTED, _NAMED} or not isinstance(members[0], str):
        _refuse("a disclosure has two or three members, the first a string")
    return members


def _refuse(message: str) -> NoReturn:
    raise NotRevealed(message)
