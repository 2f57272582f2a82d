"""Entitlement lists of a city: built, signed, read and checked, and what a delta after 1,000 withdrawals weighs.

    .venv/bin/python benchmarks/citycard.py [cards]

Every card is bound to a citizen who takes part and lets the operator know; half of them reach the threshold. Rows are
laid set-wise by the owner; everything that is timed goes through the door `citycard` and its gate functions, on a
PostgreSQL with fsync. Answers are checked: the list has every card's own bit, the delta leads from the old list to the
new one, and 1,000 withdrawals changed the bits of those whose bit was 1 and no other.
"""

import asyncio
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import bitlist, db, embedded
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate
from core.signed import Signer
from incentives.citycard import editions, stock
from incentives.citycard.entrance import Entrance

PERK, OPERATOR, TOKEN = "transit.discount", "metrocard", bytes(32)
KEY = b"k" * 32
_LAID = """
insert into auth.client (client_id, role, name, public, scopes, kinds, perks, redirect_uris, jwks, created_at)
  values ('metrocard', 'citycard', 'x', false, '{citycard}', '{}', '{transit.discount}', '{}', '[]', now());
insert into auth.token (jti_hash, client_id, scope, expires_at)
  values (decode(repeat('00', 32), 'hex'), 'metrocard', 'citycard', now() + interval '1 day');
insert into core.release (id, kind, name, body, digest, effective_on, drafted_by, drafted_at, approved_by, approved_at)
  values (md5('r')::uuid, 'perks', 'x', 'x', 'x', '2026-01-01', 'a', now(), 'b', now());
insert into incentives.perk (perk_id, release_id, effective_on, approved_at, threshold, cap, over_cap, closed)
  values ('transit.discount', md5('r')::uuid, '2026-01-01', now(), 1100, 100, 'part', false);
insert into auth.citizen (id, acr, created_at) select md5('c' || n)::uuid, 3, now() from generate_series(1, :cards) n;
insert into auth.consent
    (id, citizen_id, purpose, one_use, notice_version, notice_digest, sources, given_at, expires_at, receipt)
  select md5(p || n)::uuid, md5('c' || n)::uuid, p, false, 1, '', '{}', now(), now() + interval '1 year', ''
  from generate_series(1, :cards) n, unnest(array['score', 'share:metrocard/transit.discount']) p;
insert into scoring.standing (citizen_id, consent_id, scorecard, points, tier, held, as_of, computed_at)
  select md5('c' || n)::uuid, md5('score' || n)::uuid, 'd', 1090 + n % 2 * 20, 'x', false, '2026-01-01', now()
  from generate_series(1, :cards) n;
insert into auth.card (id, digest, citizen_id, sealed_number, salt, pin, bound_at, tries)
  select md5('k' || n)::uuid, sha256(n::text::bytea), md5('c' || n)::uuid, '', '', '', now(), 0
  from generate_series(1, :cards) n;
"""
_PLACED = """
insert into incentives.card_space values ('metrocard', :size);
insert into incentives.issued_card (operator_id, digest, place)
  select 'metrocard', sha256(n::text::bytea),
    2 * row_number() over (order by md5('p' || n)) - 1 - get_byte(sha256(n::text::bytea), 0) % 2
  from generate_series(1, :cards) n;
"""
_GONE = """
insert into auth.consent_end (consent_id, reason, at)
  select md5('share:metrocard/transit.discount' || n)::uuid, 'withdrawn', now() from generate_series(1, 2000, 2) n
"""


@contextmanager
def timed(what: str) -> Generator[None]:
    """Print milliseconds of the wall's clock and of this process's CPU."""
    wall, ours = time.perf_counter(), time.process_time()
    yield
    wall, ours = time.perf_counter() - wall, time.process_time() - ours
    print(f"{what:52} {wall * 1000:10,.1f} ms   {ours * 1000:10,.1f} ms CPU of this process")


async def lay(owner: asyncpg.Connection, cards: int) -> None:
    """A city of holders."""
    size = 131072
    while size < 2 * cards:
        size *= 2
    for statement in (_LAID + _PLACED).split(";\n"):
        if statement.strip():
            await owner.execute(statement.replace(":cards", str(cards)).replace(":size", str(size)))
    await owner.execute("vacuum analyze")


async def run(pool: asyncpg.Pool, owner: asyncpg.Connection, ring: Keyring) -> None:
    """Everything that is timed."""
    with timed("5,000 more cards registered"):
        await stock.issue(
            Entrance(pool), token=TOKEN, digests=[hashlib.sha256(b"s%d" % n).digest() for n in range(5000)]
        )
    with timed("first list: decided, composed, kept"):
        first = await editions.newest(pool, KEY, token=TOKEN, perk=PERK, since=None)
    with timed("the same list again"):
        again = await editions.newest(pool, KEY, token=TOKEN, perk=PERK, since=None)
    assert (again.seq, again.held) == (first.seq, first.held)
    signer = Signer(ring.ed25519("rcpt-1"), "entitlement-list+jwt")
    with timed("packed and signed"):
        signed = signer.sign({"perk": PERK, "status_list": bitlist.encode(first.held)})
    print(f"{'bytes of the signed list':52} {len(signed):10,}")
    members = bitlist.encode(first.held)
    with timed("a gate unpacks it"):
        gate = bitlist.decode(members)
    rows = await owner.fetch(
        "select place, n % 2 as bit from incentives.issued_card "
        "join generate_series(1, 20000) n on sha256(n::text::bytea) = digest"
    )
    began = time.perf_counter()
    bits = [gate[row["place"]] for row in rows]
    print(f"{'one check at a gate':52} {(time.perf_counter() - began) / len(rows) * 1e6:10,.2f} µs")
    assert bits == [row["bit"] for row in rows]
    await owner.execute(_GONE)
    with timed("list and delta after 1,000 withdrawals"):
        delta = await editions.newest(pool, KEY, token=TOKEN, perk=PERK, since=first.seq)
    assert delta.changed is not None
    assert len(list(delta.changed.ones())) == 1000
    assert first.held.changed(delta.changed) == delta.held
    signed = signer.sign({"perk": PERK, "changed": bitlist.encode(delta.changed)})
    print(f"{'bytes of the signed delta':52} {len(signed):10,}")


async def main(cards: int) -> None:
    """Build, measure, check."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    make_epochs(home / "epochs.json")
    ring = Keyring(bytes(range(32)), home / "epochs.json")
    with embedded.running(home / "pg", durable=True) as cluster:
        owner = await asyncpg.connect(cluster.dsn())
        await migrate.upgrade(cluster.dsn(), role_prefix="bench")
        await db.arm(cluster.dsn(), ring, "bench")
        with timed(f"(laying {cards:,} bound cards)"):
            await lay(owner, cards)
        doors = db.Doors(cluster.dsn(), ring, "bench", size=2)
        await run(await doors.pool("citycard"), owner, ring)
        await doors.close()
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
