"""Who sits at a browser for a client: the guard of the console's and the desk's pages.

Promises: what a person at a browser may do is what the client's own token of the same scopes may, proved to every gate
function by the token behind their seat; an unsafe request needs the seat's CSRF token and no sign of another site. A
clerk is the one whom the login proved, never one that a form names.
"""

from datetime import datetime, timedelta

from litestar.handlers import BaseRouteHandler

from api import cookies, refused
from api.deps import Connection, house
from api.guards import Client, Guard
from api.proofs import insufficient_scope, method
from auth import seats
from auth.seats import Seat
from core import clock, ids
from core.errors import Unauthenticated

_FRESH = timedelta(minutes=10)


class Seated(Client, frozen=True, kw_only=True):
    """A client, by a person at a browser. `csrf` is what forms bring along; `proved_at`: when they last logged in."""

    name: str
    seat_id: str
    csrf: str
    proved_at: datetime
    ends_at: datetime


class NobodySeated(Unauthenticated):
    """No live seat belongs to this browser."""

    def __init__(self, role: str) -> None:
        """`role` says whose seat is missing."""
        super().__init__("Open the console by its link." if role == "partner" else "Log in at the desk.")
        self.role = role


class StaleSeat(Unauthenticated):
    """What is grave is asked of somebody who has just proved who they are (RFC 9470)."""

    code = "insufficient_user_authentication"
    title = "Log in again first"


def seated(role: str, scope: str | None = None) -> Guard:
    """A guard that lets in who sits at a browser for a client of `role`, with `scope` where one is named."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        here = house(connection)
        value = connection.cookies.get(cookies.seat_name(here.settings, role), "")
        async with here.doors.claims("auth") as session:
            found = await seats.find(session, value, role=role) if value else None
        if found is None:
            raise NobodySeated(role)
        csrf = seats.digest(f"csrf {value}").hex()
        connection.scope["state"]["caller"] = _caller(found, csrf)
        connection.scope["state"]["client"] = found.client.client_id  # for the request's log line
        if method(connection) not in cookies.SAFE:
            await cookies.must_be_same_site(connection, here.settings, csrf)
        if scope is not None and scope not in found.scopes:
            if role == "staff":
                await refused.note(connection, here, found.client.client_id, scope)
            raise insufficient_scope(scope)

    return guard


def _caller(found: Seat, csrf: str) -> Seated:
    known = found.client
    return Seated(
        client_id=known.client_id, role=known.role, scopes=found.scopes, kinds=known.kinds, perks=known.perks,
        jti_hash=found.token, jkt="", clerk=found.clerk, name=known.name, seat_id=ids.show("se", found.id), csrf=csrf,
        proved_at=found.proved_at, ends_at=found.ends_at,
    )  # fmt: skip


def must_be_fresh(caller: Seated) -> None:
    """Raise StaleSeat unless the clerk logged in within the last ten minutes."""
    if clock.wall() - caller.proved_at > _FRESH:
        raise StaleSeat("This needs a login at most ten minutes old: log in again at /desk/login?prompt=login.")
