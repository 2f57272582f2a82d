"""Real names: what an identity provider proves of a person, whichever provider it is.

Two kinds exist. A city's provider gives the verified name and ID number as claims (`auth.oidc`). The national network
identity authentication gives a pairwise id and no plaintext at all, and no platform may ask for the plaintext besides
(the measures for its public service, in force 2025-07-15). Promises: an ID number comes only as a verified claim, never
typed by anybody; whoever proved none can look around, and is told what to do before anything that needs a birth date.
"""

from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from auth.assurance import REAL_NAME
from core.errors import Forbidden

Token_contra = TypeVar("Token_contra", contravariant=True)


class NoIdentity(Forbidden):
    """The provider proved no usable name or ID number."""

    code = "no_identity"
    title = "The identity provider gave no verified identity"


class RealNameNeeded(Forbidden):
    """This needs a birth date or an ID number, and nobody has proved one for this account yet."""

    code = "real_name_needed"
    title = "Prove your real name first"

    def __init__(self) -> None:
        """Say where."""
        super().__init__("Log in with acr_values=urn:cc:acr:3 at the identity provider, or go to a counter.")


class Proved(msgspec.Struct, frozen=True):
    """What a provider proved, and when: its own account of the person, and the name and ID number where it has them.

    `subject` is the provider's name for the person towards us alone (pairwise). `name` and `id_number` come together or
    not at all. Personal data: open it only where it is needed, and never log it.
    """

    provider: str
    subject: str
    name: str | None
    id_number: str | None
    at: datetime
    level: int = REAL_NAME


class RealNameProvider(Protocol[Token_contra]):
    """Somebody whose word we take for who a person is. Each kind has a subject token of its own."""

    async def verify(self, subject_token: Token_contra) -> Proved:
        """What the token proves; a token is good once. Raises a Problem when it proves nothing."""
        ...
