"""`POST /v1/partner/eligibility`: what a merchant sends and gets, byte by byte."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from joserfc import jws
from joserfc.errors import SecurityWarning

from auth import dpop
from core import ids
from core.keys import Keyring
from tests.api.shopworld import Shop, open_shop
from tests.gateworld import LIBRARY, RENTAL, THRESHOLD
from tests.incentives.test_eligibility import sizes, somebody


@pytest_asyncio.fixture
async def shop(stocked: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A merchant with the shipped perks in force."""
    async with open_shop(stocked, ring) as opened:
        yield opened


def opened_receipt(ring: Keyring, compact: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, verified by a library of others."""
    with pytest.warns(SecurityWarning, match="EdDSA"):
        found = jws.deserialize_compact(compact, ring.ed25519("rcpt-1"), algorithms=["EdDSA"])
    return dict(found.headers()), msgspec.json.decode(found.payload)


class TestAnswer:
    """The answer and its receipt."""

    async def test_granted(self, shop: Shop, ring: Keyring) -> None:
        """A code of somebody at the threshold is granted with the perk's terms, for five minutes."""
        code = await shop.city.code(await shop.city.citizen(THRESHOLD))
        answer = await shop.ask(holder={"code": code}, amount=45000)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert list(body) == [
            "decision_id", "result", "perk", "terms", "waived_amount", "payable_deposit", "valid_until", "receipt",
        ]  # fmt: skip
        assert (body["result"], body["perk"]) == ("granted", LIBRARY)
        assert (body["waived_amount"], body["payable_deposit"]) == (30000, 15000)
        assert body["terms"]["basis"] == "示范规则，未经任何城市采用"
        header, claims = opened_receipt(ring, body["receipt"])
        assert header == {"alg": "EdDSA", "kid": "rcpt-1", "typ": "decision-receipt+jwt"}
        told = {name: value for name, value in body.items() if name != "receipt"}
        until = datetime.fromisoformat(body["valid_until"])
        assert claims == {
            "iss": "http://127.0.0.1:8000", "aud": "p_library", "iat": int((until - timedelta(minutes=5)).timestamp()),
            **told,
        }  # fmt: skip

    async def test_standard_route(self, shop: Shop) -> None:
        """One tenth under the threshold is the standard route: no reason, the stranger's deposit, the same terms."""
        code = await shop.city.code(await shop.city.citizen(THRESHOLD - 1))
        body = (await shop.ask(holder={"code": code}, amount=45000)).json()
        assert body["result"] == "standard_route"
        assert "reason" not in body
        assert (body["waived_amount"], body["payable_deposit"]) == (0, 45000)
        assert body["terms"]["standard_route"]

    async def test_impersonal_reasons_are_named(self, shop: Shop) -> None:
        """A perk that is not the caller's, an amount over a hard cap, an unknown and a used code."""
        code = await shop.city.code(await shop.city.citizen())
        unknown = (await shop.ask(perk=RENTAL, holder={"code": code})).json()
        assert (unknown["reason"], unknown["terms"]) == ("perk_unknown", None)
        over = (await shop.ask("p_other", perk=RENTAL, holder={"code": code}, amount=50001)).json()
        assert over["reason"] == "amount_over_cap"
        assert (await shop.ask(holder={"code": "CC1:NEVER"})).json()["reason"] == "code_expired"
        assert (await shop.ask(holder={"code": code})).json()["result"] == "granted"
        assert (await shop.ask(holder={"code": code})).json()["reason"] == "code_used"

    async def test_one_of_many_racing_requests_is_granted(self, shop: Shop) -> None:
        """Sixteen at once with one code: one grant, fifteen times `code_used`."""
        code = await shop.city.code(await shop.city.citizen())
        await shop.callers["p_library"].token()
        answers = [one.json() for one in await asyncio.gather(*(shop.ask(holder={"code": code}) for _ in range(16)))]
        assert sorted(one.get("reason", one["result"]) for one in answers) == ["code_used"] * 15 + ["granted"]


class TestProof:
    """The proof of a check is spent in the statement that decides, and whatever else comes out."""

    async def _sent(self, shop: Shop, body: dict[str, Any], proof: str) -> httpx2.Response:
        caller = shop.callers["p_library"]
        headers = {"Authorization": f"DPoP {await caller.token()}", "DPoP": proof}
        return await caller.http.post("/v1/partner/eligibility", json=body, headers=headers)

    async def _proof(self, shop: Shop) -> str:
        caller = shop.callers["p_library"]
        url = "http://127.0.0.1:8000/v1/partner/eligibility"
        token = await caller.token()
        return caller.signer.proof("POST", url, access_token=token, nonce=await caller.nonce())

    async def test_of_racing_copies_one_is_answered(self, shop: Shop) -> None:
        """Sixteen copies of one request: one decision, one entry, fifteen refusals by the proof."""
        citizen = await shop.city.citizen()
        body, proof = {"perk": LIBRARY, "holder": {"subject": await shop.city.share(citizen)}}, await self._proof(shop)
        before = await sizes(shop.city)
        answers = await asyncio.gather(*(self._sent(shop, body, proof) for _ in range(16)))
        assert sorted(one.status_code for one in answers) == [200] + [401] * 15
        assert {one.json()["code"] for one in answers if one.status_code == 401} == {"invalid_dpop_proof"}
        assert [now - then for now, then in zip(await sizes(shop.city), before, strict=True)] == [1, 1, 0]

    @pytest.mark.parametrize(
        ("wrong", "status"), [({"perk": LIBRARY}, 422), ({"perk": LIBRARY, "holder": {}}, 422), ({"x": 1}, 422)]
    )
    async def test_what_cannot_be_read_spends_it_too(self, shop: Shop, wrong: dict[str, Any], status: int) -> None:
        """A proof that came with a body that we refuse is no good for another."""
        proof = await self._proof(shop)
        assert (await self._sent(shop, wrong, proof)).status_code == status
        right = {"perk": LIBRARY, "holder": {"code": await shop.city.code(await shop.city.citizen())}}
        again = await self._sent(shop, right, proof)
        assert (again.status_code, again.json()["code"]) == (401, "invalid_dpop_proof")

    async def test_one_memory_for_every_door(self, shop: Shop) -> None:
        """The statement and the store remember the same: a proof of a check is used for the store, and the reverse."""
        short = shop.house.short
        holder = {"subject": await shop.city.share(await shop.city.citizen())}
        proof = await self._proof(shop)
        once = (await dpop.read([proof], **(await self._here(shop)))).once
        assert (await self._sent(shop, {"perk": LIBRARY, "holder": holder}, proof)).status_code == 200
        assert not await short.claim(once, 60)
        proof = await self._proof(shop)
        await short.claim((await dpop.read([proof], **(await self._here(shop)))).once, 60)
        assert (await self._sent(shop, {"perk": LIBRARY, "holder": holder}, proof)).status_code == 401

    async def _here(self, shop: Shop) -> dict[str, Any]:
        token, nonces = await shop.callers["p_library"].token(), dpop.Nonces(shop.house.ring, shop.house.short)
        url = "http://127.0.0.1:8000/v1/partner/eligibility"
        return {"method": "POST", "url": url, "nonces": nonces, "access_token": token}

    async def test_a_store_elsewhere(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the store is no table of ours, the proof is spent there first, and the answers are the same."""
        monkeypatch.setattr(type(shop.house.short), "in_database", False)
        proof, citizen = await self._proof(shop), await shop.city.citizen()
        body = {"perk": LIBRARY, "holder": {"subject": await shop.city.share(citizen)}}
        first, again = await self._sent(shop, body, proof), await self._sent(shop, body, proof)
        assert (first.status_code, first.json()["result"], again.status_code) == (200, "granted", 401)
        assert first.headers["ratelimit"] == '"value";r=29;t=60'

    async def test_undone_is_unspent(self, shop: Shop) -> None:
        """What fails inside the statement leaves no decision, no entry and no count; the answer spends the proof."""
        table = "alter table core.audit_entry"
        await shop.city.do(f"{table} add constraint broken check (actor_kind <> 'partner') not valid")
        proof, before = await self._proof(shop), await sizes(shop.city)
        body = {"perk": LIBRARY, "holder": {"code": await shop.city.code(await shop.city.citizen())}}
        assert (await self._sent(shop, body, proof)).status_code == 500
        assert await sizes(shop.city) == before
        assert await shop.city.rows("select 1 from core.short_count where key like 'check|%|%'") == []
        await shop.city.do(f"{table} drop constraint broken")
        assert (await self._sent(shop, body, proof)).status_code == 401
        assert (await shop.ask(holder=body["holder"])).json()["result"] == "granted"


class TestConstantAnswers:
    """No personal cause can be told from another."""

    @pytest.mark.parametrize("by", ["code", "subject"])
    async def test_every_personal_cause_gives_the_same_bytes(self, shop: Shop, by: str) -> None:
        """Not enrolled, withdrew, expired, not computed, one tenth below, held: equal but for id, time and receipt."""
        answers: list[httpx2.Response] = []
        for cause in ("not_enrolled", "withdrawn", "consent_expired", "not_computed", "below", "held"):
            citizen: Any = await somebody(shop.city, cause)
            holder = await (shop.city.code(citizen) if by == "code" else shop.city.share(citizen))
            before = await sizes(shop.city)
            answers.append(await shop.ask(holder={by: holder}, amount=100))
            grown = [now - then for now, then in zip(await sizes(shop.city), before, strict=True)]
            assert grown == [1, 1, int(by == "code")]
        same(answers)

    async def test_unknown_subjects_too(self, shop: Shop) -> None:
        """A subject of nobody, of another partner, of an ended consent, and one that is no id: the same bytes."""
        citizen = await shop.city.citizen()
        below = await shop.city.share(await shop.city.citizen(THRESHOLD - 1))
        subjects = [
            below, ids.show("su", ids.random()), await shop.city.share(citizen, "p_other"),
            await shop.city.share(citizen, ended="withdrawn"), "su_no",
        ]  # fmt: skip
        answers = [await shop.ask(holder={"subject": subject}) for subject in subjects]
        same(answers)
        assert await sizes(shop.city) == [5, 5, 0]

    async def test_withdrawing_with_a_live_code(self, shop: Shop) -> None:
        """Withdrawing between draw and check gives the bytes of somebody below."""
        citizen, other = await shop.city.citizen(), await shop.city.citizen(THRESHOLD - 1)
        code = await shop.city.code(citizen)
        await shop.city.do(
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent where citizen_id = :id "
            "and purpose = 'score'",
            id=citizen,
        )
        await shop.city.do("delete from scoring.standing where citizen_id = :id", id=citizen)
        other_code = await shop.city.code(other)
        same([await shop.ask(holder={"code": one}) for one in (code, other_code)])


class TestRequest:
    """What may be sent."""

    @pytest.mark.parametrize(
        ("body", "code", "pointer"),
        [
            ({"holder": {}}, "invalid", "/holder"),
            ({"holder": {"code": "a", "subject": "b"}}, "invalid", "/holder"),
            ({"holder": {"code": "a", "card_no": "1"}}, "unknown_field", "/holder/card_no"),
            ({"holder": {"code": "a"}, "id_number": "x"}, "unknown_field", "/id_number"),
            ({"holder": {"code": "a"}, "amount": -1}, "invalid", "/amount"),
            ({"holder": {"code": "a"}, "amount": 1.5}, "invalid", "/amount"),
            ({}, "invalid", "/holder"),
        ],
    )
    async def test_a_wrong_body_is_422_with_its_pointer(
        self, shop: Shop, body: dict[str, Any], code: str, pointer: str
    ) -> None:
        """Nothing is decided and nothing is written."""
        answer = await shop.ask(**body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert await sizes(shop.city) == [0, 0, 0]

    async def test_a_long_or_blank_key_is_refused(self, shop: Shop) -> None:
        """An Idempotency-Key has 1 to 255 printable characters."""
        answer = await shop.ask(holder={"code": "a"}, headers={"Idempotency-Key": "k" * 256})
        assert answer.status_code == 422

    async def test_who_may_ask(self, shop: Shop) -> None:
        """Without a token 401; without the scope or the role 403; after revocation 401, though the signature holds."""
        anonymous = await shop.http.post("/v1/partner/eligibility", json={"perk": LIBRARY, "holder": {"code": "a"}})
        assert anonymous.status_code == 401
        assert (await shop.ask("p_orders", holder={"code": "a"})).status_code == 403
        assert (await shop.ask("s_drafter", holder={"code": "a"})).status_code == 403
        assert (await shop.ask(holder={"code": "a"})).status_code == 200
        await shop.city.do("update auth.token set revoked_at = now()")
        dead = await shop.ask(holder={"code": "a"})
        assert (dead.status_code, dead.json()["code"]) == (401, "invalid_token")
        assert 'error="invalid_token"' in dead.headers["www-authenticate"]


class TestRepeat:
    """Idempotency-Key."""

    async def test_a_repeat_is_the_same_bytes(self, shop: Shop) -> None:
        """Receipt and all, and the header says that it is a repeat."""
        code = await shop.city.code(await shop.city.citizen())
        key = {"Idempotency-Key": "order-1"}
        first = await shop.ask(holder={"code": code}, headers=key)
        again = await shop.ask(holder={"code": code}, headers=key)
        assert first.content == again.content
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert await sizes(shop.city) == [1, 1, 1]

    async def test_a_changed_request_conflicts(self, shop: Shop) -> None:
        """409 names the member."""
        subject = await shop.city.share(await shop.city.citizen())
        key = {"Idempotency-Key": "order-1"}
        await shop.ask(holder={"subject": subject}, amount=1, headers=key)
        answer = await shop.ask(holder={"subject": subject}, amount=2, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/amount"]

    async def test_a_repeat_after_withdrawal_is_the_plain_standard_route(self, shop: Shop) -> None:
        """The stored grant is not told again once the consent died."""
        code = await shop.city.code(await shop.city.citizen())
        key = {"Idempotency-Key": "order-1"}
        assert (await shop.ask(holder={"code": code}, headers=key)).json()["result"] == "granted"
        await shop.city.do(
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent where purpose = 'score'"
        )
        again = await shop.ask(holder={"code": code}, headers=key)
        assert again.json()["result"] == "standard_route"
        assert "reason" not in again.json()


class TestLimits:
    """Probing gains nothing."""

    async def test_a_value_may_be_asked_about_so_often(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """Known or not, the presented value is limited alike, and the answer says when to come back."""
        monkeypatch.setattr("api.partner.limits.PER_VALUE", 2)
        known = await shop.city.share(await shop.city.citizen())
        for subject in (known, ids.show("su", ids.random())):
            answers = [await shop.ask(holder={"subject": subject}) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert answers[0].headers["ratelimit"] == '"value";r=1;t=60'
            assert answers[2].headers["retry-after"] == "60"
            assert answers[2].json()["retryable"] is True


class TestPerks:
    """`GET /v1/partner/perks`."""

    async def test_only_the_callers_perks(self, shop: Shop) -> None:
        """Each with the terms that everybody reads and the digest of its release."""
        mine = (await shop.callers["p_library"].request("GET", "/v1/partner/perks")).json()["perks"]
        assert [one["perk"] for one in mine] == [LIBRARY]
        assert mine[0]["terms"]["cap"] == 30000
        both = (await shop.callers["p_other"].request("GET", "/v1/partner/perks")).json()["perks"]
        assert [one["perk"] for one in both] == [LIBRARY, RENTAL]


def same(answers: list[httpx2.Response]) -> None:
    """Bodies equal but for decision, times and receipt, and of one length; statuses and header names equal."""

    def plain(answer: httpx2.Response) -> bytes:
        assert answer.status_code == 200, answer.text
        assert answer.json()["result"] == "standard_route"
        text = re.sub(rb'"decision_id":"dc_[0-9A-Z]{26}"', b'"decision_id":""', answer.content)
        text = re.sub(rb'"valid_until":"[0-9T:Z-]{20}"', b'"valid_until":""', text)
        return re.sub(rb'"receipt":"[\w.-]+"', b'"receipt":""', text)

    assert len({plain(answer) for answer in answers}) == 1
    assert len({len(answer.content) for answer in answers}) == 1
    named = {tuple(sorted(set(answer.headers) - {"dpop-nonce"})) for answer in answers}  # that goes by the minute
    assert len(named) == 1
