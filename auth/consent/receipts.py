"""Signed consent receipts, which a citizen can keep and verify offline (ISO/IEC TS 27560, section on receipts).

A receipt is a JWS (RFC 7515) with `typ` `consent-receipt+jwt`, signed by the key that `/.well-known/jwks.json`
publishes as `rcpt-*`. It holds a copy of the record and the record's hash, no name and no ID number.
"""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from auth.consent.record import SCHEMA_VERSION, Record
from core import ids
from core.keys import Keyring
from core.signed import Signer

TYPE = "consent-receipt+jwt"
KEY = "rcpt-1"


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. `record_hash`: SHA-256 (hex) of `record` as JSON with sorted members and no blanks (RFC 8785)."""

    receipt_id: str
    schema_version: str
    record: Record
    record_hash: str
    issued_at: datetime


@lru_cache(maxsize=4)
def _signer(ring: Keyring) -> Signer:
    return Signer(ring.ed25519(KEY), TYPE)


def record_hash(record: Record) -> str:
    """The hash that a receipt names its record by."""
    return hashlib.sha256(msgspec.json.encode(record, order="sorted")).hexdigest()


def sign(ring: Keyring, record: Record, *, at: datetime) -> str:
    """The compact receipt of a record."""
    body = Receipt(ids.show("re", ids.new()), SCHEMA_VERSION, record, record_hash(record), at)
    return _signer(ring).sign(body)


def for_recipient(ring: Keyring, record: Record, *, at: datetime) -> str:
    """The recipient's copy: without what only the citizen is given."""
    return sign(ring, msgspec.structs.replace(record, additions=UNSET), at=at)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a receipt's payload."""
    return msgspec.json.schema(Receipt)
