"""What of an entry is sealed: its canonical text and a salt, hashed into one leaf.

The text is JSON with sorted members and nothing between them, so whoever holds an entry and its salt can make the leaf
again; whoever holds the leaf alone learns nothing, since the salt is random and goes when the entry goes.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from core import ids, merkle

COLUMNS = "e.id, e.at, e.actor_kind, e.actor, e.action, e.purpose, e.outcome, e.owner, e.detail::text as detail, e.salt"


class Sealable(msgspec.Struct, frozen=True):
    """An entry as it stands in its row; `detail` is the text of its JSON."""

    id: uuid.UUID
    at: datetime
    actor_kind: str
    actor: str
    action: str
    purpose: str
    outcome: str
    owner: uuid.UUID | None
    detail: str
    salt: bytes


def payload(entry: Sealable) -> bytes:
    """The canonical text of an entry, without its salt."""
    said: dict[str, Any] = {
        "id": ids.show("ac", entry.id),
        "at": entry.at.astimezone(UTC),
        "actor": f"{entry.actor_kind}:{entry.actor}",
        "action": entry.action,
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "owner": ids.show("cz", entry.owner) if entry.owner else None,
        "detail": msgspec.json.decode(entry.detail),
    }
    return msgspec.json.encode(said, order="sorted")


def leaf(entry: Sealable) -> bytes:
    """The hash of an entry's leaf: over its canonical text followed by its salt."""
    return merkle.leaf_hash(payload(entry) + entry.salt)
