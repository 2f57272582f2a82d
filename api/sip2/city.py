"""The city's answers to the library, over its ordinary partner API: may this reader have this perk, and what ended.

Promises that nothing but *granted* or *standard route* is ever told on, and that a question that got no answer is no
answer: `AwayError`, whatever the cause. Sends a subject or a code, a perk, the library's deposit; never a card, never a
title. A question about a subject is repeated with the same key, so the city writes one entry for a visit and not one a
frame, and the repeat is good only while the consent lives.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx2
import msgspec

from api.tool.caller import TokenRefusedError, signed

PREFIX = "CC1:"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PERK = slice(19, 21)  # docs/gate: version, key, city 4, random 8, issued 4, life, perk 2
_LONGEST_CODE = 160
_OK = 200


class AwayError(Exception):
    """No answer that says anything: away, slow, refused us, or not understood."""


class Ruling(msgspec.Struct, frozen=True):
    """What was decided of a perk. All but `granted` belongs to the perk; `waived` in fen, `reason` never personal."""

    perk: str
    granted: bool
    name: str = ""
    basis: str = ""
    measures: Mapping[str, int] = {}
    waived: int = 0
    reason: str | None = None


def is_code(text: str | None) -> bool:
    """Whether what was scanned is a credit code."""
    return text is not None and len(text) <= _LONGEST_CODE and text.strip().upper().startswith(PREFIX)


def perk_number(code: str) -> int | None:
    """The number of the perk that a code is for (RFC 9285, section 4); nothing for what no city wrote."""
    text, found = code.strip().upper().removeprefix(PREFIX), bytearray()
    for at in range(0, len(text), 3):
        part = [_ALPHABET.find(sign) for sign in text[at : at + 3]]
        value = sum(digit * 45**place for place, digit in enumerate(part))
        if -1 in part or len(part) == 1 or value >= 256 ** (len(part) - 1):
            return None
        found += value.to_bytes(len(part) - 1, "big")
    return int.from_bytes(found[_PERK], "big") if len(found) > _PERK.stop else None


class City:
    """The city as our client sees it."""

    def __init__(self, http: httpx2.AsyncClient, *, terminal: str | None = None) -> None:
        """`http` signs; see `connect`."""
        self._http = http
        self._terminal = terminal
        self._numbers: Mapping[int, str] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def perk_of(self, code: str) -> str | None:
        """The perk that a code is for, by the city's public list; nothing for a code of nobody's. AwayError."""
        number = perk_number(code)
        if number is not None and number not in self._numbers:
            said = await self._get("/v1/rules/credit-codes")
            self._numbers = {one["number"]: one["perk"] for one in said["perks"]}
        return None if number is None else self._numbers.get(number)

    async def check(
        self, perk: str, *, holder: Mapping[str, str], amount: int | None, key: str | None = None
    ) -> Ruling:
        """One question; `key` is what makes it the same one again, the question itself by default. Raises AwayError."""
        asked = {"perk": perk, "holder": dict(holder), "amount": amount, "terminal": self._terminal}
        body = {name: value for name, value in asked.items() if value is not None}
        same = key or "sip2-" + hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()
        said = await self._send("POST", "/v1/partner/eligibility", json=body, headers={"Idempotency-Key": same})
        terms: dict[str, Any] = said["terms"] or {}
        return Ruling(
            perk,
            said["result"] == "granted",
            name=terms.get("name", perk),
            basis=terms.get("basis", ""),
            measures=terms.get("measures", {}),
            waived=said.get("waived_amount", 0),
            reason=said.get("reason"),
        )

    async def ended(self, day: date) -> list[str]:
        """The subjects whose consent ended on a day that is over. Raises AwayError."""
        found: list[str] = []
        cursor = ""
        while True:
            said = await self._get(f"/v1/partner/statements/{day}", **({"cursor": cursor} if cursor else {}))
            found += [one["subject"] for one in said["ended"]]
            if not (cursor := said["next_cursor"]):
                return found

    async def _get(self, path: str, **query: str) -> dict[str, Any]:
        return await self._send("GET", path, params=query)

    async def _send(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, **more)
            if answer.status_code != _OK:
                message = f"the city answered {answer.status_code}"
                raise AwayError(message)
            return answer.json()
        except (httpx2.TransportError, TokenRefusedError, ValueError) as error:
            message = f"no answer from the city ({type(error).__name__})"
            raise AwayError(message) from error


def connect(kit: Mapping[str, Any], client: str, *, terminal: str | None = None) -> City:
    """The city of a kit, as one of its clients."""
    http = httpx2.AsyncClient(base_url=kit["base_url"], auth=signed(kit, client), timeout=10)
    return City(http, terminal=terminal)
