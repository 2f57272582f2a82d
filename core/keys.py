"""Keys: what is derived from the master key, and one random key per person and purpose.

Derived keys (HKDF-SHA-256, RFC 5869) sign and index; they come back after a restart. Personal keys are random and
stored wrapped by an epoch key; the epoch keys live in a file outside every database backup, so destroying a personal
key (and, in time, its epoch) makes what it sealed unreadable in every copy. The keys of blind indexes come from the
epoch keys too, so that an old copy's indexes cannot be guessed at any more either.

A ring follows the epochs file within a second. Promises nothing about process memory.
"""

import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, sealed
from core.epochs import Epochs, Watched
from core.tables import erased, person_key

Purpose = Literal["identity", "records", "orders", "cases", "reports", "occupational"]

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class KeyGone(Exception):
    """The person's key for this purpose does not exist or was destroyed."""


class Keyring:
    """Keys of this deployment. Holds secrets: never log or compare it."""

    def __init__(self, master: bytes, epochs_file: Path) -> None:
        """`master` is 32 bytes; `epochs_file` is read now (see `core.epochs`). Raises EpochsAway."""
        self._master = master
        self._epochs = Watched(epochs_file)
        self._kept: tuple[Epochs | None, dict[int, sealed.Kept]] = (None, {})

    @property
    def file(self) -> Path:
        """Where the epoch keys are."""
        return self._epochs.path

    @property
    def epoch(self) -> int:
        """The number of the current epoch."""
        return self._epochs.now().current

    @property
    def began(self) -> datetime | None:
        """Since when the current epoch is; None where the file does not say."""
        held = self._epochs.now()
        return held.began.get(held.current)

    @property
    def epochs(self) -> frozenset[int]:
        """The epochs that can be opened."""
        return frozenset(self._epochs.now().keys)

    def look(self) -> None:
        """Follow the epochs file now, not within a second."""
        self._epochs.look()

    def derive(self, label: str, length: int = 32) -> bytes:
        """A secret for `label`, the same at every call. HKDF, RFC 5869."""
        return HKDF(hashes.SHA256(), length, salt=None, info=label.encode()).derive(self._master)

    def es256(self, kid: str) -> ECKey:
        """The P-256 signing key named `kid` (a number in the name rotates it), as a JOSE key."""
        scalar = int.from_bytes(self.derive(f"es256|{kid}", 48)) % (_P256_ORDER - 1) + 1
        return ECKey.import_key(
            ec.derive_private_key(scalar, ec.SECP256R1()), {"kid": kid, "alg": "ES256", "use": "sig"}
        )

    def ed25519(self, kid: str) -> OKPKey:
        """The Ed25519 signing key named `kid`, as a JOSE key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        private = Ed25519PrivateKey.from_private_bytes(self.derive(f"ed25519|{kid}"))
        return OKPKey.import_key(private, {"kid": kid, "alg": "EdDSA", "use": "sig"})

    def wrap(self, key: bytes, *, owner: uuid.UUID, purpose: Purpose) -> tuple[int, bytes]:
        """Wrap a personal key; returns the current epoch's number and the wrapped key."""
        return self.seal_epoch(key, place=_place(owner, purpose))

    def unwrap(self, wrapped: bytes, *, epoch: int, owner: uuid.UUID, purpose: Purpose) -> bytes:
        """Open a wrapped personal key; KeyGone when its epoch was destroyed."""
        return self.open_epoch(epoch, wrapped, place=_place(owner, purpose))

    def seal_epoch(self, plaintext: bytes, *, place: tuple[str, str, bytes]) -> tuple[int, bytes]:
        """Seal under the current epoch; returns the epoch's number and the sealed value."""
        held, kept = self._ciphers()
        return held.current, sealed.seal(kept[held.current], plaintext, place=place)

    def open_epoch(self, epoch: int, value: bytes, *, place: tuple[str, str, bytes]) -> bytes:
        """Open what `seal_epoch` wrote; KeyGone when its epoch was destroyed."""
        key = self._ciphers()[1].get(epoch)
        if key is None:
            message = f"epoch {epoch} was destroyed"
            raise KeyGone(message)
        return sealed.unseal(key, value, place=place)

    def _ciphers(self) -> tuple[Epochs, dict[int, sealed.Kept]]:
        """The epochs' keys ready for use; made anew, and the old ones dropped, when the file changed."""
        held = self._epochs.now()
        if self._kept[0] is not held:
            self._kept = (held, {number: sealed.Kept(key) for number, key in held.keys.items()})
        return held, self._kept[1]

    def blind(self, column: str, value: str) -> list[bytes]:
        """What `value` may look like in the blind index `column`: search them all, write the first.

        See `sealed.blind`; the number is the epoch's. A table with such a column has another one that refers to
        `keys.epoch` (auth.citizen.index_epoch), so that no epoch is destroyed on which an index still hangs.
        """
        held = self._epochs.now()
        newest_first = sorted(held.keys, reverse=True)
        return [made for number in newest_first for made in sealed.blind(held.keys[number], number, column, value)]


async def make(session: AsyncSession, ring: Keyring, *, owner: uuid.UUID, purpose: Purpose) -> bytes:
    """Make, store wrapped, and return a person's random 32-byte key for `purpose`, or the one already there."""
    try:
        return await fetch(session, ring, owner=owner, purpose=purpose)
    except KeyGone:
        key = os.urandom(32)
        epoch, wrapped = ring.wrap(key, owner=owner, purpose=purpose)
        await session.execute(person_key.insert().values(owner=owner, purpose=purpose, epoch=epoch, wrapped=wrapped))
        return key


async def fetch(session: AsyncSession, ring: Keyring, *, owner: uuid.UUID, purpose: Purpose) -> bytes:
    """A person's key for `purpose`; raises KeyGone when there is none."""
    row = (
        await session.execute(
            select(person_key.c.epoch, person_key.c.wrapped).where(
                person_key.c.owner == owner, person_key.c.purpose == purpose
            )
        )
    ).one_or_none()
    if row is None:
        message = f"no {purpose} key"
        raise KeyGone(message)
    return ring.unwrap(row.wrapped, epoch=row.epoch, owner=owner, purpose=purpose)


async def destroy(session: AsyncSession, *, owner: uuid.UUID, purpose: Purpose) -> None:
    """Destroy a person's key for `purpose`: what it sealed can never be opened again, and a restore is told so."""
    gone = delete(person_key).where(person_key.c.owner == owner, person_key.c.purpose == purpose)
    if (await session.execute(gone.returning(person_key.c.owner))).first() is not None:
        await session.execute(erased.insert().values(owner=owner, purpose=purpose, at=clock.wall()))


def _place(owner: uuid.UUID, purpose: Purpose) -> tuple[str, str, bytes]:
    return "keys.person_key", purpose, owner.bytes
