"""DPoP proofs and nonces without HTTP: what the store's memory means. Claims are proved in tests/api/identity."""

import asyncio

import asyncpg
import pytest

from api.tool.signing import Signer, fresh_key
from auth import dpop
from auth.refusals import NonceWanted, ProofRefused
from core import db
from core.short.postgres import PostgresStore
from tests.conftest import PREFIX

URL = "https://credit.example.city/v1/x"


def store(database: str, doors: db.Doors) -> PostgresStore:
    """A store of a process of its own."""
    return PostgresStore(db.door_url(database, doors.ring, PREFIX, "auth"), size=4)


async def prove(short: PostgresStore, doors: db.Doors, signer: Signer, proof: str | None = None) -> dpop.Proof:
    """Check a proof that holds but for what the test changes."""
    nonces = dpop.Nonces(doors.ring, short)
    signer.nonce = signer.nonce or await nonces.current()
    sent = proof or signer.proof("GET", URL, access_token="at")
    return await dpop.check([sent], method="GET", url=URL, nonces=nonces, short=short, access_token="at")


class TestCheck:
    """`dpop.check`."""

    async def test_one_of_racing_copies(self, database: str, doors: db.Doors) -> None:
        """Of 32 copies of one proof at two processes at once, one is taken."""
        first, second = store(database, doors), store(database, doors)
        signer = Signer(fresh_key(), client_id="x", issuer="x")
        signer.nonce = await dpop.Nonces(doors.ring, first).current()
        proof = signer.proof("GET", URL, access_token="at")
        tries = [prove(short, doors, signer, proof) for short in (first, second) for _ in range(16)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, dpop.Proof) for one in done) == 1
        assert sum(isinstance(one, ProofRefused) for one in done) == 31
        await asyncio.gather(first.close(), second.close())

    async def test_a_store_that_forgot(self, database: str, doors: db.Doors) -> None:
        """When the memory of seen proofs is lost, every proof of before fails with it."""
        signer = Signer(fresh_key(), client_id="x", issuer="x")
        before = store(database, doors)
        proof = signer.proof("GET", URL, access_token="at", nonce=await dpop.Nonces(doors.ring, before).current())
        assert (await prove(before, doors, signer, proof)).jkt == signer.jkt
        await before.close()
        owner = await asyncpg.connect(database)
        await owner.execute("truncate core.short_claim, core.short_epoch")
        await owner.close()
        after = store(database, doors)
        with pytest.raises(NonceWanted):
            await prove(after, doors, signer, proof)
        await after.close()

    @pytest.mark.parametrize(
        "other",
        ["https://credit.example.city:443/v1/x", "HTTPS://Credit.Example.City/v1/%78?a=1#b"],
    )
    async def test_addresses_alike(self, database: str, doors: db.Doors, other: str) -> None:
        """Default port, case of the host, escapes, query and fragment make no other address (RFC 3986, 6.2)."""
        short = store(database, doors)
        signer = Signer(fresh_key(), client_id="x", issuer="x")
        nonce = await dpop.Nonces(doors.ring, short).current()
        proof = signer.proof("GET", URL, access_token="at", htu=other, nonce=nonce)
        assert (await prove(short, doors, signer, proof)).jkt == signer.jkt
        await short.close()
