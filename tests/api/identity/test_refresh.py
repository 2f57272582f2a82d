"""Refresh tokens: families that turn for citizens' apps, and end as one."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from api.tool.signing import Signer, fresh_key
from auth import refresh
from auth.granttables import refresh as table
from core import clock, jose
from tests.api.identity.app import BASE, World
from tests.api.identity.client import App
from tests.api.identity.walks import ahead, app_of, me, ready, refusal


async def walked(world: World) -> tuple[App, str]:
    """An app that was let in, and its first refresh token."""
    app = await ready(world)
    given = await app.given()
    app.caller.adopt(given)
    return app, given["refresh_token"]


async def renewed(app: App, value: str) -> str:
    """The next refresh token; the app uses the new access token."""
    answer = await app.renew(value)
    assert answer.status_code == 200, answer.text
    app.caller.adopt(answer.json())
    return answer.json()["refresh_token"]


class TestUse:
    """Another access token for a refresh token."""

    async def test_it_acts_for_the_same_citizen(self, world: World) -> None:
        """The new token is bound to the key, of the same scope and login, and opens /v1/me; the value is 384 bits."""
        app, first = await walked(world)
        before = jose.parse(app.caller.access_token or "").claims
        second = await renewed(app, first)
        after = jose.parse(app.caller.access_token or "").claims
        assert await me(app) == 200
        assert len({first, second}) == 2
        assert {len(first), len(second)} == {64}
        assert {name: after[name] for name in ("sub", "scope", "acr", "auth_time", "cnf", "aud")} == {
            name: before[name] for name in ("sub", "scope", "acr", "auth_time", "cnf", "aud")
        }

    async def test_only_the_hash_is_kept(self, world: World) -> None:
        """No row holds a token or a third of one."""
        _, first = await walked(world)
        rows = await world.operate(_all)
        assert first not in rows
        assert first[:22] not in rows

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"scope": "me records:write"}, "invalid_scope"),
            ({"scope": " "}, "invalid_scope"),
            ({"resource": "https://elsewhere.example"}, "invalid_target"),
            ({"refresh_token": ""}, "invalid_request"),
            ({"refresh_token": "A" * 64}, "invalid_grant"),
            ({"refresh_token": "ü" * 64}, "invalid_grant"),
            ({"refresh_token": "nonsense"}, "invalid_grant"),
            ({"client_id": "other-app"}, "invalid_grant"),
            ({"client_id": "library"}, "invalid_client"),
        ],
        ids=repr,
    )
    async def test_refused(self, world: World, changed: dict[str, str], code: str) -> None:
        """Nothing wider, nothing for another resource, nothing of another client; and the token stays good."""
        app, first = await walked(world)
        answer = await app.renew(**{"refresh_token": first, **changed})
        assert refusal(answer) == (401 if code == "invalid_client" else 400, code)
        assert (await app.renew(first)).status_code == 200

    async def test_an_access_token_is_none(self, world: World) -> None:
        """An access token in its place is unknown."""
        app, _ = await walked(world)
        assert refusal(await app.renew(app.caller.access_token or "")) == (400, "invalid_grant")

    async def test_a_thief_without_the_key(self, world: World) -> None:
        """A stolen token is worth nothing without the key, old or new, and cannot even log the citizen out."""
        app, first = await walked(world)
        second = await renewed(app, first)
        thief = app_of(world)
        for stolen in (first, second):
            assert refusal(await thief.renew(stolen)) == (400, "invalid_grant")
        assert (await app.renew(second)).status_code == 200
        assert await me(app) == 200

    async def test_the_citizen_has_left(self, world: World) -> None:
        """Nobody acts for somebody who is not there any more."""
        app, first = await walked(world)
        gone = uuid.uuid4()
        which = {"gone": gone, "handle": refresh._handle(first)}
        await world.operate(
            lambda session: session.execute(
                text("update auth.refresh set citizen_id = :gone where handle = :handle"), which
            )
        )
        assert refusal(await app.renew(first)) == (400, "invalid_grant")

    async def test_ninety_days(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """However often it is used, after ninety days the citizen is asked again."""
        app, value = await walked(world)
        ahead(monkeypatch, app.caller.signer, days=89)
        value = await renewed(app, value)
        ahead(monkeypatch, app.caller.signer, days=1, seconds=1)
        assert refusal(await app.renew(value)) == (400, "invalid_grant")


async def _all(session: Any) -> str:
    return repr((await session.execute(select(table))).all())


class TestTurning:
    """RFC 9700, section 4.14.2; ASVS 10.4.5."""

    async def test_reuse_ends_the_family(self, world: World) -> None:
        """An old token that comes back after the next one was used ends all: new token and access tokens."""
        app, first = await walked(world)
        third = await renewed(app, await renewed(app, first))
        assert await me(app) == 200
        assert refusal(await app.renew(first)) == (400, "invalid_grant")
        assert await me(app) == 401
        assert refusal(await app.renew(third)) == (400, "invalid_grant")

    async def test_a_lost_answer(self, world: World) -> None:
        """A phone that did not hear the answer asks again with the old token and gets the same next one."""
        app, first = await walked(world)
        lost = (await app.renew(first)).json()["refresh_token"]
        again = await renewed(app, first)
        assert again == lost
        assert (await app.renew(again)).status_code == 200
        assert await me(app) == 200

    async def test_a_lost_answer_after_the_hour(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """After an hour an old token is an old token."""
        app, first = await walked(world)
        second = (await app.renew(first)).json()["refresh_token"]
        ahead(monkeypatch, app.caller.signer, seconds=refresh.RETRY.total_seconds() + 1)
        assert refusal(await app.renew(first)) == (400, "invalid_grant")
        assert refusal(await app.renew(second)) == (400, "invalid_grant")

    async def test_racers_agree(self, world: World) -> None:
        """Of 64 at once all get the same next token, so no tab of an app ends another's family."""
        app, first = await walked(world)
        await app.caller.nonce()
        answers = await asyncio.gather(*(app.renew(first) for _ in range(64)))
        assert {answer.status_code for answer in answers} == {200}
        (following,) = {answer.json()["refresh_token"] for answer in answers}
        assert (await app.renew(following)).status_code == 200

    async def test_old_and_new_racing(self, world: World) -> None:
        """Whatever the order of an old and a new token at once, an old one that comes later ends the family."""
        app, first = await walked(world)
        second = await renewed(app, first)
        answers = await asyncio.gather(app.renew(second), app.renew(second), app.renew(second))
        assert {answer.status_code for answer in answers} == {200}
        assert refusal(await app.renew(first)) == (400, "invalid_grant")
        assert refusal(await app.renew(second)) == (400, "invalid_grant")

    async def test_a_made_up_end(self, world: World) -> None:
        """Who knows a family's handle alone and has its key ends it, since no honest client makes tokens up."""
        app, first = await walked(world)
        forged = first[:22] + ("B" if first[22] != "B" else "C") + first[23:]
        assert refusal(await app.renew(forged)) == (400, "invalid_grant")
        assert refusal(await app.renew(first)) == (400, "invalid_grant")


class TestEnds:
    """What ends a family."""

    async def test_the_codes_replay(self, world: World) -> None:
        """A code that comes again takes back the refresh token, and what that gave since."""
        app = await ready(world)
        code = await app.code()
        given = (await app.redeem(code)).json()
        second = await renewed(app, given["refresh_token"])
        assert refusal(await app.redeem(code)) == (400, "invalid_grant")
        assert refusal(await app.renew(second)) == (400, "invalid_grant")
        assert await me(app) == 401

    @pytest.mark.parametrize("old", [False, True])
    async def test_giving_it_back(self, world: World, *, old: bool) -> None:
        """RFC 7009, section 2.1: a refresh token given back, also an old one, takes every access token with it."""
        app, first = await walked(world)
        second = await renewed(app, first)
        form = {"token": first if old else second, "token_type_hint": "access_token"}
        assert (await app.caller.post_signed("/oauth/revoke", form, confidential=False)).status_code == 200
        assert await me(app) == 401
        assert refusal(await app.renew(second)) == (400, "invalid_grant")

    async def test_giving_back_anothers(self, world: World) -> None:
        """Another client's refresh token is none of its business."""
        app, first = await walked(world)
        other = app_of(world, "other-app")
        answer = await other.caller.post_signed("/oauth/revoke", {"token": first}, confidential=False)
        assert answer.status_code == 200
        assert (await app.renew(first)).status_code == 200

    async def test_the_citizen_sees_and_ends_them(self, world: World) -> None:
        """A citizen's apps are listed with their names, end one by one, only one's own, and all at once."""
        app, first = await walked(world)
        other, second = await walked(world)

        async def look(session: Any) -> tuple[uuid.UUID, list[refresh.Held]]:
            query = select(table.c.citizen_id).where(table.c.handle == refresh._handle(first))
            citizen = await session.scalar(query)
            return citizen, await refresh.families(session, citizen)

        citizen, held = await world.operate(look)
        assert [one.client_name for one in held[:2]] == ["市民应用 app"] * 2  # the newest first
        newest, older = held[0], held[1]
        assert newest.expires_at - newest.began_at == timedelta(days=90)
        end = refresh.end_family
        assert not await world.operate(lambda session: end(session, newest.family, citizen_id=uuid.uuid4()))
        assert await world.operate(lambda session: end(session, newest.family, citizen_id=citizen))
        assert not await world.operate(lambda session: end(session, newest.family, citizen_id=citizen))
        assert refusal(await other.renew(second)) == (400, "invalid_grant")
        assert await me(other) == 401
        assert (await app.renew(first)).status_code == 200
        assert await world.operate(lambda session: refresh.end_all(session, citizen)) >= 1
        assert older.family not in {one.family for one in (await world.operate(look))[1]}
        assert await me(app) == 401

    async def test_a_disabled_client(self, world: World) -> None:
        """A disabled app renews nothing."""
        app, first = await walked(world)
        off = text("update auth.client set disabled_at = :at where client_id = 'app'")
        await world.operate(lambda session: session.execute(off, {"at": clock.wall()}))
        refused = await app.renew(first)
        await world.operate(lambda session: session.execute(off, {"at": None}))
        assert refusal(refused) == (401, "invalid_client")


class TestChain:
    """`refresh.Chain`."""

    def test_only_the_key_knows_what_follows(self, world: World) -> None:
        """The next token keeps the handle, changes the rest, and is another one under another key."""
        value = refresh._text(bytes(range(48)))
        chain = refresh.Chain(world.house.ring)
        following = chain.after(value)
        assert following == chain.after(value)
        assert refresh._handle(following) == refresh._handle(value)
        assert following[22:] != value[22:]
        assert refresh.looks_like_one(following)

    def test_shapes(self) -> None:
        """An access token is not taken for one."""
        signer = Signer(fresh_key(), client_id="x", issuer=BASE)
        assert not refresh.looks_like_one(signer.assertion())
        assert not refresh.looks_like_one("x" * 63)
