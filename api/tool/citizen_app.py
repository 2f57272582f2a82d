"""A citizen's app, as the demo plays it: logs a person in through the forms that everybody sees, then calls `/v1/me`.

    async with signed_in(base_url, client, login=..., password=...) as http:
        await http.get("/v1/me")

A public client (RFC 8252) with PAR (RFC 9126), PKCE (RFC 7636) and DPoP (RFC 9449). It reads pages as a browser would,
form by form, so that the seeding fails if a person would.
"""

import base64
import hashlib
import secrets
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from api.tool.signing import Signer, fresh_key

_MOST_PAGES = 12


class LostOnTheWayError(Exception):
    """A page of the way did not lead on; the message says which."""


class _Form(HTMLParser):
    """The first form of a page: where it goes, and what it already holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False
        self._choice: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self._inside = found.get("action", ""), True
        elif not self._inside:
            return
        elif tag == "input" and "name" in found and found.get("type") != "submit":
            if found.get("type") != "checkbox" or "checked" in found:
                self.fields[found["name"]] = found.get("value", "")
        elif tag == "select":
            self._choice = found.get("name")
        elif tag == "option" and self._choice is not None:
            self.fields.setdefault(self._choice, found.get("value", ""))
        elif tag == "button" and "name" in found:
            self.fields.setdefault(found["name"], found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class Bound(httpx2.Auth):
    """Sends a citizen's DPoP-bound token with a proof for each request."""

    requires_response_body = True

    def __init__(self, signer: Signer, access_token: str) -> None:
        """`access_token` is bound to the signer's key."""
        self._signer = signer
        self._token = access_token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Sign; once more when the server wants its nonce."""
        answer = yield self._signed(request)
        if self._signer.heed(answer):
            yield self._signed(request)

    def _signed(self, request: httpx2.Request) -> httpx2.Request:
        request.headers["Authorization"] = f"DPoP {self._token}"
        request.headers["DPoP"] = self._signer.proof(request.method, str(request.url), access_token=self._token)
        return request


@asynccontextmanager
async def signed_in(
    base_url: str, client: Mapping[str, Any], *, login: str, password: str
) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of `/v1/me` for one person; `client` is the kit's `citizen_client`. Raises LostOnTheWayError."""
    signer = Signer(fresh_key(), client_id=client["client_id"], issuer=base_url)
    async with httpx2.AsyncClient(base_url=base_url, timeout=30) as browser:
        verifier = secrets.token_urlsafe(48)
        request_uri = await _push(browser, signer, client, verifier)
        code = await _walk(browser, client, request_uri, {"login": login, "password": password})
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client["redirect_uri"],
            "code_verifier": verifier,
        }
        token = (await _post(browser, signer, "/oauth/token", form)).json()["access_token"]
    async with httpx2.AsyncClient(base_url=base_url, auth=Bound(signer, token), timeout=30) as http:
        yield http


async def _push(browser: httpx2.AsyncClient, signer: Signer, client: Mapping[str, Any], verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    form = {
        "response_type": "code",
        "redirect_uri": client["redirect_uri"],
        "scope": client["scope"],
        "state": secrets.token_urlsafe(8),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return (await _post(browser, signer, "/oauth/par", form)).json()["request_uri"]


async def _post(browser: httpx2.AsyncClient, signer: Signer, path: str, form: dict[str, str]) -> httpx2.Response:
    url = str(browser.base_url.join(path))
    filled = {**form, "client_id": signer.client_id}
    answer = await browser.post(path, data=filled, headers={"DPoP": signer.proof("POST", url)})
    if signer.heed(answer):
        answer = await browser.post(path, data=filled, headers={"DPoP": signer.proof("POST", url)})
    if not answer.is_success:
        message = f"{path} answered {answer.status_code}: {answer.text}"
        raise LostOnTheWayError(message)
    return answer


async def _walk(
    browser: httpx2.AsyncClient, client: Mapping[str, Any], request_uri: str, who: Mapping[str, str]
) -> str:
    """Follow redirects and fill in forms until the app's address comes back with a code."""
    answer = await browser.get(
        "/oauth/authorize", params={"client_id": client["client_id"], "request_uri": request_uri}
    )
    for _ in range(_MOST_PAGES):
        if answer.is_redirect:
            place = str(answer.url.join(answer.headers["location"]))
            if place.startswith(client["redirect_uri"]):
                return _code(place)
            answer = await browser.get(place)
            continue
        form = _Form(answer.text)
        if not answer.is_success or form.action is None:
            break
        filled = {name: who.get(name, value) for name, value in form.fields.items()}
        target = answer.url.join(form.action) if form.action else answer.url
        answer = await browser.post(target, data=filled)
    message = f"{answer.request.method} {answer.url.path} answered {answer.status_code} and leads nowhere"
    raise LostOnTheWayError(message)


def _code(place: str) -> str:
    given = parse_qs(urlsplit(place).query)
    if "code" not in given:
        message = f"the authorization ended with {given.get('error', ['no code'])[0]}"
        raise LostOnTheWayError(message)
    return given["code"][0]
