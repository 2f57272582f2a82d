"""One presentation, judged: whether it is worth a perk, who attests it, whether it was taken back, which copy it is.

Promises: whatever comes out, the counter learns one bit; a cause is for the log and for the holder. A copy that was
proved is named, so that it is shown once; of one that was not proved nothing is kept.
"""

from datetime import UTC, datetime

import msgspec

from core import sealed
from incentives.recognition import presentation, statuslist
from incentives.recognition.credential import VCT, Place
from incentives.recognition.presentation import Asked, Shown, Untrusted
from incentives.visitors.books import Now
from incentives.visitors.statuses import Statuses

_CAUSES = {statuslist.VALID: None, statuslist.INVALID: "revoked", statuslist.SUSPENDED: "suspended"}


class Judged(msgspec.Struct, frozen=True):
    """`cause`: None when it is worth the perk; `copy`: the digest of the copy that was proved, good until `until`."""

    cause: str | None
    copy: bytes | None = None
    until: datetime | None = None
    city: str | None = None


async def judge(text: str | None, asked: Asked, *, perk: str, now: Now, statuses: Statuses, key: bytes) -> Judged:
    """Judge what a wallet showed for a perk; None: it showed nothing. Raises NobodyTrusted, StatusUnknown.

    The status is asked for whatever the map says, so that an answer that could not be given tells nothing of it.
    """
    trusted = now.list()
    if text is None:
        return Judged("nothing_shown")
    try:
        shown = presentation.read(text, asked, trusted.key)
    except Untrusted:
        return Judged("not_proved")
    status = await statuses.of(shown.place, issuer=shown.issuer, trusted=trusted)
    cause = "status_missing" if status is None else _CAUSES.get(status, "status_missing")
    city = _city(shown, now)
    if cause is None and city is None:
        cause = "city_not_recognised"
    if cause is None and city is not None and not now.maps.grants(city, shown.reached, perk, now.today):
        cause = "not_reached" if now.maps.needed(city, perk, now.today) is not None else "perk_not_recognised"
    return Judged(cause, copy_of(shown.place, key), datetime.fromtimestamp(shown.until, UTC), city)


def _city(shown: Shown, now: Now) -> str | None:
    """The city that speaks, when list, map and credential say the same."""
    about = now.list().about(shown.issuer)
    if about is None or about.vct != VCT or shown.facts.get("city") != about.city:
        return None
    city = now.maps.city(about.city, now.today)
    return None if city is None or city.issuer not in {None, shown.issuer} else city.code


def copy_of(place: Place, key: bytes) -> bytes:
    """What is kept of a copy: HMAC of its place, which is its own; nobody without the key can tell whose list it is."""
    return sealed.digest(key, f"{place.index} {place.uri}")
