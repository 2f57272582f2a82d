"""Persons of an office: a clerk is a staff number of one office's system, never a name.

An office's system vouches for its clerks, as it proves itself by its key. Where two persons are needed, they are two
of these.
"""

from typing import Annotated

from litestar.params import QueryParameter
from msgspec import Meta

from api.guards import Client

_NUMBER = r"^[A-Z]{0,4}[0-9]{2,12}$"
_WORD = r"^[a-z][a-z0-9._-]{0,63}$"

ClerkNo = Annotated[str, Meta(pattern=_NUMBER, description="A staff number, never a name.")]
Purpose = Annotated[str, Meta(pattern=_WORD, description="Why, as one word.")]
# The same in an address: there a body's patterns are not looked at.
ClerkQuery = Annotated[str, QueryParameter(pattern=_NUMBER, description="A staff number, never a name.")]
PurposeQuery = Annotated[str, QueryParameter(pattern=_WORD, description="Why, as one word.")]


def person(caller: Client, clerk: str) -> str:
    """The one name of a clerk in entries and approvals: `<client>/<clerk>`."""
    return f"{caller.client_id}/{clerk}"


def of(caller: Client, clerk: str | None) -> str:
    """A clerk where one is named or sits at the desk, else the office's system."""
    return caller.by if clerk is None else person(caller, clerk)
