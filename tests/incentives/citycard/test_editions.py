"""Entitlement lists: whom a gate lets through, what a withdrawal changes, and what nobody can read in them."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from core.bitlist import BitList
from core.db import Doors
from incentives.citycard import editions, stock
from incentives.citycard.editions import DeltaGone, Edition
from incentives.citycard.entrance import Entrance
from incentives.eligibility import TokenDead
from tests.cardworld import OPERATOR, bound, card_of, operator
from tests.gateworld import LIBRARY, World, world

KEY = bytes(32)


class Gate:
    """An operator's way in."""

    def __init__(self, city: World, pool: asyncpg.Pool, token: bytes) -> None:
        """`token` is live."""
        self.city, self.pool, self.token, self.entrance = city, pool, token, Entrance(pool)

    async def issue(self, *digests: bytes) -> list[int]:
        """Places."""
        return await stock.issue(self.entrance, token=self.token, digests=digests)

    async def list(self, since: int | None = None) -> Edition:
        """The edition of now."""
        return await editions.newest(self.pool, KEY, token=self.token, perk=LIBRARY, since=since)


@pytest_asyncio.fixture
async def gate(database: str, doors: Doors) -> AsyncIterator[Gate]:
    """A perk in force and an operator."""
    async with world(database) as city:
        await city.perk()
        yield Gate(city, await doors.pool("citycard"), await operator(city))


class TestStock:
    """Places."""

    async def test_every_number_has_a_place_that_stays_and_tells_nothing(self, gate: Gate) -> None:
        """Bound or not: different places, the same on repeating, in no order, and nobody's stay the most."""
        _, known = await bound(gate.city)
        digests = [known, *(secrets.token_bytes(32) for _ in range(200))]
        places = await gate.issue(*digests)
        assert len(set(places)) == 201
        assert await gate.issue(*reversed(digests)) == places[::-1]
        assert places != sorted(places)
        size = (await gate.list()).held
        assert len(size) >= 2 * 201
        assert max(places) > len(size) // 2  # not the first ones

    async def test_two_who_register_at_once_get_no_place_twice(self, gate: Gate) -> None:
        """Twenty requests side by side, half of them the same."""
        lots = [[secrets.token_bytes(32) for _ in range(20)] for _ in range(10)]
        answers = await asyncio.gather(*(gate.issue(*lot) for lot in [*lots, *lots]))
        assert answers[:10] == answers[10:]
        assert len({place for answer in answers for place in answer}) == 200

    async def test_lists_grow_and_places_stay(self, gate: Gate) -> None:
        """When half the places would be taken the list doubles; a delta over that is refused."""
        (first,) = await gate.issue(b"1")
        old = await gate.list()
        await gate.city.do("update incentives.card_space set size = 4")
        await gate.city.do("update incentives.issued_card set place = 3")
        await gate.list()
        assert len(set(await gate.issue(b"1", b"2", b"3", b"4", b"5"))) == 5
        assert (await gate.issue(b"1"))[0] == 3 != first
        assert len((await gate.list()).held) == 16
        with pytest.raises(DeltaGone):
            await gate.list(since=old.seq)


class TestRule:
    """Who is let through."""

    async def test_it_is_who_a_check_would_grant(self, gate: Gate) -> None:
        """A bound card, a live consent for this operator and perk, and enough points; every other card is 0."""
        city = gate.city
        _, granted = await bound(city)
        low = (await bound(city, points=1099))[1]
        held = (await bound(city, held=True))[1]
        silent = (await bound(city, share=False))[1]
        elsewhere, other = await bound(city, share=False)
        await city.consent(elsewhere, "share:another/" + LIBRARY)
        late, expired = await bound(city, share=False)
        await city.consent(late, f"share:{OPERATOR}/{LIBRARY}", expires_in=timedelta(seconds=-1))
        gone, withdrawn = await bound(city)
        await city.do("insert into auth.consent_end (consent_id, reason, at) select id, 'withdrawn', now() "
                      "from auth.consent where citizen_id = :c and purpose = 'score'", c=gone)  # fmt: skip
        lost, _ = await bound(city)
        lost_card = await card_of(city, lost, lost_at=(await city.rows("select now() as n"))[0]["n"])
        places = await gate.issue(granted, low, held, silent, other, expired, withdrawn, lost_card, b"unbound")
        bits = (await gate.list()).held
        assert [bits[place] for place in places] == [1, 0, 0, 0, 0, 0, 0, 0, 0]

    async def test_who_owes_something_of_this_perk_waits(self, gate: Gate) -> None:
        """An order in default pauses the perk on the list, too."""
        citizen, digest = await bound(gate.city)
        (place,) = await gate.issue(digest)
        assert (await gate.list()).held[place] == 1
        await gate.city.do(
            "do $$ begin execute (select 'alter table incentives.perk_order ' || string_agg("
            "format('alter %I drop not null', attname), ', ') from pg_attribute where attrelid = "
            "'incentives.perk_order'::regclass and attnum > 0 and not attisdropped and attnotnull "
            "and attname <> 'id'); end $$"
        )
        await gate.city.do(
            "insert into incentives.perk_order (id, citizen_id, perk_id, status) "
            "values (gen_random_uuid(), :c, :p, 'defaulted')", c=citizen, p=LIBRARY,
        )  # fmt: skip
        assert (await gate.list()).held[place] == 0

    async def test_a_perk_that_is_closed_lets_nobody_through(self, gate: Gate) -> None:
        """A newer line rules from its day on."""
        (place,) = await gate.issue((await bound(gate.city))[1])
        assert (await gate.list()).held[place] == 1
        await gate.city.perk(closed=True)
        assert (await gate.list()).held[place] == 0

    async def test_a_lost_number_is_0_and_a_replaced_one_hands_its_holder_on(self, gate: Gate) -> None:
        """By the operator's word: each holder reads it; a stranger's number and one of another operator do nothing."""
        anna, first = await bound(gate.city)
        places = await gate.issue(first, b"old stock")
        new = await stock.replace(gate.entrance, token=gate.token, old=first, new=b"n" * 32, sealed_number=b"s")
        bits = (await gate.list()).held
        assert (bits[places[0]], bits[new]) == (0, 1)
        assert new != places[0]
        await stock.lose(gate.entrance, token=gate.token, digest=b"n" * 32)
        assert (await gate.list()).held[new] == 0
        foreign, theirs = await bound(gate.city)
        await stock.lose(gate.entrance, token=gate.token, digest=theirs)
        assert (await gate.city.rows("select lost_at from auth.card where citizen_id = :c", c=foreign))[0] == {
            "lost_at": None
        }
        told = await gate.city.rows("select action, owner from core.audit_entry where owner is not null order by id")
        assert [(one["action"], one["owner"]) for one in told] == [("card.replace", anna), ("card.lost", anna)]

    async def test_nobody_takes_a_holder_over_from_another_operator(self, gate: Gate) -> None:
        """Who registers another's number as well reports it lost or replaced on its own lists and nowhere else."""
        anna, card = await bound(gate.city)
        (place,) = await gate.issue(card)
        other = await operator(gate.city, "other-cards")
        await stock.issue(gate.entrance, token=other, digests=[card])
        await stock.replace(gate.entrance, token=other, old=card, new=b"t" * 32, sealed_number=b"s")
        await stock.lose(gate.entrance, token=other, digest=card)
        held = "select digest, lost_at from auth.card where citizen_id = :c"
        assert await gate.city.rows(held, c=anna) == [{"digest": card, "lost_at": None}]
        assert (await gate.list()).held[place] == 1


class TestWithdrawal:
    """What one consent is worth to somebody who compares."""

    async def test_removing_one_consent_changes_exactly_one_bit(self, gate: Gate) -> None:
        """Of a whole list, decoys included: that card's, at the next fetch; and nothing of the answers about cards."""
        people = [await bound(gate.city) for _ in range(6)]
        places = await gate.issue(*(digest for _, digest in people))
        before = await gate.list()
        await gate.city.do("insert into auth.consent_end (consent_id, reason, at) select id, 'withdrawn', now() from "
                           "auth.consent where citizen_id = :c and purpose like 'share:%'", c=people[2][0])  # fmt: skip
        after = await gate.list(since=before.seq)
        assert list(before.held.changed(after.held).ones()) == [places[2]]
        assert after.changed is not None
        assert list(after.changed.ones()) == [places[2]]
        assert await gate.issue(*(digest for _, digest in people)) == places

    async def test_a_card_of_nobody_and_one_of_somebody_who_keeps_silent_are_alike(self, gate: Gate) -> None:
        """Binding a card, and taking part, changes no list until that holder lets this operator know."""
        (place,) = await gate.issue(digest := b"x" * 32)
        before = await gate.list()
        citizen = await gate.city.citizen()
        await gate.city.do("insert into auth.citizen (id, acr, created_at) values (:c, 3, now())", c=citizen)
        await gate.city.do(
            "insert into auth.card (id, digest, citizen_id, sealed_number, salt, pin, bound_at, tries) "
            "values (gen_random_uuid(), :d, :c, '', '', '', now(), 0)", d=digest, c=citizen,
        )  # fmt: skip
        again = await gate.list()
        assert (again.seq, again.held) == (before.seq, before.held)
        await gate.city.consent(citizen, f"share:{OPERATOR}/{LIBRARY}")
        assert list(before.held.changed((await gate.list()).held).ones()) == [place]


class TestDeltas:
    """What changed."""

    async def test_a_delta_turns_an_old_list_into_the_newest(self, gate: Gate) -> None:
        """Over several editions, of which one takes back what another did; nothing new is an empty delta."""
        people = [await bound(gate.city) for _ in range(4)]
        await gate.issue(*(digest for _, digest in people))
        first = await gate.list()
        for points in (1000, 1300, 1000):
            await gate.city.do(
                "update scoring.standing set points = :p where citizen_id = :c", p=points, c=people[0][0]
            )
            await gate.list()
        newest = await gate.list(since=first.seq)
        assert newest.seq == first.seq + 3
        assert newest.changed is not None
        assert first.held.changed(newest.changed) == newest.held
        assert len(list(newest.changed.ones())) == 1
        nothing = await gate.list(since=newest.seq)
        assert (nothing.seq, nothing.changed) == (newest.seq, BitList(1, bytes(len(newest.held) // 8)))

    @pytest.mark.parametrize("since", [-1, 0, 9])
    async def test_what_is_too_old_or_never_was_is_refused(self, gate: Gate, since: int) -> None:
        """410: fetch the whole list."""
        await gate.list()
        with pytest.raises(DeltaGone):
            await gate.list(since=since)

    async def test_two_who_ask_at_once_get_one_edition(self, gate: Gate) -> None:
        """Six fetches side by side after one change: one number, one list."""
        await gate.issue((await bound(gate.city))[1])
        found = await asyncio.gather(*(gate.list() for _ in range(6)))
        assert {(one.seq, one.held.packed) for one in found} == {(1, found[0].held.packed)}


class TestWhoReads:
    """Entries and tokens."""

    async def test_every_fetch_leaves_one_entry_about_nobody_by_name(self, gate: Gate) -> None:
        """However many are on the list."""
        await gate.issue(*[(await bound(gate.city))[1] for _ in range(3)])
        await gate.list()
        await gate.list()
        rows = await gate.city.rows("select actor_kind, actor, action, purpose, owner from core.audit_entry")
        assert [tuple(row.values()) for row in rows] == [
            ("citycard", OPERATOR, "everyone.card_list", LIBRARY, None)
        ] * 2

    async def test_it_is_read_by_whoever_let_this_operator_know_and_by_nobody_else(
        self, gate: Gate, doors: Doors
    ) -> None:
        """At the citizen's door, by policy: not by somebody who takes part and keeps silent, nor after the end."""
        sharing, _ = await bound(gate.city)
        silent, _ = await bound(gate.city, share=False)
        await gate.list()
        await gate.city.do("insert into auth.consent_end (consent_id, reason, at) select id, 'withdrawn', now() from "
                           "auth.consent where citizen_id = :c and purpose like 'share:%'", c=sharing)  # fmt: skip
        await gate.list()
        for citizen, times in ((sharing, 1), (silent, 0)):
            _, proof = await gate.city.logged_in(citizen)
            async with doors.work("citizen", proof=proof) as session:
                driver = await (await session.connection()).exec_driver_sql(
                    "select count(*) from core.audit_entry where action = 'everyone.card_list'"
                )
                assert driver.scalar() == times

    async def test_a_dead_token_gets_nothing(self, gate: Gate) -> None:
        """Neither places, nor reports, nor lists; nor does a perk of another operator."""
        gate.token = b"dead"
        with pytest.raises(TokenDead):
            await gate.issue(b"1")
        with pytest.raises(TokenDead):
            await stock.lose(gate.entrance, token=b"dead", digest=b"1")
        with pytest.raises(TokenDead):
            await gate.list()
        assert await gate.city.rows("select 1 from core.audit_entry") == []
