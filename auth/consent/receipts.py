"""Signed consent receipts (ISO/IEC TS 27560 field names), which a citizen can keep and verify offline.

A receipt is a JWS (RFC 7515) with `typ` `consent-receipt+jwt`, signed by the key that `/.well-known/jwks.json`
publishes as `rcpt-*`. It holds no name and no ID number.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc.jwk import OKPKey

from core import ids
from core.signed import Signer

TYPE = "consent-receipt+jwt"


def sign(key: OKPKey, consent: Mapping[str, Any], *, controller: str) -> str:
    """The compact receipt of a consent row (columns of `auth.consent`)."""
    record = {
        "schema_version": "27560-1",
        "record_id": ids.show("co", _uuid(consent["id"])),
        "purpose": consent["purpose"],
        "privacy_notice": {"version": consent["notice_version"], "sha256": consent["notice_digest"]},
        "language": "zh-CN",
        "pii_controllers": [controller],
        "sources": consent["sources"],
        "event": {"event_state": "given", "event_type": "explicit", "event_time": _iso(consent["given_at"])},
        "expires_at": _iso(consent["expires_at"]),
        "withdrawal_method": "/v1/me/consents",
        "jurisdiction": "CN",
    }
    return Signer(key, TYPE).sign({"record": record, "issued_at": _iso(consent["given_at"])})


def _uuid(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def _iso(instant: datetime) -> str:
    return instant.isoformat()
