"""What an error of PostgreSQL or of its driver means: that it is away for now, or that it will never take this.

Promises: every way in which a server stops, restarts or cannot be reached is known, however deep in causes and groups
of errors, so that it becomes a 503 and never a fault of ours; so is a transaction that it ended because several waited
for each other. Does not promise that a repeat is safe.
"""

import errno
import re
import socket
from typing import cast

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeout

_GONE = ("08", "57P", "53300", "25P04", "40P01")  # the last: ended to let others on, nothing was done
_NO_TEXT = {"22021", "22P05"}
_CLOSED = (ConnectionError, TimeoutError, socket.gaierror, asyncpg.ConnectionDoesNotExistError, PoolTimeout)
_OF_THE_DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)
# What asyncpg says of a connection that dies under it.
_BROKEN = re.compile(r'closed|not connected|"failed" state|free connection holder|another operation \([234]\)')
_UNREACHABLE = {errno.ENOENT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database could not be reached or went away, anywhere in what led to an error.

    Of a group it is true when it is of all: one fault of ours among them stays one.
    """
    return _is_away(error, {})


def _is_away(error: BaseException | None, judged: dict[int, bool]) -> bool:
    """Walk every way, not only the cause: a framework that raises again from its own group hides the driver's there."""
    if error is None:
        return False
    if id(error) not in judged:
        judged[id(error)] = False  # whoever leads back here learns nothing new
        led = (error.__cause__, cast("BaseException | None", getattr(error, "orig", None)), error.__context__)
        judged[id(error)] = (
            _says_so(error)
            or (bool(members := _members(error)) and all(_is_away(one, judged) for one in members))
            or any(_is_away(one, judged) for one in led)
        )
    return judged[id(error)]


def _members(error: object) -> tuple[BaseException, ...]:
    return cast("BaseExceptionGroup[BaseException]", error).exceptions if isinstance(error, BaseExceptionGroup) else ()


def _says_so(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None)
    gone = isinstance(state, str) and state.startswith(_GONE)
    dying = isinstance(error, _OF_THE_DRIVER) and _BROKEN.search(str(error)) is not None
    return isinstance(error, _CLOSED) or gone or dying or _is_no_way(error)


def _is_no_way(error: BaseException) -> bool:
    """Whether a socket found no server: no route, or the socket's file is gone (a file of ours would have a name)."""
    return isinstance(error, OSError) and error.filename is None and error.errno in _UNREACHABLE


def is_unstorable(error: BaseException) -> bool:
    """Whether PostgreSQL refused a text because of what no text of it may hold: U+0000, or half a surrogate pair."""
    return getattr(error, "sqlstate", None) in _NO_TEXT
