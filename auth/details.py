"""Authorization details (RFC 9396): what a partner asks a citizen to allow, as one closed object.

There is one type, `credit_eligibility`: for one perk, whether this person may have it. No member speaks of points,
tiers or records, and none can be added, since unknown members are refused. One request asks for one thing (PIPL article
23: a separate consent for each recipient and purpose). What is granted is what was asked for, perhaps for a shorter
time, with the random pairwise number that stands for the citizen.
"""

import re
import uuid
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auth.clients import DETAILS, Client
from auth.consent import terms
from auth.refusals import InvalidDetails
from core import clock, ids

TYPE = DETAILS
_ONE = timedelta(days=1)
_SAID = re.compile(r"[^ -!#-\[\]-~]")  # what may not stand in an error_description (RFC 6749, section 5.2)
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Frequency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `max` questions in a period."""

    max: Annotated[int, Meta(ge=1, le=100)]
    per: Literal["P1D", "P7D", "P30D"]


class Eligibility(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for. `locations` is our resource, `retention` how long the partner keeps the answer (ISO 8601)."""

    type: Literal["credit_eligibility"]
    purpose: Name
    perk: Name
    locations: Annotated[list[str], Meta(min_length=1, max_length=1)]
    actions: Annotated[list[Literal["verify"]], Meta(min_length=1, max_length=1)]
    expires_at: Annotated[datetime, Meta(tz=True)]
    retention: Annotated[str, Meta(pattern=r"^P(?:[1-9]|[1-9]\d|[12]\d\d|3[0-5]\d|36[0-5])D$")]
    frequency: Frequency | UnsetType = UNSET

    @property
    def last_day(self) -> date:
        """The last whole civil day that the request reaches: a consent lives to the end of a day, never longer."""
        return clock.day_of(self.expires_at) - _ONE

    @property
    def days_kept(self) -> int:
        """For how many days the partner keeps the answer."""
        return int(self.retention[1:-1])


def read(text: str, client: Client, *, resource: str) -> Eligibility:
    """The one detail that a client may ask for. Raises InvalidDetails."""
    try:
        (asked,) = msgspec.json.decode(text, type=Annotated[list[Eligibility], Meta(min_length=1, max_length=1)])
    except (msgspec.DecodeError, RecursionError, OverflowError) as error:
        fault = _SAID.sub("'", str(error))[:200]
        detail = f"authorization_details is a JSON array of one {TYPE} object: {fault}."
        raise InvalidDetails(detail) from error
    if TYPE not in client.details_types:
        raise InvalidDetails("This client is not registered for this type.")
    if asked.purpose not in client.purposes:
        raise InvalidDetails("The purpose is not registered for this client.")
    if asked.perk not in client.perks:
        raise InvalidDetails("The perk is not one of this client.")
    if asked.locations != [resource]:
        detail = f"The one location is {resource}."
        raise InvalidDetails(detail)
    _must_end(asked)
    return asked


def _must_end(asked: Eligibility) -> None:
    """No consent for life, and none that is over before a whole day has passed (国办发〔2020〕49号)."""
    try:
        last = asked.last_day
    except OverflowError as error:
        raise InvalidDetails("expires_at is out of any calendar.") from error
    today = clock.today()
    if not today < last <= terms.latest_expiry(today):
        detail = f"expires_at lies at least two days and at most {terms.LONGEST_MONTHS} months ahead."
        raise InvalidDetails(detail)


def granted(asked: Eligibility, *, subject: uuid.UUID, until: datetime) -> dict[str, Any]:
    """What the citizen allowed: the same, until the consent's own end, which is no later, about this subject."""
    said = {**msgspec.to_builtins(asked), "expires_at": msgspec.to_builtins(until)}
    return {**said, "subject": ids.show("su", subject)}
