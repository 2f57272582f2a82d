"""The consent record: the fields of ISO/IEC TS 27560:2023, by their names there. Pure.

Three parts: what is done with which data (`Processing`, fixed when the consent is given, from the notice that was
shown), who takes part (`Party`), and what happened to it (`Event`). What only the citizen is given (`Additions`) is
left out of the recipient's copy. Holds no name, no ID number and no account.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

SCHEMA_VERSION = "ISO-IEC-TS-27560-2023/osmanthus-1"


class PrivacyNotice(msgspec.Struct, frozen=True):
    """The exact text that was shown: `sha256` (hex) is over its bytes."""

    uri: str
    version: int
    sha256: str


class Purpose(msgspec.Struct, frozen=True):
    """What for: the code of the request, and its words."""

    code: str
    text: str


class PiiInformation(msgspec.Struct, frozen=True):
    """One kind of personal data. `pii_optional`: the citizen could have left it out alone."""

    pii_type: str
    pii_attribute_id: str
    pii_optional: bool
    sensitive_pii_category: str | None = None


class ProcessingMethod(msgspec.Struct, frozen=True):
    """How: whether a computer decides alone, where the rules are, and what follows from it (PIPL article 24)."""

    description: str
    automated_decision: bool
    logic: str
    consequence: str


class Party(msgspec.Struct, frozen=True):
    """An organisation. `party_role`: controller or recipient."""

    party_id: str
    party_name: str
    party_address: str
    party_contact: str
    party_type: str
    party_role: str


class Processing(msgspec.Struct, frozen=True):
    """What was agreed to, as the notice in force said it at the time."""

    pii_principal_id: str
    privacy_notice: PrivacyNotice
    language: str
    purpose: Purpose
    purpose_type: str
    lawful_basis: str
    pii_information: tuple[PiiInformation, ...]
    pii_controllers: tuple[str, ...]
    collection_method: str
    processing_method: ProcessingMethod
    storage_locations: tuple[str, ...]
    retention_period: str
    processing_locations: tuple[str, ...]
    geographic_restrictions: str
    service: str
    jurisdiction: str
    recipient_third_parties: tuple[str, ...]
    withdrawal_method: str
    privacy_rights: str
    parties: tuple[Party, ...]
    impact_assessment: str | None = None
    authority_party: str | None = None


class Event(msgspec.Struct, frozen=True):
    """One change. `validity_duration` is ISO 8601; `entity_id` says who: the principal, a party or the system."""

    event_time: datetime
    validity_duration: str
    entity_id: str
    event_type: str
    event_state: str
    about: str | UnsetType = UNSET


class Additions(msgspec.Struct, frozen=True):
    """Beyond the standard, for the citizen alone: how it was agreed to, and which sources it names now."""

    channel: str
    acr: int | None
    auth_time: datetime | None
    ui_evidence: dict[str, Any]
    sources: tuple[str, ...]
    supersedes: str | None


class Record(msgspec.Struct, frozen=True):
    """A whole record, as of its last event."""

    schema_version: str
    record_id: str
    pii_principal_id: str
    privacy_notice: PrivacyNotice
    language: str
    purpose: Purpose
    purpose_type: str
    lawful_basis: str
    pii_information: tuple[PiiInformation, ...]
    pii_controllers: tuple[str, ...]
    collection_method: str
    processing_method: ProcessingMethod
    storage_locations: tuple[str, ...]
    retention_period: str
    processing_locations: tuple[str, ...]
    geographic_restrictions: str
    service: str
    jurisdiction: str
    recipient_third_parties: tuple[str, ...]
    withdrawal_method: str
    privacy_rights: str
    impact_assessment: str | None
    authority_party: str | None
    parties: tuple[Party, ...]
    events: tuple[Event, ...]
    additions: Additions | UnsetType = UNSET


def compose(
    record_id: str,
    processing: Processing,
    events: tuple[Event, ...],
    *,
    principal: str | None = None,
    additions: Additions | UnsetType = UNSET,
) -> Record:
    """Put a record together; `principal` stands for the citizen towards this recipient."""
    agreed = {name: getattr(processing, name) for name in Processing.__struct_fields__}
    if principal is not None:
        agreed["pii_principal_id"] = principal
    return Record(schema_version=SCHEMA_VERSION, record_id=record_id, events=events, additions=additions, **agreed)
