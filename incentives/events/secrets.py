"""A webhook's secrets: derived from the master key, so that no database and no backup holds one.

Rotation takes the next serial; the one before it signs as well for a day, so that a receiver may change in between.
"""

import uuid
from datetime import datetime

from core.keys import Keyring
from incentives.events.signing import Secret


def of(ring: Keyring, webhook_id: uuid.UUID, serial: int) -> Secret:
    """The secrets of one generation."""
    name = f"{webhook_id}|{serial}"
    return Secret(ring.derive(f"webhook-hmac|{name}"), ring.derive(f"webhook-ed25519|{name}"))


def good(
    ring: Keyring, webhook_id: uuid.UUID, serial: int, *, old_until: datetime | None, now: datetime
) -> list[Secret]:
    """What signs now, the newest first."""
    serials = [serial] if old_until is None or old_until <= now else [serial, serial - 1]
    return [of(ring, webhook_id, one) for one in serials]
