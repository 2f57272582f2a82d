"""Which faults mean "the database is away", and which are ours."""

import errno
import socket
from collections.abc import Callable

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core import pgerrors


def _caused(cause: BaseException) -> Exception:
    """An exception whose cause is that, as SQLAlchemy's adapter raises them."""
    error = DBAPIError("select 1", {}, Exception())
    error.__cause__ = cause
    return error


AWAY: dict[str, Callable[[], BaseException]] = {
    "nobody listens": ConnectionRefusedError,
    "the socket's file is gone": lambda: FileNotFoundError(errno.ENOENT, "No such file or directory"),
    "no route": lambda: OSError(errno.EHOSTUNREACH, "No route to host"),
    "no such name": lambda: socket.gaierror(-2, "Name or service not known"),
    "too slow": TimeoutError,
    "every connection is taken": PoolTimeout,
    "starting up": lambda: asyncpg.CannotConnectNowError("the database system is starting up"),
    "shut down by the operator": lambda: asyncpg.AdminShutdownError("terminating connection"),
    "ended to let others on": lambda: asyncpg.DeadlockDetectedError("deadlock detected"),
    "too many clients": lambda: asyncpg.TooManyConnectionsError("sorry"),
    "closed meanwhile": lambda: asyncpg.InterfaceError("connection is closed"),
    "dying meanwhile": lambda: asyncpg.InternalClientError(
        "cannot switch to state 12; another operation (2) is in progress"
    ),
    "failed meanwhile": lambda: asyncpg.InternalClientError(
        'cannot switch to state 12; protocol is in the "failed" state'
    ),
}
OURS: dict[str, Callable[[], BaseException]] = {
    "a file of ours is missing": lambda: FileNotFoundError(errno.ENOENT, "No such file", "policy/x.toml"),
    "a statement of ours is wrong": lambda: asyncpg.PostgresSyntaxError("syntax error"),
    "a right of ours is missing": lambda: asyncpg.InsufficientPrivilegeError("permission denied"),
    "two statements at once": lambda: asyncpg.InterfaceError("another operation is in progress"),
    "a busy connection": lambda: asyncpg.InternalClientError(
        "cannot switch to state 12; another operation (12) is in progress"
    ),
    "a value of ours": lambda: ValueError("closed"),
}


class TestIsUnavailable:
    """`pgerrors.is_unavailable`."""

    @pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
    def test_a_database_that_is_away_is_told_anywhere_in_the_chain(self, fault: Callable[[], BaseException]) -> None:
        """Raised as it is, or as the cause of something else."""
        assert pgerrors.is_unavailable(fault())
        assert pgerrors.is_unavailable(_caused(fault()))

    @pytest.mark.parametrize("fault", OURS.values(), ids=OURS)
    def test_a_fault_of_ours_stays_one(self, fault: Callable[[], BaseException]) -> None:
        """No 503 hides it."""
        assert not pgerrors.is_unavailable(fault())
        assert not pgerrors.is_unavailable(_caused(fault()))

    def test_a_framework_that_raises_again_hides_nothing(self) -> None:
        """Two dependencies at once: the first error is raised again from its own group, in place of the driver's."""
        gone = asyncpg.CannotConnectNowError("the database system is shutting down")
        found = DBAPIError("select 1", {}, gone)
        found.__cause__ = ExceptionGroup("unhandled errors in a TaskGroup", [found])
        assert pgerrors.is_unavailable(found)

    def test_a_group_is_away_when_all_of_it_is(self) -> None:
        """A fault of ours beside an outage is still told; a group that names itself ends."""
        away, ours = ConnectionError("refused"), ValueError("of ours")
        assert pgerrors.is_unavailable(ExceptionGroup("two", [away, ConnectionError("refused")]))
        assert not pgerrors.is_unavailable(ExceptionGroup("two", [away, ours]))
        ours.__context__ = ExceptionGroup("itself", [ours])
        assert not pgerrors.is_unavailable(ours)
