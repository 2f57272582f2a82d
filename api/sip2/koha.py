"""The library's system as far as a reader's category goes: a port, and Koha's REST API behind it.

Koha 21.11 and newer (`/api/v1/patrons`, OAuth2 client credentials). Circulation rules hang off the category, so a move
of category is a change of limits. A move is made only from the category that it expects, so what a librarian changed by
hand stays. Koha has neither a partial update nor a version to compare (its PUT overwrites): the whole record is read
and written back at once, which leaves a gap of milliseconds for somebody else's change. Keeps nothing of the record.
"""

import asyncio
import time
from typing import Any, Protocol

import httpx2

_READ_ONLY = frozenset(
    {
        "patron_id", "restricted", "anonymized", "updated_on", "checkouts_count", "overdues_count", "account_balance",
        "library", "extended_attributes", "expired", "_strings",
    }
)  # fmt: skip
_MARGIN = 30
_EMPTY = 204


class NotMovedError(Exception):
    """The system did not change the category; the message says why, without a card or a name."""


class Register(Protocol):
    """What the bridge needs of a library's system: to read a category, and to move a reader from one to another."""

    async def category(self, card: str) -> str:
        """The reader's category now. Raises NotMovedError."""
        ...

    async def move(self, card: str, *, now: str, to: str) -> bool:
        """Move a reader who is in `now`; false when they are in another by now. Raises NotMovedError."""
        ...


class Koha:
    """A Koha."""

    def __init__(self, base_url: str, *, client_id: str, secret: str) -> None:
        """`base_url` of the staff interface, where `/api/v1` is."""
        self._http = httpx2.AsyncClient(base_url=base_url, timeout=5)
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._token, self._until = "", 0.0
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def category(self, card: str) -> str:
        """The reader's category now."""
        return (await self._patron(card))["category_id"]

    async def move(self, card: str, *, now: str, to: str) -> bool:
        """Read, change, write."""
        patron = await self._patron(card)
        if patron["category_id"] == to:
            return True
        if patron["category_id"] != now:
            return False
        kept = {name: value for name, value in patron.items() if name not in _READ_ONLY}
        await self._ask("PUT", f"/api/v1/patrons/{patron['patron_id']}", json={**kept, "category_id": to})
        return True

    async def _patron(self, card: str) -> dict[str, Any]:
        query = {"cardnumber": card, "_match": "exact"}
        said = await self._ask("GET", "/api/v1/patrons", params=query)
        found = [one for one in said or () if one["cardnumber"] == card]  # Koha does not tell small letters apart
        if len(found) != 1:
            message = f"Koha knows {len(found)} readers by this card."
            raise NotMovedError(message)
        return found[0]

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        """A JSON answer, nothing for 204."""
        try:
            headers = {"Authorization": f"Bearer {await self._bearer()}"}
            answer = await self._http.request(method, path, headers=headers, **more)
            if not answer.is_success:
                message = f"Koha answered {answer.status_code} to {method}."
                raise NotMovedError(message)
            return None if answer.status_code == _EMPTY else answer.json()
        except (httpx2.TransportError, ValueError, KeyError) as error:
            message = f"No answer from Koha ({type(error).__name__})."
            raise NotMovedError(message) from error

    async def _bearer(self) -> str:
        """A token that is good for half a minute more (RFC 6749, section 4.4)."""
        async with self._turn:
            if time.monotonic() > self._until - _MARGIN:
                given = (await self._http.post("/api/v1/oauth/token", data=self._form)).json()
                self._token, self._until = given["access_token"], time.monotonic() + given["expires_in"]
            return self._token
