"""Client authentication by `private_key_jwt` (RFC 7523, section 2.2; rfc7523bis: the audience is the issuer alone).

Promises: iss and sub are the client, aud is our issuer as one string, life at most five minutes, each `jti` once, and
never older than the memory of used ones. Keys come from the registration; nothing is fetched. The error says what to
mend: client ids are no secrets, so it hides none. Does not promise that to the second: `iat` counts whole seconds of
the client's clock, so one used just before the memory was lost, by a clock that runs ahead, may be taken once more.
"""

import hashlib
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients
from auth.refusals import InvalidClient
from core import clock, jose
from core.shortlived import Store, epoch_began

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300
_SKEW = 10
_FAR_SKEW = 60
_TYPES = {None, "JWT", "jwt", "client-authentication+jwt"}


async def authenticate(
    session: AsyncSession, short: Store, *, issuer: str, assertion: str, client_id: str | None
) -> clients.Client:
    """The client that signed `assertion`; `client_id` is the request's own, if any. Raises InvalidClient."""
    try:
        signed = jose.parse(assertion)
        name = jose.text(signed.claims, "sub", 64)
        if client_id is not None and client_id != name:
            _refuse("client_id is another one")
        found = await clients.get(session, name)
        if found is None or found.public:
            _refuse("no such confidential client")
        jose.verify(signed, _key(signed, found))
        await _fresh(signed, short, issuer=issuer, client_id=name)
    except jose.NotSigned as error:
        detail = f"The client assertion is refused: {error}."
        raise InvalidClient(detail) from error
    return found


def _key(signed: jose.Signed, found: clients.Client) -> jose.PublicKey:
    """The registered key that the header names, or the only one when it names none."""
    if signed.header.get("typ") not in _TYPES:
        _refuse("typ is that of another kind of token")
    if "jwk" in signed.header:
        _refuse("the key comes from the registration, not from the header")
    kid = signed.header.get("kid")
    fitting = [jwk for jwk in found.jwks if kid is None or jwk["kid"] == kid]
    if len(fitting) != 1:
        _refuse("kid names no registered key")
    return jose.public_key({name: value for name, value in fitting[0].items() if name != "kid"})


async def _fresh(signed: jose.Signed, short: Store, *, issuer: str, client_id: str) -> None:
    """Check audience, times and single use."""
    claims, now = signed.claims, clock.wall().timestamp()
    if claims.get("iss") != client_id:
        _refuse("iss is not the client")
    if claims.get("aud") != issuer:
        _refuse("aud must be our issuer as one string")
    expires = jose.number(claims, "exp")
    if expires is None or not now - _SKEW < expires <= now + LONGEST + _SKEW:
        _refuse("exp is missing, past, or more than 300 s ahead")
    issued = jose.number(claims, "iat")
    for ahead in (issued, jose.number(claims, "nbf")):
        if ahead is not None and ahead > now + _FAR_SKEW:
            _refuse("iat or nbf lies in the future")
    if (expires - LONGEST if issued is None else issued) < int(epoch_began(await short.epoch())):
        _refuse("it is older than our memory of used ones; make a new one")
    once = hashlib.sha256(jose.text(claims, "jti").encode()).hexdigest()
    if not await short.claim(f"assertion:{client_id}:{once}", expires - now + 2 * _SKEW):
        _refuse("it was used before")


def _refuse(message: str) -> NoReturn:
    raise jose.NotSigned(message)
