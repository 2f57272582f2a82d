"""`/v1/partner/presentations` over HTTP: a visitor of a neighbouring city, a wallet, and everybody who would be one."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from core import embedded, jose
from core.keys import Keyring
from incentives.recognition import sdjwt, statuslist
from incentives.visitors import judging
from tests.api.visitworld import FORM, METRO, ROUTE, TICKET, Town, cause, opened, told
from tests.neighbour import Copy, now

_SPENT = """
insert into incentives.budget_use (perk_id, per, holder, period, orders, waived)
select $1, 'perk', incentives.holder_of('perk', 'old-town', '', null), incentives.period_of('day',
  (core.civil_now() at time zone 'Asia/Shanghai')::date), 5000, 0
"""
_TAKEN = "update auth.client set perks = array_remove(perks, $1) where client_id = 'old-town'"
_GIVEN = "update auth.client set perks = array_append(perks, $1) where client_id = 'old-town'"


@pytest_asyncio.fixture(scope="module")
async def town(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """One for this file."""
    async with opened(cluster, city_template, ring, tmp_path_factory.mktemp("trust")) as made:
        yield made


class TestGranted:
    """What a visitor can have."""

    async def test_from_the_question_to_the_receipt(self, town: Town) -> None:
        """The partner asks, the wallet shows one threshold and the city, the partner reads an ordinary answer."""
        question = await town.ask(amount=300)
        assert (await town.see(question)).json()["status"] == "pending"
        asked = await town.wallet.get(f"/oid4vp/requests/{question['presentation_id']}")
        assert asked.headers["content-type"] == "application/oauth-authz-req+jwt"
        request = jose.parse(asked.text)
        key = next(
            one for one in (await town.wallet.get("/.well-known/jwks.json")).json()["keys"] if one["kid"] == "vp-1"
        )
        jose.verify(request, jose.public_key(key))
        assert (request.header["typ"], request.header["alg"]) == ("oauth-authz-req+jwt", "ES256")
        assert request.claims["client_id"] == question["client_id"] == town.server.base_url
        assert (request.claims["nonce"], request.claims["response_mode"]) == (question["nonce"], "direct_post")
        (wanted,) = request.claims["dcql_query"]["credentials"]
        assert wanted["claims"] == [{"path": ["over_110"]}, {"path": ["city"], "values": ["990100"]}]
        form = {"vp_token": json.dumps({wanted["id"]: [town.neighbour.copy().answer(question)]})}
        taken = await town.wallet.post(
            urlsplit(str(request.claims["response_uri"])).path, data={**form, "state": request.claims["state"]}
        )
        assert (taken.status_code, taken.json()["result"]) == (200, "granted"), taken.text
        seen = await town.see(question)
        body = seen.json()
        assert (body["result"], body["waived_amount"], body["payable_deposit"]) == ("granted", 30, 270)
        assert list(body) == [
            "decision_id", "result", "perk", "terms", "waived_amount", "payable_deposit", "valid_until", "receipt",
        ]  # fmt: skip
        assert (await town.see(question)).content == seen.content
        receipt = jose.parse(taken.json()["receipt"])
        jose.verify(receipt, town.server.house.ring.ed25519("rcpt-1"))
        assert receipt.header["typ"] == "visitor-receipt+jwt"
        assert receipt.claims["decision_id"] == body["decision_id"]
        assert not {"jkt", "cnf", "idx", "sub"} & receipt.claims.keys()

    async def test_a_partner_brings_it(self, town: Town) -> None:
        """What the partner's own link was given, for the nonce that we gave, gets the answer at once."""
        question = await town.ask("old-town", TICKET, amount=8000)
        text = town.neighbour.copy(110, 120, 135).answer(question, "over_120", "city")
        answer = await town.bring(question, text, "old-town", TICKET)
        assert (answer.status_code, answer.json()["result"]) == (200, "granted"), answer.text
        assert answer.json()["waived_amount"] == 1600
        again = await town.see(question, "old-town")
        assert again.json() == answer.json()

    async def test_showing_more_than_was_asked(self, town: Town) -> None:
        """A higher threshold is worth what a lower one is."""
        question = await town.ask()
        answer = await town.bring(question, town.neighbour.copy(110, 150).answer(question, "over_150", "city"))
        assert answer.json()["result"] == "granted"

    async def test_what_is_kept(self, town: Town) -> None:
        """Of the visitor: nothing but a keyed digest of the copy's place, until the copy is over."""
        question, copy = await town.ask(), town.neighbour.copy()
        await town.bring(question, copy.answer(question))
        connection = await asyncpg.connect(town.server.owner_url)
        try:
            hashes = [row["hash"] for row in await connection.fetch("select hash from incentives.shown_copy")]
            place = judging.Place(town.neighbour.uri, copy.claims["status"]["status_list"]["idx"])
            assert judging.copy_of(place, town.server.house.ring.derive("shown-copies")) in hashes
            plain = "select to_jsonb(x)::text from {} x"
            for table in (
                "incentives.presentation",
                "incentives.decision",
                "core.audit_entry",
                "incentives.shown_copy",
            ):
                rows = " ".join(row[0] for row in await connection.fetch(plain.format(table)))
                for word in (copy.key.thumbprint(), town.neighbour.uri, "over_110", copy.issued[-40:]):
                    assert word not in rows, table
        finally:
            await connection.close()


Forge = Callable[[Town, dict[str, Any], Copy], str]
_STRANGER = ECKey.generate_key("P-256", {"kid": "x"}, private=True)
_JWT = {"alg": "ES256", "typ": "kb+jwt"}


def _unreferenced(_town: Town, question: dict[str, Any], copy: Copy) -> str:
    return copy.answer(question, extra=(sdjwt.disclosure("c2FsdHNhbHRzYWx0c2FsdA", "over_150", value=True),))


def _confused(_town: Town, question: dict[str, Any], copy: Copy) -> str:
    """Another city's issuer, signed by this one's key."""
    return copy.forged(question, iss="https://home.example")


def _none(_town: Town, question: dict[str, Any], copy: Copy) -> str:
    head, body, _ = copy.issued.split(".")
    unsigned = jose.packed({"alg": "none", "typ": "dc+sd-jwt", "kid": copy.city.key.kid})
    assert head != unsigned
    return copy.answer(question, issued=f"{unsigned}.{body}.")


PERSONAL: dict[str, tuple[str, Forge]] = {
    "below": ("not_reached", lambda town, q, _: town.neighbour.copy(100).answer(q, "city")),
    "city not shown": ("city_not_recognised", lambda _t, q, copy: copy.answer(q, "over_110")),
    "nothing shown": ("city_not_recognised", lambda _t, q, copy: copy.answer(q, "as_of")),
    "revoked": ("revoked", lambda town, q, _: town.neighbour.copy(index=400).answer(q)),
    "suspended": ("suspended", lambda town, q, _: town.neighbour.copy(index=401).answer(q)),
    "no such place": ("status_missing", lambda town, q, _: town.neighbour.copy(index=9999).answer(q)),
    "status elsewhere": (
        "status_missing",
        lambda town, q, _: town.neighbour.copy(uri="http://127.0.0.1:9/x").answer(q),
    ),
    "status up a folder": (
        "status_missing",
        lambda town, q, _: town.neighbour.copy(uri=f"{town.neighbour.issuer}/status-lists/../1").answer(q),
    ),
    "another city": ("not_proved", _confused),
    "a stranger's key": ("not_proved", lambda _t, q, copy: copy.forged(q, by=_STRANGER)),
    "unknown kid": ("not_proved", lambda _t, q, copy: copy.forged(q, {"kid": "vc-0"})),
    "no alg": ("not_proved", _none),
    "jwt": ("not_proved", lambda _t, q, copy: copy.forged(q, {"typ": "JWT"})),
    "at+jwt": ("not_proved", lambda _t, q, copy: copy.forged(q, {"typ": "at+jwt"})),
    "vct": ("not_proved", lambda _t, q, copy: copy.forged(q, vct="urn:x")),
    "expired": ("not_proved", lambda _t, q, copy: copy.forged(q, exp=now() - 1)),
    "for ever": ("not_proved", lambda _t, q, copy: copy.forged(q, exp=now() + 99_999_999)),
    "not yet": ("not_proved", lambda _t, q, copy: copy.forged(q, nbf=now() + 3600)),
    "md5": ("not_proved", lambda _t, q, copy: copy.forged(q, _sd_alg="md5")),
    "unreferenced": ("not_proved", _unreferenced),
    "stripped": ("not_proved", lambda _t, _q, copy: copy.text),
    "other holder": ("not_proved", lambda _t, q, copy: copy.answer(q, key=_STRANGER)),
    "audience": ("not_proved", lambda _t, q, copy: copy.answer(q, aud="https://elsewhere.example")),
    "nonce": ("not_proved", lambda _t, q, copy: copy.answer(q, nonce="n-elsewhere")),
    "old": ("not_proved", lambda _t, q, copy: copy.answer(q, iat=now() - 400)),
    "early": ("not_proved", lambda _t, q, copy: copy.answer(q, iat=now() + 400)),
    "sd_hash": ("not_proved", lambda _t, q, copy: copy.answer(q, sd_hash="x")),
    "kb typ": ("not_proved", lambda _t, q, copy: copy.answer(q, typ="JWT")),
    "garbage": ("not_proved", lambda _t, _q, _c: "\x00~~"),
    "long": ("not_proved", lambda _t, _q, _c: "a" * 20_000),
    "empty": ("not_proved", lambda _t, _q, _c: ""),
}


class TestStandardRoute:
    """Everything personal answers alike."""

    async def test_every_cause_has_the_same_bytes(self, town: Town) -> None:
        """Through both doors, beside the answer to somebody without any credential; the log knows each cause."""
        town.neighbour.statuses[400], town.neighbour.statuses[401] = statuslist.INVALID, statuslist.SUSPENDED
        town.forget()
        declined = await town.ask(amount=300)
        form = {"error": "access_denied", "state": declined["nonce"]}
        assert (
            await town.wallet.post(f"/oid4vp/responses/{declined['presentation_id']}", data=form)
        ).status_code == 200
        body = (await town.see(declined)).json()
        reference, size = told(body), len((await town.see(declined)).content)
        assert reference["result"] == "standard_route"
        assert "reason" not in reference
        for name, (why, forge) in PERSONAL.items():
            questions = await town.ask(amount=300), await town.ask(amount=300)
            await town.respond(questions[0], forge(town, questions[0], town.neighbour.copy()))
            brought = await town.bring(questions[1], forge(town, questions[1], town.neighbour.copy()))
            for answer in (await town.see(questions[0]), brought):
                assert answer.status_code == 200, (name, answer.text)
                assert (told(answer.json()), len(answer.content)) == (reference, size), name
            if name not in {"no such place", "revoked", "suspended"}:  # the second is the same copy there
                assert await cause(town, brought.json()["decision_id"]) == why, name

    async def test_what_is_about_the_perk_is_named_and_tells_nothing_of_the_visitor(self, town: Town) -> None:
        """A spent budget, a perk taken from the partner: the same answer to a credential that holds and to none."""
        for spoil, mend, reason in (
            (_SPENT, "delete from incentives.budget_use where perk_id = $1", "budget_spent"),
            (_TAKEN, _GIVEN, "perk_unknown"),
        ):
            good, bad = [await town.ask("old-town", TICKET, amount=8000) for _ in range(2)]
            owner = await asyncpg.connect(town.server.owner_url)
            await owner.execute(spoil, TICKET)
            try:
                shown = town.neighbour.copy(110, 120).answer(good, "over_120", "city")
                answers = [await town.respond(good, shown), await town.respond(bad, "no credential")]
            finally:
                await owner.execute(mend, TICKET)
                await owner.close()
            assert [one.json()["result"] for one in answers] == ["standard_route"] * 2
            said = [told((await town.see(question, "old-town")).json()) for question in (good, bad)]
            assert said[0] == said[1]
            assert said[0]["reason"] == reason

    async def test_nothing_to_show(self, town: Town) -> None:
        """A perk that no map opens, or that is not the caller's, is refused before any wallet is asked."""
        for who, perk in (("shop", "rental.deposit-free"), ("metro", TICKET), ("metro", "no.perk")):
            answer = await town.callers[who].post(ROUTE, json={"perk": perk})
            assert (answer.status_code, answer.json()["code"]) == (409, "perk_not_recognised"), perk


class TestOnce:
    """A question is answered once, a copy is shown once."""

    async def test_a_wallet_posts_twice(self, town: Town) -> None:
        """The second is told that it was answered; the first answer stays, and the question cannot be read again."""
        question = await town.ask()
        assert (await town.respond(question, town.neighbour.copy(100).answer(question, "city"))).status_code == 200
        again = await town.respond(question, town.neighbour.copy().answer(question))
        assert (again.status_code, again.json()["code"]) == (409, "presentation_used")
        assert (await town.see(question)).json()["result"] == "standard_route"
        assert (await town.wallet.get(f"/oid4vp/requests/{question['presentation_id']}")).status_code == 404
        brought = await town.bring(question, town.neighbour.copy().answer(question))
        assert (brought.status_code, brought.json()["code"]) == (409, "presentation_used")

    async def test_racing_wallets(self, town: Town) -> None:
        """Eight answers to one question: one is decided, seven are told that it was."""
        question = await town.ask()
        texts = [town.neighbour.copy().answer(question) for _ in range(8)]
        answers = await asyncio.gather(*(town.respond(question, text) for text in texts))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
        assert (await town.see(question)).json()["result"] == "granted"

    async def test_one_copy_at_two_partners(self, town: Town) -> None:
        """It is worth the perk at one of them, whoever comes first; another copy of the same holder is, too."""
        copy, others = town.neighbour.copy(), ("metro", "old-town")
        asked = {who: await town.ask(who) for who in others}
        texts = {who: copy.answer(asked[who]) for who in others}
        answers = await asyncio.gather(*(town.bring(asked[who], texts[who], who) for who in others))
        assert sorted(answer.json()["result"] for answer in answers) == ["granted", "standard_route"]
        lost = next(answer for answer in answers if answer.json()["result"] == "standard_route")
        assert await cause(town, lost.json()["decision_id"]) == "copy_used"
        question = await town.ask("old-town")
        fresh = await town.bring(question, town.neighbour.copy().answer(question), "old-town")
        assert fresh.json()["result"] == "granted"

    async def test_another_s_question(self, town: Town) -> None:
        """A question is its partner's alone, by id and by nonce; what is brought for it says what it said."""
        question = await town.ask(amount=300)
        assert (await town.see(question, "old-town")).status_code == 404
        text = town.neighbour.copy().answer(question)
        assert (await town.bring(question, text, "old-town")).status_code == 404
        shown = {"vp_token": {"over_110": [text]}, "nonce": question["nonce"]}
        other = await town.callers["metro"].post(ROUTE, json={"perk": METRO, "amount": 301, "presentation": shown})
        assert other.status_code == 422
        assert [one["pointer"] for one in other.json()["errors"]] == ["/amount"]
        never = await town.bring({**question, "nonce": "made-up"}, text)
        assert never.status_code == 404

    async def test_too_late(self, town: Town) -> None:
        """After five minutes nothing is decided: 410 for the partner, nothing there for the wallet."""
        question = await town.ask()
        await town.do("update incentives.presentation set expires_at = now() where nonce = $1", question["nonce"])
        late = await town.respond(question, town.neighbour.copy().answer(question))
        assert late.status_code == 404
        assert ((await town.see(question)).status_code, (await town.bring(question, "x")).status_code) == (410, 409)


class TestBounds:
    """Any bytes at the wallet's door."""

    async def test_too_much(self, town: Town) -> None:
        """Beyond the bound nothing is read: 413, and the question still waits."""
        question = await town.ask()
        assert (await town.respond(question, "a" * 40_000)).status_code == 413
        assert (await town.bring(question, "a" * 40_000)).status_code == 413
        assert (await town.see(question)).json()["status"] == "pending"

    async def test_no_bytes_break_anything(self, town: Town) -> None:
        """Forms that are none are refused and decide nothing; tokens of every shape are the standard route."""
        question = await town.ask()
        path, kind = f"/oid4vp/responses/{question['presentation_id']}", {"Content-Type": FORM}
        state = f"state={question['nonce']}"
        for body in (b"", b"\xff\xfe", b"vp_token=1&vp_token=2", state.encode(), b"vp_token=x&state=other"):
            assert (await town.wallet.post(path, content=body, headers=kind)).status_code == 400, body
        assert (await town.wallet.post(path, json={"vp_token": {}})).status_code == 400
        assert (await town.wallet.post("/oid4vp/responses/vp_1", content=b"")).status_code == 404
        assert (await town.see(question)).json()["status"] == "pending"
        deep = "[" * 9_000
        for token in ("{}", "[]", "null", '{"a": []}', '{"a": ["x", "y"]}', '{"a": [1]}', '{"a": {}}', "x", deep):
            question = await town.ask()
            form = {"vp_token": token, "state": question["nonce"]}
            answer = await town.wallet.post(f"/oid4vp/responses/{question['presentation_id']}", data=form)
            assert (answer.status_code, answer.json()["result"]) == (200, "standard_route"), token

    async def test_mutations(self, town: Town) -> None:
        """One character changed anywhere in what was shown: never granted, never a fault of ours."""
        chance = random.Random(7)  # noqa: S311  (the same bytes every time)
        for _ in range(60):
            question = await town.ask()
            text = town.neighbour.copy().answer(question)
            at = chance.randrange(len(text))
            other = chance.choice([one for one in "Aa0-_.~" if one != text[at]])
            answer = await town.bring(question, text[:at] + other + text[at + 1 :])
            assert (answer.status_code, answer.json()["result"]) == (200, "standard_route"), (at, other)
