"""Keys come back after a restart, personal keys die for good."""

import json
import stat
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from core import ids, keys
from core.keys import KeyGone, Keyring, make_epochs


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


class TestMakeEpochs:
    """The epoch file."""

    def test_it_is_private_and_never_overwritten(self, tmp_path: Path) -> None:
        """Mode 0600; a second call leaves the keys alone, since they open what is stored."""
        file = tmp_path / "epochs.json"
        make_epochs(file)
        before = file.read_text()
        make_epochs(file)
        assert file.read_text() == before
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


class TestPersonalKeys:
    """One random key per person and purpose."""

    async def test_a_key_is_made_once_and_fetched_again(self, citizen_session: AsyncSession, ring: Keyring) -> None:
        """Asking twice gives the same key, another purpose another one."""
        owner = ids.new()
        made = await keys.make(citizen_session, ring, owner=owner, purpose="records")
        assert await keys.fetch(citizen_session, ring, owner=owner, purpose="records") == made
        assert await keys.make(citizen_session, ring, owner=owner, purpose="records") == made
        assert await keys.make(citizen_session, ring, owner=owner, purpose="identity") != made

    async def test_a_destroyed_key_is_gone(self, citizen_session: AsyncSession, ring: Keyring) -> None:
        """After destroying there is nothing to open with."""
        owner = ids.new()
        await keys.make(citizen_session, ring, owner=owner, purpose="records")
        await keys.destroy(citizen_session, owner=owner, purpose="records")
        with pytest.raises(KeyGone):
            await keys.fetch(citizen_session, ring, owner=owner, purpose="records")

    async def test_a_destroyed_epoch_takes_its_keys_with_it(
        self, citizen_session: AsyncSession, ring: Keyring, tmp_path: Path
    ) -> None:
        """A ring without the epoch cannot unwrap, even with the row (as in an old backup)."""
        owner = ids.new()
        await keys.make(citizen_session, ring, owner=owner, purpose="records")
        file = tmp_path / "epochs.json"
        make_epochs(file)
        held = json.loads(file.read_text())
        file.write_text(json.dumps({"current": 2, "keys": {"2": held["keys"]["1"]}}))
        later = Keyring(bytes(range(32)), file)
        with pytest.raises(KeyGone):
            await keys.fetch(citizen_session, later, owner=owner, purpose="records")
