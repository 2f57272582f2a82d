"""The keys that sign credentials and their lists: P-256, one a calendar quarter (`core.signingkeys`), `cred-2026q4`.

A key is published a quarter ahead, so that a trust list can name it before it signs, and for as long after its quarter
as the last credential lives that it signed.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from joserfc.jwk import ECKey

from core import clock, signingkeys
from core.keys import Keyring
from core.signed import Signer
from incentives.recognition import credential, statuslist

_OVERLAP = timedelta(days=credential.DAYS + 2)


class Seal(msgspec.Struct, frozen=True):
    """What signs at an instant: credentials, and status lists."""

    credentials: Signer
    lists: Signer


class Keys:
    """The keys of one deployment, each derived once."""

    def __init__(self, ring: Keyring, serial: int = 0) -> None:
        """`serial`: see `core.signingkeys`."""
        self._ring = ring
        self._serial = serial
        self._made: dict[str, ECKey] = {}

    def seal(self, at: datetime) -> Seal:
        """What signs at an instant."""
        key = self._key(self._names(at).current)
        return Seal(Signer(key, credential.TYPE), Signer(key, statuslist.TYPE))

    def published(self, at: datetime) -> list[dict[str, Any]]:
        """The public JWKs of an instant: what `jwks.json` has, and what a trust list says of this city."""
        return [dict(self._key(kid).as_dict(private=False)) for kid in self._names(at).published()]

    def _names(self, at: datetime) -> signingkeys.Names:
        return signingkeys.names(at, family="cred", serial=self._serial, overlap=_OVERLAP)

    def _key(self, kid: str) -> ECKey:
        if kid not in self._made:
            self._made[kid] = self._ring.es256(kid)
        return self._made[kid]


@lru_cache(maxsize=8)
def of(ring: Keyring, serial: int = 0) -> Keys:
    """The keys of a deployment, once a process."""
    return Keys(ring, serial)


def issuing_keys(ring: Keyring, serial: int = 0) -> list[dict[str, Any]]:
    """The public JWKs by which this city's credentials and lists of now are checked."""
    return of(ring, serial).published(clock.wall())
