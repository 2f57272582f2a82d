"""Two verifiers who put together all that they were shown: every field of every part, its length, its place, its order.

A field is `public` when all presentations of one question have the same value, `fresh` when no two have. A field that
is neither could tell who is who, so a test names each one and looks at it by itself.
"""

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from statistics import mean, stdev
from typing import Any, Literal

from incentives.recognition import sdjwt

Kind = Literal["public", "fresh", "other"]
PARTS = ("header", "claims", "signature")
STRANGE = 6.0  # standard errors: once in 500 million runs by chance


def features(text: str) -> dict[str, Any]:
    """All there is to see in a presentation, by a name for each."""
    parts = sdjwt.split(text)
    seen: dict[str, Any] = {"shown": len(parts.disclosures), "letters": "".join(sorted(set(text) - set(_LETTERS)))}
    seen |= dict(_token("vc", parts.issued)) | dict(_token("kb", parts.binding))
    digests = _json(parts.issued.split(".")[1])["_sd"]
    for turn, one in enumerate(parts.disclosures):
        salt, name, value = _json(one)
        seen |= {f"{turn} salt": salt, f"{turn} name": name, f"{turn} value": value, f"{turn} length": len(one)}
        seen[f"{turn} place"] = digests.index(sdjwt.digest(one))
    return seen | {"sorted": digests == sorted(digests), "digests": len(digests)}


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _token(name: str, token: str) -> Iterator[tuple[str, Any]]:
    for part, text in zip(PARTS, token.split("."), strict=True):
        if part == "signature":
            yield from ((f"{name} {part}", text), (f"{name} {part} length", len(text)))
            continue
        read = _json(text)
        yield f"{name} {part} order", json.dumps(_names(read))
        yield from _leaves(f"{name} {part}", read)


def _leaves(path: str, read: Any) -> Iterator[tuple[str, Any]]:
    """Every value with the path to it, and how long it is; of a list, every element that two could have in common."""
    if isinstance(read, dict):
        for name, value in read.items():
            yield from _leaves(f"{path}.{name}", value)
    elif isinstance(read, list):
        yield from ((f"{path} elements", tuple(read)), (f"{path} length", tuple(len(str(one)) for one in read)))
    else:
        yield path, read
        if isinstance(read, str):
            yield f"{path} length", len(read)


def _names(read: Any) -> Any:
    return {name: _names(value) for name, value in read.items()} if isinstance(read, dict) else None


def _json(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def kinds(population: Iterable[Mapping[str, Any]]) -> dict[str, Kind]:
    """Of what kind each field is; a list is fresh when no element of it was ever seen before."""
    all_of = list(population)
    assert len({tuple(one) for one in all_of}) == 1, "a field that only some have"
    found: dict[str, Kind] = {}
    for name in all_of[0]:
        values = [one[name] for one in all_of]
        single = [value if name.endswith(" elements") else (value,) for value in values]
        counted = Counter(each for value in single for each in value)
        if len(set(values)) == 1:
            found[name] = "public"
        else:
            found[name] = "fresh" if max(counted.values()) == 1 else "other"
    return found


def packed(text: str) -> int:
    """How long it is when it is compressed, as a line or a picture would have it."""
    return len(zlib.compress(text.encode(), 9))


def apart(some: list[float], others: list[float]) -> float:
    """By how many standard errors two samples' means differ."""
    error = (stdev(some) ** 2 / len(some) + stdev(others) ** 2 / len(others)) ** 0.5
    return abs(mean(some) - mean(others)) / error if error else 0.0
