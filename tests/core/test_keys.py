"""Keys come back after a restart, personal keys die for good."""

import uuid
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import epochs, ids, keys
from core.keys import KeyGone, Keyring
from core.tables import erased


class TestDerive:
    """Derived keys."""

    def test_the_same_master_gives_the_same_keys(self, ring: Keyring) -> None:
        """Two processes of one deployment sign alike."""
        other = Keyring(bytes(range(32)), ring.file)
        assert other.es256("as-at-1").thumbprint() == ring.es256("as-at-1").thumbprint()
        assert other.ed25519("rcpt-1").thumbprint() == ring.ed25519("rcpt-1").thumbprint()

    def test_another_number_is_another_key(self, ring: Keyring) -> None:
        """Counting a name up rotates the key."""
        assert ring.es256("as-at-1").thumbprint() != ring.es256("as-at-2").thumbprint()


class TestPersonalKeys:
    """One random key per person and purpose."""

    async def test_a_key_is_made_once_and_fetched_again(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """Asking twice gives the same key, another purpose another one."""
        made = await keys.make(citizen_session, ring, owner=somebody, purpose="records")
        assert await keys.fetch(citizen_session, ring, owner=somebody, purpose="records") == made
        assert await keys.make(citizen_session, ring, owner=somebody, purpose="records") == made
        assert await keys.make(citizen_session, ring, owner=somebody, purpose="identity") != made

    async def test_a_destroyed_key_is_gone(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """After destroying there is nothing to open with."""
        await keys.make(citizen_session, ring, owner=somebody, purpose="records")
        await keys.destroy(citizen_session, owner=somebody, purpose="records")
        with pytest.raises(KeyGone):
            await keys.fetch(citizen_session, ring, owner=somebody, purpose="records")

    async def test_what_was_destroyed_is_on_the_erasure_list(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """Once each time a key really went, so that a restore can do it again."""
        owner = ids.new()
        await keys.make(owner_session, ring, owner=owner, purpose="records")
        for _ in range(2):
            await keys.destroy(owner_session, owner=owner, purpose="records")
        listed = await owner_session.execute(select(erased.c.purpose).where(erased.c.owner == owner))
        assert listed.scalars().all() == ["records"]

    async def test_a_destroyed_epoch_takes_its_keys_with_it(
        self, citizen_session: AsyncSession, ring: Keyring, tmp_path: Path, somebody: uuid.UUID
    ) -> None:
        """A ring without the epoch cannot unwrap, even with the row (as in an old backup)."""
        await keys.make(citizen_session, ring, owner=somebody, purpose="records")
        file = tmp_path / "epochs.json"
        file.write_bytes(ring.file.read_bytes())
        epochs.add(file)
        epochs.remove(file, 1)
        with pytest.raises(KeyGone):
            await keys.fetch(citizen_session, Keyring(bytes(range(32)), file), owner=somebody, purpose="records")


class TestBlind:
    """What finds a value without holding it."""

    def test_a_value_is_found_through_a_rotation(self, tmp_path: Path) -> None:
        """What was written before is among what is searched after, and what is written is of the new epoch."""
        epochs.make_epochs(file := tmp_path / "epochs.json")
        written = Keyring(bytes(range(32)), file).blind("column", "value")[0]
        epochs.add(file)
        searched = Keyring(bytes(range(32)), file).blind("column", "value")
        assert written in searched
        assert searched[0][1:3] == b"\x00\x02"
        epochs.remove(file, 1)
        assert written not in Keyring(bytes(range(32)), file).blind("column", "value")

    def test_another_column_is_another_key(self, ring: Keyring) -> None:
        """The same value in two columns cannot be told to be the same."""
        assert not set(ring.blind("a", "value")) & set(ring.blind("b", "value"))

    def test_the_master_key_alone_finds_nothing(self, ring: Keyring, tmp_path: Path) -> None:
        """An index cannot be guessed at with the master key once its epoch is gone."""
        epochs.make_epochs(file := tmp_path / "epochs.json")
        assert not set(Keyring(bytes(range(32)), file).blind("c", "v")) & set(ring.blind("c", "v"))
