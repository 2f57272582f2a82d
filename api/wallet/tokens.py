"""The grant by which a wallet redeems an offer: `urn:ietf:params:oauth:grant-type:pre-authorized_code`.

OpenID4VCI 1.0 (sections 6.1 and 6.3). The wallet is nobody that we know; what counts is the code, the words beside it
that the citizen types in, and the wallet's DPoP key, to which the token is bound. Promises: whoever guesses the words
has five tries, over all requests; the answer says no more than that the grant does not hold.
"""

from collections.abc import Mapping

from api.deps import House
from api.wallet.config import SCOPE
from auth.refusals import InvalidGrant, Refusal
from auth.server import PRE_AUTHORIZED, Granted
from core.errors import TooMany
from incentives.credentials import offers

GRANT = PRE_AUTHORIZED
_A_MINUTE = 60
_LONGEST = 128
_MOST = 600
_WHY = {
    "replayed": "The code was used before; what it gave is revoked.",
    "ended": "The consent that the offer stands on has ended.",
}


async def redeem(house: House, form: Mapping[str, str], *, jkt: str, whence: str) -> Granted:
    """The token for an offer, bound to the key `jkt`. Raises Refusal, InvalidGrant, TooMany."""
    code, words = form.get("pre-authorized_code"), form.get("tx_code")
    if code is None or words is None:
        raise Refusal("Send pre-authorized_code and tx_code.")
    if max(len(code), len(words)) > _LONGEST or not (code + words).isascii():
        raise InvalidGrant("The code or tx_code does not hold.")
    if await house.short.count(f"redeem:{whence}", _A_MINUTE) > _MOST:
        raise TooMany("Too many requests from this address.", retry_after=_A_MINUTE)
    async with house.doors.work("auth") as session:  # committed before it is answered: a wrong try counts
        verdict, token = await offers.redeem(session, house.ring, code=code, words=words, jkt=jkt)
    if verdict != "given":
        raise InvalidGrant(_WHY.get(verdict, "The code or tx_code does not hold; draw a new offer after five tries."))
    return Granted(token, int(offers.TOKEN_LIFE.total_seconds()), SCOPE)
