"""The authorization challenge: how our own mini-program logs somebody in without our page.

After draft-ietf-oauth-first-party-apps-04. The app shows one piece of evidence a request (a WeChat code, a code of the
phone button, the identity provider's answer) until the level that it asked for is reached; then it gets an
authorization code. Promises: only the one client that is ours; between two requests the `auth_session` holds who is
known so far, is bound to client and DPoP key, lives ten minutes and is taken by one request alone; the PKCE challenge,
the scopes and the level are those of the first request; an account moves to a proved person only by evidence shown in
this very session.
"""

import hashlib
import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auth import accounts, assurance, authorize, citizens, clients, server
from auth.accounts import Came
from auth.oidc import Begun
from auth.par import Pushed
from auth.realname import Proved
from auth.refusals import InvalidGrant, Refusal, UnauthorizedClient
from core import clock
from core.keys import Keyring

LIFE = 600
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class InvalidSession(Refusal):
    """The auth_session is unknown, used, expired, another client's or bound to another key."""

    code = "invalid_session"
    title = "The authorization session does not hold"


class Known(msgspec.Struct, frozen=True):
    """Who the person is, as far as shown: the level reached, and when it was."""

    citizen_id: uuid.UUID
    level: int
    at: datetime


class Session(msgspec.Struct, frozen=True):
    """A login under way. `oidc` is set once the app was sent to the identity provider."""

    client_id: str
    jkt: str
    challenge: str
    scopes: frozenset[str]
    wanted: int
    known: Known | None = None
    oidc: Begun | None = None


def begin(desk: server.Server, client: clients.Client, form: Mapping[str, str], *, ours: str, jkt: str) -> Session:
    """A first request, checked; `ours` is the id of the one client that may ask. Raises Refusal."""
    if client.client_id != ours or not client.public:
        raise UnauthorizedClient("This endpoint is for the city's own mini-program; use pushed authorization requests.")
    if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
        raise Refusal("Send code_challenge (43 characters) with code_challenge_method=S256.")
    server.aim_at(desk, form.get("resource"))
    wanted = assurance.WECHAT
    if "acr_values" in form and not (wanted := assurance.level(form["acr_values"])):
        raise Refusal("acr_values is one of urn:cc:acr:1, urn:cc:acr:2 and urn:cc:acr:3.")
    scopes = server.narrowed(form.get("scope"), client.scopes)
    return Session(client.client_id, jkt, form["code_challenge"], scopes, wanted)


async def look(desk: server.Server, auth_session: str, *, client_id: str, jkt: str) -> Session:
    """The session that a later request goes on with, left where it is. Raises InvalidSession."""
    held = await desk.short.peek(_place(auth_session))
    found = None if held is None else msgspec.json.decode(held, type=Session)
    if found is None or found.client_id != client_id or found.jkt != jkt:
        raise InvalidSession("The auth_session is unknown, used, expired or of another key; begin again.")
    return found


async def take(desk: server.Server, auth_session: str) -> None:
    """Use a session up: exactly one of racing requests goes on. Raises InvalidSession."""
    if await desk.short.take(_place(auth_session)) is None:
        raise InvalidSession("The auth_session is used; begin again.")


async def keep(desk: server.Server, session: Session) -> str:
    """Keep a session for ten minutes more; its new name."""
    name = secrets.token_urlsafe(32)
    await desk.short.put(_place(name), msgspec.json.encode(session), LIFE)
    return name


async def by_account(session: AsyncSession, ring: Keyring, came: Came) -> Known:
    """Whoever came by an account: level 1, or 2 where a number was verified before."""
    citizen_id = await citizens.come(session, ring, came=came)
    level = assurance.PHONE if await accounts.has_phone(session, citizen_id=citizen_id) else assurance.WECHAT
    return Known(citizen_id, level, clock.wall())


async def with_phone(session: AsyncSession, ring: Keyring, known: Known | None, number: str) -> Known:
    """The same person with a verified number: level 2."""
    if known is None:
        raise InvalidGrant("A number alone is nobody: send wechat_code first.")
    if not await citizens.is_here(session, known.citizen_id):
        raise InvalidSession("The account leads to somebody else by now; begin again.")
    await accounts.bind_phone(session, ring, citizen_id=known.citizen_id, number=number)
    return msgspec.structs.replace(known, level=max(known.level, assurance.PHONE))


async def with_name(session: AsyncSession, ring: Keyring, known: Known | None, proved: Proved) -> Known:
    """The proved person, to whom the account that was shown leads from now on: level 3. Raises AccountTaken."""
    if known is None:
        citizen_id = await citizens.arrive(session, ring, proved=proved)
    else:
        citizen_id = await citizens.join(session, ring, citizen_id=known.citizen_id, proved=proved)
    return Known(citizen_id, proved.level, proved.at)


async def give_code(session: AsyncSession, under_way: Session, known: Known) -> str:
    """An authorization code, redeemed at the token endpoint without a redirect_uri (RFC 6749, section 4.1.3)."""
    asked = Pushed(
        client_id=under_way.client_id,
        redirect_uri="",
        challenge=under_way.challenge,
        jkt=under_way.jkt,
        scopes=under_way.scopes,
        state=None,
    )
    return await authorize.give_code(session, asked, citizen_id=known.citizen_id, acr=known.level, auth_time=known.at)


def _place(auth_session: str) -> str:
    return f"challenge:{hashlib.sha256(auth_session.encode()).hexdigest()}"
