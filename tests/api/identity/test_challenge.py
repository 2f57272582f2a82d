"""The city's mini-program logs people in: `POST /oauth/challenge`."""

import asyncio
import io
import logging
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.identity import idp
from api.tool.signing import Signer, fresh_key
from core import idnumber, jose
from tests.api.identity.app import BASE, World
from tests.api.identity.client import Caller, answer_of, follow, log_in, pkce, submit
from tests.wechatserver import ERRMSG, SECRET, SESSION_KEY

PLACE = "/oauth/challenge"


class Phone:
    """A telephone with the city's mini-program on it."""

    def __init__(self, world: World, openid: str, *, client_id: str = "miniprogram") -> None:
        """`openid` is whose WeChat it is."""
        self.world = world
        self.openid = openid
        self.caller = Caller(world.browser(), Signer(fresh_key(), client_id=client_id, issuer=BASE))
        self.verifier, self.challenge = pkce()

    async def ask(self, **form: str) -> httpx2.Response:
        """One request; PKCE goes with each that has no auth_session."""
        first = {"code_challenge": self.challenge, "code_challenge_method": "S256"}
        return await self.caller.post_signed(
            PLACE, form if "auth_session" in form else {**first, **form}, confidential=False
        )

    async def wechat(self, **form: str) -> httpx2.Response:
        """A request with a fresh code of `wx.login`."""
        return await self.ask(wechat_code=self.world.wechat.login(self.openid), **form)

    async def redeem(self, answer: httpx2.Response) -> dict[str, Any]:
        """Who we are, with the token for a code."""
        assert answer.status_code == 200, answer.text
        form = {
            "grant_type": "authorization_code",
            "code": answer.json()["authorization_code"],
            "code_verifier": self.verifier,
        }
        given = await self.caller.grant(form, confidential=False)
        self.caller.adopt(given)
        claims = jose.parse(given["access_token"]).claims
        return {**(await self.caller.get("/v1/me")).json(), "claim": claims["acr"]}

    async def named(self, login: str, **form: str) -> httpx2.Response:
        """WeChat first, then a proof of the real name at the identity provider."""
        asked = await self.wechat(acr_values="urn:cc:acr:3", **form)
        assert (asked.status_code, asked.json()["next"]) == (403, "oidc_code"), asked.text
        back = await self.at_provider(login, asked.json()["oidc_address"])
        return await self.ask(auth_session=asked.json()["auth_session"], **back)

    async def at_provider(self, login: str, address: str) -> dict[str, str]:
        """What the identity provider answers in the web view, which shows our page at the end."""
        view = self.world.browser()
        answer = await submit(view, await view.get(address), login=login, password=f"pw-{login.partition('-')[0]}")
        given = answer_of(answer)
        page = await follow(view, answer)
        assert (page.status_code, page.url.path) == (200, "/oauth/challenge/returned")
        return {"oidc_code": given["code"], "oidc_state": given["state"], "oidc_iss": given["iss"]}


def person(world: World, login: str, number: str) -> None:
    """Somebody new at the identity provider."""
    one = idp.Account(login, f"pw-{login}", f"sub-{login}", "新人", idnumber.complete(number))
    world.state["demo_accounts"].append(one)


def said(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal, in OAuth's shape or in ours."""
    body = answer.json()
    return answer.status_code, body.get("error") or body["code"]


class TestLevels:
    """One piece of evidence after the other."""

    async def test_wechat_alone(self, world: World) -> None:
        """A WeChat account is a citizen of level 1, the same each time."""
        phone = Phone(world, "o-one")
        first = await phone.redeem(await phone.wechat())
        assert (first["acr"], first["claim"], first["client_id"]) == (1, "urn:cc:acr:1", "miniprogram")
        again = Phone(world, "o-one")
        assert (await again.redeem(await again.wechat()))["id"] == first["id"]

    async def test_with_a_number(self, world: World) -> None:
        """Level 2 asks for the phone button once; afterwards WeChat alone is level 2."""
        phone = Phone(world, "o-two")
        asked = await phone.wechat(acr_values="urn:cc:acr:2")
        body = asked.json()
        assert said(asked) == (403, "insufficient_authorization")
        assert (body["next"], body["expires_in"]) == ("phone_code", 600)
        assert asked.headers["cache-control"] == "no-store"
        code = world.wechat.phone("13900000001")
        reached = await phone.redeem(await phone.ask(auth_session=body["auth_session"], phone_code=code))
        assert reached["acr"] == 2
        later = Phone(world, "o-two")
        assert (await later.redeem(await later.wechat(acr_values="urn:cc:acr:2")))["id"] == reached["id"]

    async def test_with_a_real_name(self, world: World) -> None:
        """Level 3 leads over the identity provider to the citizen of that name, who has the WeChat account now."""
        browser = world.browser()
        bo = (await log_in(browser, "bo")).json()["id"]
        phone = Phone(world, "o-bo")
        before = (await phone.redeem(await phone.wechat()))["id"]
        reached = await phone.redeem(await phone.named("bo"))
        assert (reached["id"], reached["acr"], reached["claim"]) == (bo, 3, "urn:cc:acr:3")
        assert before != bo
        assert (await phone.caller.request("POST", "/v1/me/grave")).status_code == 200
        later = Phone(world, "o-bo")
        weak = await later.redeem(await later.wechat())
        assert (weak["id"], weak["acr"]) == (bo, 1)
        assert said(await later.caller.request("POST", "/v1/me/grave")) == (401, "insufficient_user_authentication")

    async def test_a_name_without_wechat(self, world: World) -> None:
        """The identity provider alone is enough for level 3."""
        phone = Phone(world, "unused")
        asked = await phone.ask(acr_values="urn:cc:acr:3")
        back = await phone.at_provider("anna", asked.json()["oidc_address"])
        assert (await phone.redeem(await phone.ask(auth_session=asked.json()["auth_session"], **back)))["acr"] == 3

    async def test_nothing_shown(self, world: World) -> None:
        """Whoever shows nothing is asked for WeChat first."""
        asked = await Phone(world, "unused").ask()
        assert (said(asked), asked.json()["next"]) == ((403, "insufficient_authorization"), "wechat_code")


class TestTakeover:
    """An account moves only after a fresh proof of the real name, and never between two proved persons."""

    async def test_the_nameless_citizen_is_gone(self, world: World) -> None:
        """Tokens of the time before the proof are dead, and the owner sees that an account was linked."""
        person(world, "ming", "99000019910101001")
        phone = Phone(world, "o-ming")
        await phone.redeem(await phone.wechat())
        before = phone.caller.access_token
        me = uuid.UUID((await phone.redeem(await phone.named("ming")))["id"])
        phone.caller.access_token, now = before, phone.caller.access_token
        assert (await phone.caller.get("/v1/me")).status_code == 401
        assert now != before
        found = await world.operate(
            lambda owner: owner.scalar(
                text("select count(*) from core.audit_entry where owner = :me and action = 'account.link'"), {"me": me}
            )
        )
        assert found == 1

    async def test_two_steps_at_once(self, world: World) -> None:
        """A login that was under way for the nameless citizen does not go on after the account was joined."""
        person(world, "rong", "99000019930101001")
        phone = Phone(world, "o-rong")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        assert (await Phone(world, "o-rong").named("rong")).status_code == 200
        late = await phone.ask(auth_session=session, phone_code=world.wechat.phone("13900000010"))
        assert said(late) == (400, "invalid_session")

    async def test_an_account_of_somebody_else(self, world: World) -> None:
        """Another person's proof does not take a proved person's WeChat account, nor the other way round."""
        person(world, "qing", "99000019920101001")
        phone = Phone(world, "o-qing")
        owner = (await phone.redeem(await phone.named("qing")))["id"]
        assert said(await Phone(world, "o-qing").named("anna")) == (403, "access_denied")
        again = Phone(world, "o-qing")
        assert (await again.redeem(await again.wechat()))["id"] == owner

    async def test_no_name_no_join(self, world: World) -> None:
        """A provider that proves no possible ID number joins nobody."""
        refused = await Phone(world, "o-forged").named("forged")
        assert said(refused) == (403, "access_denied")


class TestAttacks:
    """What must not work, with its exact error."""

    async def test_a_used_js_code(self, world: World) -> None:
        """A code of `wx.login` is good once, for whoever comes first."""
        code = world.wechat.login("o-victim")
        assert (await Phone(world, "").ask(wechat_code=code)).status_code == 200
        assert said(await Phone(world, "").ask(wechat_code=code)) == (400, "invalid_grant")

    @pytest.mark.parametrize(
        ("errcode", "expected"),
        [
            (40029, (400, "invalid_grant")),
            (40163, (400, "invalid_grant")),
            (40226, (403, "access_denied")),
            (45011, (429, "too_many_requests")),
            (-1, (503, "wechat_unavailable")),
            (40013, (500, "wechat_misconfigured")),
        ],
    )
    async def test_what_wechat_says(self, world: World, errcode: int, expected: tuple[int, str]) -> None:
        """Each errcode has its own answer; WeChat's own words are not repeated, a busy WeChat may be asked again."""
        answer = await Phone(world, "").ask(wechat_code=world.wechat.failing(errcode))
        assert said(answer) == expected
        assert ERRMSG not in answer.text
        assert ("retry-after" in answer.headers) == (expected[0] in {429, 503})

    async def test_a_phone_code_of_another_app(self, world: World) -> None:
        """It is refused, and the session may go on with a right one."""
        phone = Phone(world, "o-three")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        wrong = world.wechat.phone("13900000003", appid="wx-other")
        assert said(await phone.ask(auth_session=session, phone_code=wrong)) == (400, "invalid_grant")
        right = world.wechat.phone("13900000003")
        assert (await phone.ask(auth_session=session, phone_code=right)).status_code == 200

    async def test_a_number_is_nobody(self, world: World) -> None:
        """A phone code without WeChat proves no account: numbers are given away again."""
        code = world.wechat.phone("13900000004")
        assert said(await Phone(world, "").ask(phone_code=code)) == (400, "invalid_grant")

    async def test_another_key(self, world: World) -> None:
        """A stolen auth_session is worth nothing without the key, and the thief does not use it up."""
        phone, thief = Phone(world, "o-four"), Phone(world, "o-thief")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        code = world.wechat.phone("13900000005")
        assert said(await thief.ask(auth_session=session, phone_code=code)) == (400, "invalid_session")
        assert (await phone.ask(auth_session=session, phone_code=code)).status_code == 200

    async def test_replayed(self, world: World) -> None:
        """An auth_session is good once, and its name changes with each step."""
        phone = Phone(world, "o-five")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        again = (await phone.ask(auth_session=session)).json()["auth_session"]
        assert again != session
        code = world.wechat.phone("13900000006")
        assert said(await phone.ask(auth_session=session, phone_code=code)) == (400, "invalid_session")
        made_up = await phone.ask(auth_session="x" * 43, phone_code=code)
        assert said(made_up) == (400, "invalid_session")

    async def test_expired(self, world: World) -> None:
        """After ten minutes it is over."""
        phone = Phone(world, "o-six")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        await world.operate(_age_the_store)
        assert said(await phone.ask(auth_session=session)) == (400, "invalid_session")

    async def test_racing(self, world: World) -> None:
        """Of eight requests with one auth_session exactly one goes on."""
        phone = Phone(world, "o-seven")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        codes = [world.wechat.phone("13900000007") for _ in range(8)]
        answers = await asyncio.gather(*(phone.ask(auth_session=session, phone_code=code) for code in codes))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7

    async def test_login_csrf(self, world: World) -> None:
        """The provider's answer to another login, or without its state, is refused: nobody is made somebody else."""
        victim, attacker = Phone(world, "o-eight"), Phone(world, "o-nine")
        theirs = (await attacker.wechat(acr_values="urn:cc:acr:3")).json()
        mine = (await victim.wechat(acr_values="urn:cc:acr:3")).json()
        back = await attacker.at_provider("bo", theirs["oidc_address"])
        assert said(await victim.ask(auth_session=mine["auth_session"], **back)) == (400, "invalid_grant")
        state = parse_qs(urlsplit(mine["oidc_address"]).query)["state"][0]
        changed = {**back, "oidc_state": state}
        assert said(await victim.ask(auth_session=mine["auth_session"], **changed)) == (400, "invalid_grant")
        del changed["oidc_state"]
        assert said(await victim.ask(auth_session=mine["auth_session"], **changed)) == (400, "invalid_grant")

    @pytest.mark.parametrize("changed", [{"oidc_iss": "https://evil.example"}, {"oidc_iss": ""}, {"oidc_code": "x"}])
    async def test_mix_up(self, world: World, changed: dict[str, str]) -> None:
        """Another issuer, none, or a made-up code proves nobody."""
        phone = Phone(world, "o-ten")
        asked = (await phone.wechat(acr_values="urn:cc:acr:3")).json()
        back = {**await phone.at_provider("bo", asked["oidc_address"]), **changed}
        assert said(await phone.ask(auth_session=asked["auth_session"], **back)) == (400, "invalid_grant")

    async def test_fixation(self, world: World) -> None:
        """PKCE is that of the first request: whoever brings another verifier later redeems nothing."""
        phone = Phone(world, "o-eleven")
        session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
        verifier, challenge = pkce()
        more = {"code_challenge": challenge, "code_challenge_method": "S256", "acr_values": "urn:cc:acr:1"}
        done = await phone.ask(auth_session=session, phone_code=world.wechat.phone("13900000008"), **more)
        form = {"grant_type": "authorization_code", "code": done.json()["authorization_code"]}
        refused = await phone.caller.post_signed(
            "/oauth/token", {**form, "code_verifier": verifier}, confidential=False
        )
        assert said(refused) == (400, "invalid_grant")

    async def test_another_key_at_the_token_endpoint(self, world: World) -> None:
        """The code is bound to the key of the challenge."""
        phone = Phone(world, "o-twelve")
        code = (await phone.wechat()).json()["authorization_code"]
        thief = Phone(world, "o-thief")
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": phone.verifier}
        refused = await thief.caller.post_signed("/oauth/token", form, confidential=False)
        assert said(refused) == (400, "invalid_grant")

    async def test_other_apps(self, world: World) -> None:
        """No other client may log people in without our page: not a public one, not a partner, not an unknown one."""
        code = world.wechat.login("o-other")
        assert said(await Phone(world, "", client_id="app").ask(wechat_code=code)) == (400, "unauthorized_client")
        assert said(await Phone(world, "", client_id="nobody").ask(wechat_code=code)) == (401, "invalid_client")
        form = {"wechat_code": code, "code_challenge": pkce()[1], "code_challenge_method": "S256"}
        assert said(await world.caller("library").post_signed(PLACE, form)) == (400, "unauthorized_client")

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"acr_values": "3"}, "invalid_request"),
            ({"acr_values": "urn:cc:acr:4"}, "invalid_request"),
            ({"scope": "me staff:rules"}, "invalid_scope"),
            ({"resource": "https://elsewhere.example"}, "invalid_target"),
            ({"phone_code": "x"}, "invalid_request"),
            ({"oidc_code": "x"}, "invalid_request"),
        ],
        ids=repr,
    )
    async def test_malformed(self, world: World, changed: dict[str, str], expected: str) -> None:
        """400 with the named code; nothing of WeChat's is used up."""
        phone = Phone(world, "o-thirteen")
        code = world.wechat.login("o-thirteen")
        assert said(await phone.ask(wechat_code=code, **changed)) == (400, expected)
        assert code not in world.wechat.used

    async def test_without_a_proof(self, world: World) -> None:
        """No DPoP proof, or another address's: invalid_dpop_proof."""
        phone = Phone(world, "o-fourteen")
        form = {"client_id": "miniprogram", "wechat_code": "x"}
        assert said(await phone.caller.http.post(PLACE, data=form)) == (400, "invalid_dpop_proof")
        headers = {"DPoP": phone.caller.signer.proof("POST", f"{BASE}/oauth/token")}
        assert said(await phone.caller.http.post(PLACE, data=form, headers=headers)) == (400, "invalid_dpop_proof")

    async def test_too_often(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address has its limit."""
        monkeypatch.setattr("api.identity.challenge._CHALLENGES_A_MINUTE", 0)
        assert (await Phone(world, "").ask()).status_code == 429


class TestSecrets:
    """What must be nowhere afterwards."""

    async def test_nothing_is_left(self, world: World) -> None:
        """No log line and no table holds session_key, secret, openid or number in the clear."""
        written, root, before = io.StringIO(), logging.getLogger(), structlog.get_config()
        handler, level = logging.StreamHandler(written), root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(written), cache_logger_on_first_use=False)
        phone = Phone(world, "o-canary-openid")
        try:
            session = (await phone.wechat(acr_values="urn:cc:acr:2")).json()["auth_session"]
            await phone.ask(auth_session=session, phone_code=world.wechat.phone("13977777777"))
            await phone.wechat(acr_values="urn:cc:acr:3")
            await phone.ask(wechat_code=world.wechat.failing(40013))
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            structlog.configure(**before)
        tables = await world.operate(_dump)
        for one in (SESSION_KEY, SECRET, "o-canary-openid", "13977777777"):
            assert one not in written.getvalue()
            assert one not in tables
            assert one.encode().hex() not in tables


async def _age_the_store(session: AsyncSession) -> None:
    """Let every auth_session be over."""
    await session.execute(
        text("update core.short_value set until = now() - interval '1 second' where key like 'challenge:%'")
    )


async def _dump(session: AsyncSession) -> str:
    """Every row of our schemas as text."""
    names = await session.execute(
        text("select schemaname || '.' || quote_ident(tablename) from pg_tables where schemaname = any(:ours)"),
        {"ours": ["auth", "core", "keys", "scoring", "incentives"]},
    )
    tables = [name for (name,) in names]
    rows = [str((await session.scalars(text(f"select t::text from {name} t"))).all()) for name in tables]
    return "\n".join(rows)
