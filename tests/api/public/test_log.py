"""Anybody can keep a head and hold the city to it; a person can prove what was entered about them."""

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from api.worker import sealing
from core import checkpoint, merkle, sealer
from core.settings import ROOT
from tests.api.conftest import Server

EXAMPLE = ROOT / "docs" / "examples" / "verify_log.py"


async def check(server: Server, *words: Path) -> tuple[int, str]:
    """The outsider's check: exit status and what it said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), server.base_url, *map(str, words),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode()


async def entered(server: Server, me: httpx2.AsyncClient) -> Mapping[str, Any]:
    """Join, seal, and fetch the proof of the entry about it."""
    await server.join(me)
    await sealing.once(server.house)
    (one, *_) = (await me.get("/v1/me/accesses")).json()["accesses"]
    answer = await me.get(f"/v1/me/accesses/{one['id']}/proof")
    assert answer.status_code == 200, answer.text
    assert json.loads(answer.json()["entry"])["id"] == one["id"]
    return answer.json()


class TestHeads:
    """`/v1/rules/log`."""

    async def test_a_head_verifies_and_continues_the_one_before(self, lone_server: Server) -> None:
        """By the published key; sizes beyond the log or the wrong way round are 422, before the first seal 404."""
        key = sealer.signing_key(lone_server.house.ring).public_key()
        async with httpx2.AsyncClient(base_url=lone_server.base_url) as http:
            assert (await http.get("/v1/rules/log/checkpoint")).status_code == 404
            await sealing.once(lone_server.house)
            old = checkpoint.verify((await http.get("/v1/rules/log/checkpoint")).text, key)
            async with lone_server.logged_in(lone_server.person()) as me:
                await lone_server.join(me)
            await sealing.once(lone_server.house)
            new = checkpoint.verify((await http.get("/v1/rules/log/checkpoint")).text, key)
            assert new.size > old.size
            sizes = {"old": old.size, "new": new.size}
            hashes = (await http.get("/v1/rules/log/proof/consistency", params=sizes)).json()["hashes"]
            proof = [b64decode(one) for one in hashes]
            assert merkle.continues(old.size, new.size, proof, old.root, new.root)
            for wrong in ((new.size, old.size), (-1, 1), (1, new.size + 1), (1, 10**30)):
                answer = await http.get("/v1/rules/log/proof/consistency", params=dict(zip(sizes, wrong, strict=True)))
                assert answer.status_code == 422


class TestProof:
    """`/v1/me/accesses/{id}/proof`."""

    async def test_ones_own_entry_is_proved(self, lone_server: Server) -> None:
        """Entry and salt make the leaf; the path leads to the signed root."""
        async with lone_server.logged_in(lone_server.person()) as me:
            proof = await entered(lone_server, me)
        head = checkpoint.verify(proof["checkpoint"], sealer.signing_key(lone_server.house.ring).public_key())
        leaf = merkle.leaf_hash(proof["entry"].encode() + b64decode(proof["salt"]))
        path = [b64decode(one) for one in proof["hashes"]]
        assert merkle.includes(leaf, proof["index"], head.size, path, head.root)

    async def test_others_entries_and_unsealed_ones_are_not(self, lone_server: Server) -> None:
        """Somebody else's answers like none; one's own of this second is 409 and worth asking again."""
        async with (
            lone_server.logged_in(lone_server.person()) as me,
            lone_server.logged_in(lone_server.person()) as other,
        ):
            await lone_server.join(me)
            (one, *_) = (await me.get("/v1/me/accesses")).json()["accesses"]
            early = await me.get(f"/v1/me/accesses/{one['id']}/proof")
            assert (early.status_code, early.json()["code"], early.json()["retryable"]) == (409, "not_sealed_yet", True)
            await sealing.once(lone_server.house)
            assert (await other.get(f"/v1/me/accesses/{one['id']}/proof")).status_code == 404


class TestOutsider:
    """docs/examples/verify_log.py, which imports nothing of ours."""

    def test_it_is_short_enough_to_read(self) -> None:
        """A hundred and ten lines at the most, and no import of ours."""
        text = EXAMPLE.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 110
        assert not any(f"import {room}" in text or f"from {room}" in text for room in ("core", "api", "auth"))

    async def test_it_keeps_heads_and_holds_the_city_to_them(self, lone_server: Server, tmp_path: Path) -> None:
        """First head, grown log, an entry of one's own; an altered proof, a rewritten past and a cut are found."""
        kept, mine = tmp_path / "heads", tmp_path / "proof.json"
        await sealing.once(lone_server.house)
        assert (await check(lone_server, kept))[0] == 0
        async with lone_server.logged_in(lone_server.person()) as me:
            proof = await entered(lone_server, me)
        mine.write_text(json.dumps(proof), encoding="utf-8")
        status, said = await check(lone_server, kept, mine)
        assert status == 0, said
        assert "continues 2 heads; 1 entries are in it" in said
        mine.write_text(json.dumps({**proof, "entry": proof["entry"].replace("done", "none")}), encoding="utf-8")
        assert await check(lone_server, kept, mine) == (1, "the entry is not in the log\n")
        await self._rewrite(lone_server)
        status, said = await check(lone_server, kept)
        assert (status, "does not continue" in said) == (1, True), said
        owner = await asyncpg.connect(lone_server.owner_url)
        await owner.execute("delete from core.audit_head where size > 1")
        await owner.execute("delete from core.audit_head where size = 1")
        key = sealer.signing_key(lone_server.house.ring)
        root = await owner.fetchval("select hash from core.audit_leaf where seq = 0")
        note = checkpoint.sign(checkpoint.Checkpoint("osmanthus/990000", 1, root, sealer.clock.civil()), key)
        await owner.execute("insert into core.audit_head values (1, $1, $2, now(), 0)", root, note)
        await owner.close()
        status, said = await check(lone_server, kept)
        assert (status, "the log was cut" in said) == (1, True), said

    async def _rewrite(self, server: Server) -> None:
        """Another first leaf, and a head signed over it by whoever has the key."""
        owner = await asyncpg.connect(server.owner_url)
        await owner.execute("update core.audit_leaf set hash = sha256('another') where seq = 0")
        hashes = [row[0] for row in await owner.fetch("select hash from core.audit_leaf order by seq")]
        frontier = merkle.Frontier()
        for one in hashes:
            frontier.append(one)
        await owner.execute("insert into core.audit_leaf values ($1, gen_random_uuid(), $2)", len(hashes), hashes[0])
        frontier.append(hashes[0])
        head = checkpoint.Checkpoint("osmanthus/990000", frontier.size, frontier.root(), sealer.clock.civil())
        note = checkpoint.sign(head, sealer.signing_key(server.house.ring))
        await owner.execute(
            "insert into core.audit_head values ($1, $2, $3, now(), 0)", frontier.size, frontier.root(), note
        )
        await owner.close()
