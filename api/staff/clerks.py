"""Persons of an office: a clerk is a staff number of one office's system, never a name.

An office's system vouches for its clerks, as it proves itself by its key. Where two persons are needed, they are two
of these.
"""

from typing import Annotated

from msgspec import Meta

from api.guards import Client

ClerkNo = Annotated[str, Meta(pattern=r"^[A-Z]{0,4}[0-9]{2,12}$", description="A staff number, never a name.")]


def person(caller: Client, clerk: str) -> str:
    """The one name of a clerk in entries and approvals: `<client>/<clerk>`."""
    return f"{caller.client_id}/{clerk}"
