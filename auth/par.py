"""Pushed authorization requests (RFC 9126): what a client asks for, laid down before the citizen is asked.

A citizens' app asks by scope for acting in the citizen's name. A partner asks by `authorization_details` for a standing
consent (RFC 9396), and has authenticated itself before (FAPI 2.0, 5.3.2.2).

Promises: only `code` with PKCE S256 (RFC 7636), an exact redirect address, and a DPoP key that the code will be bound
to (RFC 9449, section 10). A request lives five minutes, since the citizen may have to log in first, and is taken away
by the citizen's decision, not by loading the page.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping

import msgspec

from auth import assurance, clients, details, server
from auth.details import Eligibility
from auth.refusals import InvalidDetails, InvalidGrant, Refusal, UnauthorizedClient, UnsupportedResponseType

LIFE = 300
_CHECK = "eligibility:check"
_URN = "urn:ietf:params:oauth:request_uri:"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_STATE = 512
_SECONDS = re.compile(r"[0-9]{1,6}")
_A_MINUTE = 60


class Pushed(msgspec.Struct, frozen=True):
    """A request that waits for a citizen's decision, which must be one of a login of level `acr`, `max_age` s old."""

    client_id: str
    redirect_uri: str
    challenge: str
    jkt: str
    scopes: frozenset[str]
    state: str | None
    asked: Eligibility | None = None
    acr: int = 0
    max_age: int | None = None


def read(desk: server.Server, client: clients.Client, form: Mapping[str, str], *, proved_jkt: str | None) -> Pushed:
    """Check what a client pushes; `proved_jkt` is the key of its DPoP header, if it sent one. Raises Refusal."""
    if not client.public and client.role != "partner":
        raise UnauthorizedClient("Only citizens' apps and partners ask citizens; use client_credentials.")
    if "request" in form or "request_uri" in form:
        raise Refusal("Send plain parameters: request and request_uri are not taken here.")
    if form.get("response_type") is None:
        raise Refusal("response_type is missing.")
    if form["response_type"] != "code" or form.get("response_mode", "query") != "query":
        raise UnsupportedResponseType("Use response_type=code with response_mode=query.")
    server.aim_at(desk, form.get("resource"))
    return Pushed(
        client_id=client.client_id,
        redirect_uri=_redirect(client, form),
        challenge=_challenge(form),
        jkt=_key(form, proved_jkt),
        scopes=_scopes(client, form),
        state=_state(form),
        asked=_asked(desk, client, form),
        acr=_acr(form),
        max_age=_max_age(form),
    )


def _scopes(client: clients.Client, form: Mapping[str, str]) -> frozenset[str]:
    """A citizens' app asks by scope; what a partner may ask a citizen for is one thing, and has one scope."""
    if client.public:
        return server.narrowed(form.get("scope"), client.scopes)
    return server.narrowed(form.get("scope", _CHECK), client.scopes & {_CHECK})


def _asked(desk: server.Server, client: clients.Client, form: Mapping[str, str]) -> Eligibility | None:
    said = form.get("authorization_details")
    if said is None and client.public:
        return None
    if said is None:
        raise Refusal("Say in authorization_details what you ask the citizen for.")
    if client.public:
        raise InvalidDetails("A citizens' app asks by scope.")
    return details.read(said, client, resource=desk.tokens.resource)


def _acr(form: Mapping[str, str]) -> int:
    """The level that the app needs (RFC 9470, section 4): the first that it names."""
    if "acr_values" not in form:
        return 0
    if not (level := assurance.level(form["acr_values"].split()[0])):
        raise Refusal("acr_values names none of urn:cc:acr:1, urn:cc:acr:2 and urn:cc:acr:3 first.")
    return level


def _max_age(form: Mapping[str, str]) -> int | None:
    """How old the login may be; a minute at least, since the citizen reads the page after it."""
    if "max_age" not in form:
        return None
    if not _SECONDS.fullmatch(form["max_age"]):
        raise Refusal("max_age is a number of seconds.")
    return max(_A_MINUTE, int(form["max_age"]))


def _redirect(client: clients.Client, form: Mapping[str, str]) -> str:
    """The registered address, compared as a string (RFC 9700, section 4.1.3)."""
    if form.get("redirect_uri") not in client.redirect_uris:
        raise Refusal("redirect_uri is missing or not registered for this client, letter by letter.")
    return form["redirect_uri"]


def _challenge(form: Mapping[str, str]) -> str:
    if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
        raise Refusal("Send code_challenge (43 characters) with code_challenge_method=S256.")
    return form["code_challenge"]


def _key(form: Mapping[str, str], proved_jkt: str | None) -> str:
    named = form.get("dpop_jkt")
    if named is not None and proved_jkt is not None and named != proved_jkt:
        raise Refusal("dpop_jkt is not the key of the DPoP proof.")
    jkt = named or proved_jkt
    if jkt is None or not _CHALLENGE.fullmatch(jkt):
        raise Refusal("Send a DPoP proof or dpop_jkt: codes are bound to a key.")
    return jkt


def _state(form: Mapping[str, str]) -> str | None:
    state = form.get("state")
    if state is not None and len(state) > _LONGEST_STATE:
        raise Refusal("state is longer than 512 characters.")
    return state


async def push(desk: server.Server, pushed: Pushed) -> str:
    """Keep a checked request; its `request_uri`."""
    request_uri = _URN + secrets.token_urlsafe(32)
    await desk.short.put(_place(request_uri), msgspec.json.encode(pushed), LIFE)
    return request_uri


async def look(desk: server.Server, *, client_id: str, request_uri: str) -> Pushed:
    """The waiting request, left where it is. Raises InvalidGrant when it is gone or another client's."""
    return _mine(await desk.short.peek(_place(request_uri)), client_id)


async def take(desk: server.Server, *, client_id: str, request_uri: str) -> Pushed:
    """The waiting request, taken away: exactly one of racing decisions gets it. Raises InvalidGrant."""
    await look(desk, client_id=client_id, request_uri=request_uri)
    return _mine(await desk.short.take(_place(request_uri)), client_id)


def _mine(held: bytes | None, client_id: str) -> Pushed:
    pushed = None if held is None else msgspec.json.decode(held, type=Pushed)
    if pushed is None or pushed.client_id != client_id:
        raise InvalidGrant("The request is unknown, decided or older than five minutes; begin again in the app.")
    return pushed


def _place(request_uri: str) -> str:
    return f"par:{hashlib.sha256(request_uri.encode()).hexdigest()}"
