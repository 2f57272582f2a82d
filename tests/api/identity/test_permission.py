"""A partner asks for a standing consent: request, page, decision, tokens, use, end (RFC 9396)."""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from core import clock, ids, jose
from tests.api.identity.app import BASE, LIBRARY, SHARED, World
from tests.api.identity.client import App, Partner, answer_of, detail, follow, submit
from tests.api.identity.walks import partner, ready, refusal

CHECK = "/v1/partner/eligibility"
LATER = f"{clock.today() + timedelta(days=40)}T00:00:00+08:00"


async def joined(world: World, login: str = "bo") -> App:
    """Somebody who takes part, through an app."""
    app = await ready(world, login)
    app.caller.adopt(await app.given())
    app.browser.cookies.clear()
    notice = (await app.browser.get("/v1/rules/notices/score/1")).json()
    body = {
        "purpose": "score",
        "notice": {"version": notice["version"], "digest": notice["digest"]},
        "expires_on": (clock.today() + timedelta(days=300)).isoformat(),
    }
    answer = await app.caller.request("POST", "/v1/me/consents", json=body)
    assert answer.status_code == 201, answer.text
    return app


async def check(asker: Partner, given: dict[str, Any], **changed: Any) -> httpx2.Response:
    """Ask with a grant's token about the holder that it is for."""
    asker.caller.adopt(given)
    asker.browser.cookies.clear()
    subject = given["authorization_details"][0]["subject"]
    return await asker.caller.request("POST", CHECK, json={"perk": SHARED, "holder": {"subject": subject}, **changed})


async def withdraw(app: App, given: dict[str, Any]) -> None:
    """End the consent of a grant."""
    app.browser.cookies.clear()
    answer = await app.caller.request("DELETE", f"/v1/me/consents/{given['grant_id']}")
    assert answer.json()["state"] == "withdrawn"


async def days_later(world: World, given: dict[str, Any]) -> None:
    """Let the civil day of the consent's end be yesterday."""
    moved = text("update auth.consent_end set at = at - interval '1 day' where consent_id = :id")
    await world.operate(lambda session: session.execute(moved, {"id": ids.read("co", given["grant_id"])}))


class TestRequest:
    """What a partner may push."""

    @pytest.mark.parametrize(
        "said",
        [
            "",
            "{}",
            "[]",
            "null",
            "[1]",
            "[[]]",
            "not json",
            '"' + "[" * 3000 + '"',
            "[" * 3000,
            json.dumps([detail(), detail()]),
            json.dumps([detail(type="account_information")]),
            json.dumps([detail(type=None)]),
            json.dumps([detail(points={"min": 120})]),
            json.dumps([detail(subject="su_00000000000000000000000000")]),
            json.dumps([detail(purpose="advertising")]),
            json.dumps([detail(purpose=None)]),
            json.dumps([detail(perk="rental.deposit-free")]),
            json.dumps([detail(perk="library.unknown")]),
            json.dumps([detail(locations=["https://elsewhere.example/v1"])]),
            json.dumps([detail(locations=[f"{BASE}/v1", f"{BASE}/v1"])]),
            json.dumps([detail(locations=[])]),
            json.dumps([detail(actions=["verify", "list"])]),
            json.dumps([detail(actions=["list"])]),
            json.dumps([detail(expires_at=None)]),
            json.dumps([detail(expires_at="2099-01-01T00:00:00Z")]),
            json.dumps([detail(expires_at="2020-01-01T00:00:00Z")]),
            json.dumps([detail(expires_at="0001-01-01T00:00:00+14:00")]),
            json.dumps([detail(expires_at="9999-12-31T23:59:59-14:00")]),
            json.dumps([detail(expires_at=f"{clock.today() + timedelta(days=1)}T23:00:00+08:00")]),
            json.dumps([detail(expires_at=LATER[:-6])]),
            json.dumps([detail(expires_at=1)]),
            json.dumps([detail(retention=None)]),
            json.dumps([detail(retention="P9999D")]),
            json.dumps([detail(retention="forever")]),
            json.dumps([detail(frequency={"max": 0, "per": "P1D"})]),
            json.dumps([detail(frequency={"max": 1, "per": "PT1S"})]),
            json.dumps([detail(frequency={"max": 1, "per": "P1D", "of": "all"})]),
            json.dumps([detail(purpose="ü" * 40)]),
        ],
    )
    async def test_refused(self, world: World, said: str) -> None:
        """One closed object of the one type, for the partner's own purpose and perk, of our resource, with an end."""
        asker = await partner(world, login=None)
        code = "invalid_authorization_details" if said else "invalid_request"
        answer = await asker.push(authorization_details=said)
        assert refusal(answer) == (400, code)
        assert answer.json()["error_description"].isascii()
        assert '"' not in answer.json()["error_description"]

    async def test_a_year_and_no_day_more(self, world: World) -> None:
        """Twelve months from today is the longest (no consent for life)."""
        asker = await partner(world, login=None)
        today = clock.today()
        last = today.replace(year=today.year + 1) + timedelta(days=1)
        for day, status in ((last, 201), (last + timedelta(days=1), 400)):
            asker.detail = detail(expires_at=f"{day}T00:00:00+08:00")
            assert (await asker.push()).status_code == status

    async def test_another_partners_purpose(self, world: World) -> None:
        """A registered purpose of another partner is not this one's."""
        asker = await partner(world, "library", login=None)
        asker.detail = detail(purpose="rental-deposit-free")
        assert refusal(await asker.push()) == (400, "invalid_authorization_details")

    @pytest.mark.parametrize("scope", ["me", "orders:write", "eligibility:check orders:write"])
    async def test_other_scopes(self, world: World, scope: str) -> None:
        """A request to a citizen has one scope."""
        assert refusal(await (await partner(world, login=None)).push(scope=scope)) == (400, "invalid_scope")

    async def test_an_app_asks_by_scope(self, world: World) -> None:
        """A citizens' app has no details to ask for."""
        answer = await (await ready(world)).push(authorization_details=json.dumps([detail()]))
        assert refusal(answer) == (400, "invalid_authorization_details")


class TestPage:
    """What the citizen reads."""

    async def test_it_says_all_that_the_law_asks_for(self, world: World) -> None:
        """Who, how to reach them, what they learn and what not, for what, how often, how long, what a no means."""
        page = (await (await partner(world)).page()).text
        for words in (
            "library", "电话 0000-54321", "https://library.example.city", "免押金借书", "可以享受", "按普通方式办理",
            "随机编号", "没有您的分数", "每天最多3次", "保存7天", "交押金即可借书", "在“同意”页点一次即可",
            "告知书全文", "您可以查询、复制、更正", "我单独同意", "不同意",
        ):  # fmt: skip
            assert words in page, words

    async def test_a_yes_needs_its_tick(self, world: World) -> None:
        """Without the tick nothing is recorded and the page is there again; with it, all is done."""
        asker = await partner(world)
        page = await asker.page()
        again = await submit(asker.browser, page, decision="allow", separate="")
        assert again.status_code == 400
        assert "请先勾选" in again.text
        assert again.headers["content-security-policy"] == page.headers["content-security-policy"]
        assert (await submit(asker.browser, again, decision="allow", separate="yes")).status_code == 303

    async def test_a_no_needs_nothing(self, world: World) -> None:
        """Refusing takes one button, and the partner hears the same as from anybody who cannot."""
        asker = await partner(world)
        answer = await submit(asker.browser, await asker.page(), decision="deny", separate="")
        assert answer_of(answer) == {"error": "access_denied", "state": asker.state, "iss": BASE}

    async def test_after_a_no_nobody_asks_again(self, world: World) -> None:
        """The same partner and perk: a page that says until when, and the way to think again; another perk is asked."""
        asker = await partner(world, login="bo")
        assert "您说过不同意" not in (await asker.page()).text
        await submit(asker.browser, await asker.page(), decision="deny", separate="")
        again = (await asker.page()).text
        assert "您说过不同意" in again
        assert "我改变主意了" in again
        assert "您说过不同意" not in (await (await partner(world, "rental", login="bo")).page()).text
        given = await submit(asker.browser, await asker.page(), decision="allow", separate="yes")
        assert "code" in answer_of(given)
        assert "您说过不同意" not in (await asker.page()).text

    async def test_under_eighteen(self, world: World) -> None:
        """A minor is not asked, cannot agree, and leaves no trace; the partner learns no more than from a no."""
        count = text("select count(*) from auth.consent_event where state = 'refused'")
        before = await world.operate(lambda session: session.scalar(count))
        asker = await partner(world, login="kid")
        page = await asker.page()
        assert "年满18周岁" in page.text
        assert 'value="allow"' not in page.text
        notice = (await asker.browser.get("/v1/rules/notices/share/1")).json()
        form = {"version": "1", "digest": notice["digest"], "expires_on": LATER[:10], "separate": "yes"}
        assert (await submit(asker.browser, page, decision="allow", **form)).status_code == 403
        assert set(answer_of(await submit(asker.browser, await asker.page(), decision="deny"))) == {
            "error", "state", "iss"}  # fmt: skip
        assert await world.operate(lambda session: session.scalar(count)) == before

    async def test_the_words_have_changed(self, world: World) -> None:
        """A yes to a text that is not in force shows the text in force, and records nothing."""
        asker = await partner(world)
        answer = await submit(asker.browser, await asker.page(), decision="allow", separate="yes", digest="0" * 64)
        assert answer.status_code == 303
        page = await follow(asker.browser, answer)
        assert (await submit(asker.browser, page, decision="allow", separate="yes")).status_code == 303

    @pytest.mark.parametrize("changed", [{"expires_on": "never"}, {"version": "one"}, {"expires_on": "2020-01-01"}])
    async def test_a_form_that_we_did_not_make(self, world: World, changed: dict[str, str]) -> None:
        """Fields that no page of ours sends are refused on a page; the request is still there to be decided."""
        asker = await partner(world)
        page = await asker.page()
        answer = await submit(asker.browser, page, decision="allow", separate="yes", **changed)
        assert answer.status_code == 422
        assert (await submit(asker.browser, page, decision="deny")).status_code == 303

    async def test_too_many_fields(self, world: World) -> None:
        """A form of thousands of fields is refused before anything is read of it."""
        asker = await partner(world)
        token = {"csrf": asker.browser.cookies["osm_csrf"]}
        answer = await asker.browser.post("/oauth/authorize", data={**token, **{f"a{n}": "1" for n in range(60)}})
        assert answer.status_code == 400

    async def test_two_taps(self, world: World) -> None:
        """Of 16 yeses at once one gives a code, and one consent lives."""
        asker = await partner(world, login="bo")
        page = await asker.page()
        answers = await asyncio.gather(
            *(submit(asker.browser, page, decision="allow", separate="yes") for _ in range(16))
        )
        assert sorted(answer.status_code for answer in answers) == [303] + [400] * 15
        live = text(
            "select count(*) from auth.live_consent where purpose = 'share:library/library.deposit-free' "
            "group by citizen_id order by 1 desc limit 1"
        )
        assert await world.operate(lambda session: session.scalar(live)) == 1


class TestGrant:
    """What the partner gets."""

    async def test_details_and_grant(self, world: World) -> None:
        """The details as granted with a random subject, the grant's id, a refresh token; the token says the same."""
        asker = await partner(world)
        given = await asker.given()
        (granted,) = given["authorization_details"]
        assert {**granted, "subject": None, "expires_at": None} == {**detail(), "subject": None, "expires_at": None}
        assert granted["subject"].startswith("su_")
        assert given["grant_id"].startswith("co_")
        said = jose.parse(given["access_token"]).claims
        assert said["authorization_details"] == given["authorization_details"]
        assert (said["grant_id"], said["sub"]) == (given["grant_id"], granted["subject"])
        assert set(said) == {
            "iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope", "cnf", "grant_id", "authorization_details"
        }  # fmt: skip

    async def test_an_earlier_end(self, world: World) -> None:
        """The citizen may choose an earlier end: the details come back narrowed."""
        asker = await partner(world)
        day = clock.today() + timedelta(days=29)
        answer = await submit(asker.browser, await asker.page(), decision="allow", separate="yes",
                              expires_on=day.isoformat())  # fmt: skip
        given = (await asker.redeem(answer_of(answer)["code"])).json()
        until = given["authorization_details"][0]["expires_at"]
        assert until.startswith(f"{day}T16:00:00")

    async def test_a_later_end_is_none(self, world: World) -> None:
        """A form that asks for longer than the partner did gives what the partner asked for."""
        asker = await partner(world)
        asker.detail = detail(expires_at=LATER)
        answer = await submit(asker.browser, await asker.page(), decision="allow", separate="yes",
                              expires_on=(clock.today() + timedelta(days=90)).isoformat())  # fmt: skip
        given = (await asker.redeem(answer_of(answer)["code"])).json()
        until = given["authorization_details"][0]["expires_at"]
        assert datetime.fromisoformat(until) == datetime.fromisoformat(LATER)

    async def test_two_grants_cannot_be_joined(self, world: World) -> None:
        """The same citizen is another number for another partner, and for the same one the next time."""
        first, second = await partner(world, "library"), await partner(world, "rental")
        numbers = [(await one.given())["authorization_details"][0]["subject"] for one in (first, second, first)]
        assert len(set(numbers)) == 3

    async def test_it_opens_no_other_door(self, world: World) -> None:
        """A grant's token is for checks of its holder alone: not the citizen's own door, not the partner's lists."""
        asker = await partner(world)
        asker.caller.adopt(await asker.given())
        asker.browser.cookies.clear()
        for path in ("/v1/me", "/v1/partner/perks", "/v1/me/consents"):
            answer = await asker.caller.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    async def test_refresh_is_not_rotated(self, world: World) -> None:
        """FAPI 2.0: the same refresh token again and again, by the client's authentication, with any key of proof."""
        asker = await partner(world)
        given = await asker.given()
        for _ in range(3):
            answer = await asker.renew(given["refresh_token"])
            assert answer.status_code == 200, answer.text
            assert "refresh_token" not in answer.json()
            assert answer.json()["authorization_details"] == given["authorization_details"]
        other = await partner(world, "rental", login=None)
        assert refusal(await other.renew(given["refresh_token"])) == (400, "invalid_grant")


class TestUse:
    """Asking with it."""

    async def test_granted(self, world: World) -> None:
        """The token answers for its holder and perk, and the citizen finds the question among the accesses."""
        await joined(world)
        asker = await partner(world, login="bo")
        given = await asker.given()
        answer = await check(asker, given)
        assert (answer.status_code, answer.json()["result"]) == (200, "granted")

    @pytest.mark.parametrize("how", ["other subject", "unknown subject", "no subject", "code", "other perk"])
    async def test_anything_else(self, world: World, how: str) -> None:
        """Another holder or perk: the same 403 whether it exists or not, no decision, no entry with anybody."""
        await joined(world)
        asker, other = await partner(world, "rental", "bo"), await partner(world, "rental", "anna")
        mine, theirs = await asker.given(), await other.given()
        changed: dict[str, Any] = {
            "other subject": {"holder": {"subject": theirs["authorization_details"][0]["subject"]}},
            "unknown subject": {"holder": {"subject": "su_00000000000000000000000000"}},
            "no subject": {"holder": {"subject": "nonsense"}},
            "code": {"holder": {"code": "CC1:ABCDEFGHJKMNPQRSTVWXYZ"}},
            "other perk": {"perk": "rental.deposit-free"},
        }[how]
        count = text("select (select count(*) from incentives.decision), (select count(*) from core.audit_entry)")

        async def rows() -> Iterable[int]:
            return tuple((await world.operate(lambda session: session.execute(count))).one())

        before = await rows()
        answer = await check(asker, mine, **changed)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert answer.json()["detail"] == "This token is for the perk and the subject of its authorization_details."
        assert await rows() == before

    async def test_a_code_exchange_names_no_citizen(self, world: World) -> None:
        """The rows of a grant's tokens hold the consent and not the citizen."""
        given = await (await partner(world)).given()
        grant = {"id": ids.read("co", given["grant_id"])}
        query = text(
            "select citizen_id from auth.token where grant_id = :id "
            "union all select citizen_id from auth.refresh where grant_id = :id"
        )
        rows = (await world.operate(lambda session: session.execute(query, grant))).all()
        assert [row.citizen_id for row in rows] == [None, None]


class TestEnd:
    """After the citizen's withdrawal."""

    async def test_the_answer_changes_at_once_the_message_at_the_days_end(self, world: World) -> None:
        """The next check is the standard route; refreshing and introspection say nothing until the day is over."""
        app = await joined(world)
        asker = await partner(world, login="bo")
        given = await asker.given()
        assert (await check(asker, given)).json()["result"] == "granted"
        await withdraw(app, given)
        assert (await check(asker, given)).json()["result"] == "standard_route"
        renewed = await asker.renew(given["refresh_token"])
        assert renewed.status_code == 200
        assert (await check(asker, {**given, **renewed.json()})).json()["result"] == "standard_route"
        for token in (given["access_token"], given["refresh_token"]):
            assert (await asker.introspect(token))["active"] is True
        await days_later(world, given)
        assert refusal(await asker.renew(given["refresh_token"])) == (400, "invalid_grant")
        for token in (given["access_token"], given["refresh_token"]):
            assert await asker.introspect(token) == {"active": False}
        assert (await check(asker, given)).json()["result"] == "standard_route"

    async def test_expiry(self, world: World) -> None:
        """A consent that is past its day renews nothing."""
        asker = await partner(world)
        given = await asker.given()
        over = text("update auth.consent set expires_at = now() - interval '1 second' where id = :id")
        await world.operate(lambda session: session.execute(over, {"id": ids.read("co", given["grant_id"])}))
        assert refusal(await asker.renew(given["refresh_token"])) == (400, "invalid_grant")

    async def test_the_partner_gives_it_back(self, world: World) -> None:
        """A refresh token given back ends the partner's tokens; the consent is the citizen's and stays."""
        asker = await partner(world)
        given = await asker.given()
        assert (await asker.caller.post_signed("/oauth/revoke", {"token": given["refresh_token"]})).status_code == 200
        answer = await check(asker, given)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert refusal(await asker.renew(given["refresh_token"])) == (400, "invalid_grant")
        live = text("select count(*) from auth.live_consent where id = :id")
        found = {"id": ids.read("co", given["grant_id"])}
        assert await world.operate(lambda session: session.scalar(live, found)) == 1


class TestIntrospection:
    """RFC 7662."""

    async def test_who_sees_what(self, world: World) -> None:
        """A flagged client sees everybody's tokens, the partner its own, everybody else exactly one word."""
        asker = await partner(world)
        given = await asker.given()
        watcher, other = world.caller("watcher"), world.caller("rental")
        for token, kind in ((given["access_token"], "DPoP"), (given["refresh_token"], "refresh_token")):
            seen = (await watcher.post_signed("/oauth/introspect", {"token": token})).json()
            assert seen == await asker.introspect(token)
            assert (seen["active"], seen["token_type"], seen["client_id"]) == (True, kind, "library")
            assert seen["grant_id"] == given["grant_id"]
            assert (await other.post_signed("/oauth/introspect", {"token": token})).json() == {"active": False}

    async def test_a_citizens_refresh_token(self, world: World) -> None:
        """The app sees its own, bound to its key; after turning, the old one is nothing."""
        app = await ready(world)
        first = (await app.given())["refresh_token"]
        said = await app.introspect(first)
        assert (said["active"], said["cnf"]) == (True, {"jkt": app.caller.signer.jkt})
        second = (await app.renew(first)).json()["refresh_token"]
        assert await app.introspect(first) == {"active": False}
        assert (await app.introspect(second))["active"] is True


class TestAddress:
    """Where the answer goes."""

    async def test_only_to_the_registered_address(self, world: World) -> None:
        """A partner's code goes to its own address, letter by letter."""
        asker = await partner(world)
        answer = await submit(asker.browser, await asker.page(), decision="allow", separate="yes")
        assert answer.headers["location"].startswith(f"{LIBRARY}?code=")
        assert refusal(await asker.push(redirect_uri=f"{LIBRARY}/")) == (400, "invalid_request")
