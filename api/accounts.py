"""Merchants' accounts at pay channels, read once from the operator's file.

A file that cannot be used turns every channel off and is a finding of `osmanthus doctor`; orders that are there already
wait for it, parked, so that nothing frozen is forgotten.
"""

import stat
from functools import cache
from pathlib import Path

import structlog

from incentives.channels.account import Account, BadAccounts, parse

_log = structlog.get_logger("osmanthus.channels")


def read(path: Path | None) -> tuple[Account, ...]:
    """The accounts. Raises BadAccounts, also for a file that others may read."""
    if path is None:
        return ()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            message = f"{path} has mode {mode:04o}; only its owner may read it (chmod 600)."
            raise BadAccounts(message)
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {type(error).__name__}."
        raise BadAccounts(message) from error


@cache
def known(path: Path | None) -> tuple[Account, ...]:
    """The accounts of this process, none while the file cannot be used."""
    try:
        return read(path)
    except BadAccounts as error:
        _log.error("channels are off", why=str(error))
        return ()
