"""`POST /oid4vci/nonce` and `POST /oid4vci/credential`: copies of the credential for a wallet's keys.

OpenID4VCI 1.0 (sections 7 and 8). Order: the token's key proves the request (RFC 9449), the body is read, the wallet's
proofs are checked, the nonce is spent, and places are claimed in one statement that asks for both consents and the
standing of this moment. Promises: nothing is written into a log but the error's code; nothing of a copy is kept but its
place. Unknown members of a request are ignored, as the protocol wants (section 8.2).
"""

from typing import Any

import msgspec
from litestar import MediaType, Response, Router, post
from litestar.di import NamedDependency

from api import formdocs, proofs
from api.deps import House, HttpRequest
from api.identity import oauth
from api.wallet import config
from auth.refusals import Refusal
from core import clock
from core.errors import TooMany, Unavailable
from incentives.credentials import copies, nonces, offers
from incentives.credentials import proofs as wallet
from incentives.credentials.copies import Claimed
from scoring import rulebook

_A_MINUTE = 60
_MOST_A_MINUTE = 600
_BODY = 131_072
_TENTHS = 10
_TRIES = 3
_NO_STORE = {"Cache-Control": "no-store"}


class InvalidCredentialRequest(Refusal):
    """The body is not a credential request."""

    code = "invalid_credential_request"
    title = "The request is not one for a credential"


class UnknownConfiguration(Refusal):
    """Another credential than the one there is."""

    code = "unknown_credential_configuration"
    title = "There is no such credential"


class InvalidProofs(Refusal):
    """The wallet's proofs of its keys do not hold."""

    code = "invalid_proof"
    title = "The proofs do not hold"


class InvalidNonce(Refusal):
    """The nonce is not ours, over, or spent."""

    code = "invalid_nonce"
    title = "The nonce does not hold; get a new one"


class RequestDenied(Refusal):
    """Nothing is given for this token any more."""

    code = "credential_request_denied"
    title = "Nothing is given for this token any more"


class _Proofs(msgspec.Struct, frozen=True):
    jwt: list[str]


class _Asked(msgspec.Struct, frozen=True):
    proofs: _Proofs
    credential_configuration_id: str = ""
    credential_response_encryption: Any = None


@post("/nonce", status_code=200, summary="A nonce for proofs of keys", request_max_body_size=1024)
async def nonce(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """One `c_nonce`, good for five minutes and for one credential request; and the DPoP nonce of now."""
    await _not_too_often(request, house)
    headers = {**_NO_STORE, "DPoP-Nonce": await proofs.desk(house).nonces.current()}
    return Response({"c_nonce": await nonces.give(house.ring, house.short)}, headers=headers)


@post(
    "/credential",
    status_code=200,
    summary="Get credentials",
    request_max_body_size=_BODY,
    operation_class=formdocs.json("credential_configuration_id", "proofs"),
)
async def give(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """A copy for each of 1 to 20 proofs (`proofs.jwt`), each bound to the key that its proof shows."""
    await _not_too_often(request, house)
    token = proofs.sent_token(request)
    jkt = await proofs.proved_key(request, house, token)
    proved = _proved(house, _read(await request.body()))
    if not await nonces.use(house.ring, house.short, proved.nonce):
        raise InvalidNonce("Get a nonce at the nonce endpoint for each request.")
    claimed, scorecard = await _claim(house, token, jkt, len(proved.keys))
    if claimed.verdict == "dead":
        raise proofs.invalid_token("The access token is not one for a credential, expired, or of another key.")
    if claimed.verdict == "too_many":
        detail = f"A token gives at most {copies.MOST} copies; ask for a new offer."
        raise RequestDenied(detail)
    if claimed.verdict == "ended":
        raise RequestDenied("The consent that the offer stands on has ended.")
    written = copies.write(
        config.signing(house), claimed, issuer=house.settings.base_url, city=house.settings.city_code,
        scorecard=scorecard, holders=proved.keys,
    )  # fmt: skip
    body = {"credentials": [{"credential": one} for one in written]}
    return Response(body, media_type=MediaType.JSON, headers=_NO_STORE)


def _read(body: bytes) -> _Asked:
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidCredentialRequest("Send JSON with credential_configuration_id and proofs.jwt.") from error
    if asked.credential_response_encryption is not None:
        raise InvalidCredentialRequest("Answers are not encrypted beyond TLS here.")
    if asked.credential_configuration_id != config.CONFIGURATION:
        detail = f"The one credential is {config.CONFIGURATION}."
        raise UnknownConfiguration(detail)
    return asked


def _proved(house: House, asked: _Asked) -> wallet.Proved:
    now = int(clock.wall().timestamp())
    try:
        return wallet.read(asked.proofs.jwt, audience=house.settings.base_url, now=now, most=copies.MOST)
    except wallet.NotProved as error:
        raise InvalidProofs(f"{error}.".capitalize()) from error


async def _claim(house: House, token: str, jkt: str, count: int) -> tuple[Claimed, str]:
    """The places, and the scorecard in force; committed before anything is signed, so that no lock waits for that."""
    press, hashed = config.press(house), offers.token_hash(token)
    for _ in range(_TRIES):
        async with house.doors.work("auth") as session:
            card = (await rulebook.current(session, on=clock.today())).scorecard
            points = [tier.start // _TENTHS for tier in card.tiers if tier.start > 0]
            claimed = await copies.claim(session, press, token=hashed, jkt=jkt, copies=count, points=points)
        if claimed.verdict != "crowded":
            return claimed, card.id
    raise Unavailable("The lists are being changed; try again.")


async def _not_too_often(request: HttpRequest, house: House) -> None:
    whence = request.client.host if request.client else ""
    if await house.short.count(f"wallet:{whence}", _A_MINUTE) > _MOST_A_MINUTE:
        raise TooMany("Too many requests from this address.", retry_after=_A_MINUTE)


handlers = [Router(path="/oid4vci", route_handlers=[nonce, give], exception_handlers={Refusal: oauth.refused})]
