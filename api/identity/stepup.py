"""Step-up: what is grave is asked of somebody who has just proved who they are (RFC 9470).

Promises: a caller below the level, or whose login is older than asked, is refused before anything is done, with the
challenge that an app understands and, for the page, where to log in again. Does not promise that a fresh login is the
same person's: whoever logs in gets a session of their own.
"""

from datetime import timedelta
from typing import NoReturn
from urllib.parse import quote

from api import guards
from api.guards import Citizen
from auth import assurance
from core import clock, jose
from core.errors import Unauthenticated

_SKEW = 5


class StaleLogin(Unauthenticated):
    """The login is too old, or proved too little, for what was asked."""

    code = "insufficient_user_authentication"
    title = "Log in again first"


def must_be_fresh(caller: Citizen, *, acr: int = assurance.REAL_NAME, within: int = 600, return_to: str = "/") -> None:
    """Raise StaleLogin unless the caller proved level `acr` within the last `within` seconds.

    `return_to` is where the page goes on after the new login. At a counter the card is read once more, at most a
    minute before. RFC 9470, section 3; ASVS 10.3.4.
    """
    if caller.actor is not None:
        _must_be_at_the_counter(caller)
        return
    age = clock.wall().timestamp() - caller.auth_time.timestamp()
    if caller.acr >= acr and age <= within + _SKEW:
        return
    _refuse(caller, acr, within, return_to)


def _must_be_at_the_counter(caller: Citizen) -> None:
    since = clock.wall() - timedelta(seconds=guards.GRAVE_AT_COUNTER)
    if caller.proved_again_at is None or caller.proved_again_at < since:
        detail = "Read the card once more: POST /v1/staff/assisted-sessions/{id}/proofs, at most a minute before."
        challenge = f'DPoP error="{StaleLogin.code}", error_description="{detail}", max_age="{guards.GRAVE_AT_COUNTER}"'
        raise StaleLogin(detail, headers={"WWW-Authenticate": challenge})


def address(return_to: str) -> str:
    """Where a browser logs in anew, though it may have a live session."""
    return f"/login?prompt=login&return_to={quote(return_to, safe='')}"


def _refuse(caller: Citizen, acr: int, within: int, return_to: str) -> NoReturn:
    wanted, by_cookie = assurance.urn(acr), caller.csrf is not None
    how = "at the address in login" if by_cookie else "with these acr_values and max_age, in a new pushed request"
    detail = f"This needs a login with a proved real name, at most {within} s old: log in again {how}."
    challenge = (
        f'DPoP error="{StaleLogin.code}", error_description="{detail}", acr_values="{wanted}", max_age="{within}", '
        f'algs="{" ".join(jose.ALGORITHMS)}"'
    )
    more: dict[str, object] = {"acr_values": wanted, "max_age": within}
    if by_cookie:
        more["login"] = address(return_to)
    raise StaleLogin(detail, headers={"WWW-Authenticate": challenge}, **more)  # pyright: ignore[reportArgumentType]  (members of any name)
