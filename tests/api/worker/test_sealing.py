"""The log is sealed while the city works, its heads leave the house, and a cut log is not continued."""

from pathlib import Path

import asyncpg
import httpx2
import msgspec
import pytest

from api.deps import House
from api.worker import sealing
from core import audit, checkpoint, heads, ids, sealer
from core.audit import Actor
from core.heads import Cut
from tests.api.conftest import Server


def keeping(server: Server, path: Path) -> House:
    """The server's house, with its heads kept in a file."""
    return msgspec.structs.replace(
        server.house, settings=msgspec.structs.replace(server.house.settings, log_heads=path)
    )


async def enter(house: House) -> None:
    """One entry."""
    async with house.doors.work("staff") as session:
        await audit.write(session, actor=Actor("staff", "x"), action="a", purpose="p", outcome="o")


class TestOnce:
    """A round."""

    async def test_every_head_is_in_the_file(self, lone_server: Server, tmp_path: Path) -> None:
        """Signed by the published key, each continuing the one before; also without a file the log is sealed."""
        path = tmp_path / "heads.txt"
        house = keeping(lone_server, path)
        await sealing.once(house)
        await enter(house)
        await sealing.once(lone_server.house)  # a worker without the file, or one that was killed before writing it
        await enter(house)
        await sealing.once(house)
        key = sealer.signing_key(house.ring).public_key()
        sizes = [checkpoint.verify(note, key).size for note in heads.read(path)]
        assert len(sizes) == 3
        assert sizes == [sizes[0], sizes[0] + 1, sizes[0] + 2]

    async def test_a_cut_log_is_not_continued(self, lone_server: Server, tmp_path: Path) -> None:
        """When heads over more entries were published than the database holds, nothing is signed any more."""
        house = keeping(lone_server, tmp_path / "heads.txt")
        await sealing.once(house)
        await enter(house)
        await sealing.once(house)
        owner = await asyncpg.connect(lone_server.owner_url)
        size = await owner.fetchval("select max(size) from core.audit_head")
        await owner.execute("delete from core.audit_head where size = $1", size)
        await owner.execute("delete from core.audit_leaf where seq >= $1", size - 1)
        await enter(house)
        with pytest.raises(Cut, match=f"but a head over {size} was published"):
            await sealing.once(house)
        assert await owner.fetchval("select max(size) from core.audit_head") == size - 1
        await owner.close()


class TestLag:
    """Whoever waits too long is told."""

    async def test_readiness_warns_of_entries_without_a_seal(self, lone_server: Server) -> None:
        """Ready all the same, with a sentence for the operator and a number for the alarm; sealed, it is silent."""
        await sealing.once(lone_server.house)
        owner = await asyncpg.connect(lone_server.owner_url)
        old = ids.new().int - (300_000 << 80)
        await owner.execute(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome) "
            "values ($1, now(), 'system', 'x', 'a', 'p', 'o')",
            ids.uuid.UUID(int=old),
        )
        await owner.close()
        async with httpx2.AsyncClient(base_url=lone_server.base_url) as http:
            answer = await http.get("/healthz/ready")
            assert answer.status_code == 200
            (warning,) = answer.json()["warnings"]
            assert "waiting for their seal" in warning
            assert "osmanthus_log_unsealed_seconds 3" in (await http.get("/metrics")).text
            await sealing.once(lone_server.house)
            assert (await http.get("/healthz/ready")).json() == {"status": "ok"}
