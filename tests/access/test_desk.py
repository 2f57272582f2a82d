"""What the office's functions give to whom: a live token of their scope, and nobody else. By the staff door's login."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from core import db, ids

EVER = {"from_at": datetime(2000, 1, 1, tzinfo=UTC), "until_at": datetime(2100, 1, 1, tzinfo=UTC)}
ASKED = {
    "staff:incidents": "select * from auth.persons_read(:token, :from_at, :until_at, null, array['review.read'])",
    "staff:audits": "select * from auth.count_entries(:token, :from_at, :until_at)",
}
SEARCH = "select * from auth.search_entries(:token, :from_at, :until_at, null, null, 10, 'x', '{}')"


async def lay(owner: AsyncSession, scope: str, *, role: str = "staff", ended: bool = False) -> bytes:
    """An entry about somebody, and a token; returns its hash."""
    await owner.execute(text(
        "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner) values "
        "(uuidv7(), now(), 'staff', 'x', 'review.read', 'review', 'shown', gen_random_uuid())"
    ))  # fmt: skip
    client_id, token = f"desk-{ids.new().hex}", ids.new().bytes * 2
    await owner.execute(
        text("insert into auth.client (client_id, role, name, public, scopes, kinds, perks, redirect_uris, jwks, "
             "created_at) values (:id, :role, 'x', false, '{}', '{}', '{}', '{}', '[]', now())"),
        {"id": client_id, "role": role},
    )  # fmt: skip
    await owner.execute(
        text("insert into auth.token (jti_hash, client_id, scope, expires_at, revoked_at) values "
             "(:token, :id, :scope, now() + interval '1 hour', case when cast(:ended as boolean) then now() end)"),
        {"token": token, "id": client_id, "scope": scope, "ended": ended},
    )  # fmt: skip
    return token


class TestFunctions:
    """Each proves the token by itself."""

    @pytest.mark.parametrize("scope", ASKED)
    async def test_a_live_token_of_the_scope_is_answered(self, owner_session: AsyncSession, scope: str) -> None:
        """And one of the other scope, of another role, or that has ended gets nothing."""
        other = next(name for name in ASKED if name != scope)
        good = await lay(owner_session, scope)
        bad = [
            await lay(owner_session, other),
            await lay(owner_session, scope, role="partner"),
            await lay(owner_session, scope, ended=True),
            bytes(32),
        ]
        query = text(ASKED[scope])
        assert (await owner_session.execute(query, {"token": good, **EVER})).all()
        for token in bad:
            assert (await owner_session.execute(query, {"token": token, **EVER})).all() == []

    async def test_a_search_tells_everybody_it_found_in_the_statement_that_answers(
        self, owner_session: AsyncSession
    ) -> None:
        """No hit without its entry; no entry for a token without the scope."""
        counted = text("select count(*) from core.audit_entry where action = 'audit.search'")
        wrong = await lay(owner_session, "staff:incidents")
        assert (await owner_session.execute(text(SEARCH), {"token": wrong, **EVER})).all() == []
        assert await owner_session.scalar(counted) == 0
        good = await lay(owner_session, "staff:audits")
        hits = (await owner_session.execute(text(SEARCH), {"token": good, **EVER})).all()
        assert [hit.about_person for hit in hits] == [True, True]
        assert await owner_session.scalar(counted) == 2

    async def test_what_was_denied_was_not_read(self, owner_session: AsyncSession) -> None:
        """A refused act counts for nobody's breach."""
        good = await lay(owner_session, "staff:incidents")
        query = text(ASKED["staff:incidents"])
        before = len((await owner_session.execute(query, {"token": good, **EVER})).all())
        await owner_session.execute(text(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner) values "
            "(uuidv7(), now(), 'staff', 'x', 'review.read', 'review', 'denied', gen_random_uuid())"
        ))  # fmt: skip
        assert len((await owner_session.execute(query, {"token": good, **EVER})).all()) == before == 1

    async def test_nobody_is_looked_for_as_an_actor(self, owner_session: AsyncSession) -> None:
        """Citizens and relatives are no actors to search for, and none is named in a hit."""
        good = await lay(owner_session, "staff:audits")
        for kind in ("citizen", "proxy"):
            await owner_session.execute(
                text("insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome) "
                     "values (uuidv7(), now(), :kind, 'ann', 'export', 'x', 'done')"),
                {"kind": kind},
            )  # fmt: skip
        by_name = SEARCH.replace("null, null", "'ann', null")
        assert (await owner_session.execute(text(by_name), {"token": good, **EVER})).all() == []
        hits = (await owner_session.execute(text(SEARCH), {"token": good, **EVER})).all()
        assert {hit.actor for hit in hits if hit.actor_kind in {"citizen", "proxy"}} == {None}


class TestStaffDoor:
    """Without the functions."""

    @pytest.mark.parametrize(
        "statement",
        [
            "select * from core.audit_entry",
            "select count(*) from core.audit_entry",
            "delete from core.incident",
            "update core.incident set persons = 0",
            "select auth.note_refused('x', gen_random_uuid(), '{}')",
        ],
    )
    async def test_nothing_of_the_log_is_read_or_bent(self, shared_doors: db.Doors, statement: str) -> None:
        """Not an entry, not a number of an incident, not somebody else's refusal."""
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with shared_doors.work("staff") as session:
                await session.execute(text(statement))
