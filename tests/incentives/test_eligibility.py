"""What happens at the gate: who is granted, what the holder reads, what a repeat gets."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from core import clock, ids
from core.db import Doors
from core.idempotency import IdempotencyConflict
from incentives.eligibility import Gate, Question, TokenDead, Verdict
from tests.gateworld import LIBRARY, RENTAL, THRESHOLD, World, world

_CODE = "CC1:NEVER"


class Counter:
    """A partner at its counter in a world of its own."""

    def __init__(self, city: World, gate: Gate, token: bytes) -> None:
        """`token` is the partner's."""
        self.city, self.gate, self.token = city, gate, token

    async def ask(
        self, *, key: str | None = None, token: bytes | None = None, perk: str = LIBRARY, **more: object
    ) -> Verdict:
        """One check."""
        question = Question(perk, **more)  # type: ignore[arg-type]  (made up by the test)
        return await self.gate.check(question, token=token or self.token, key=key)

    async def cause(self, verdict: Verdict) -> str | None:
        """What the holder reads as the cause."""
        found = await self.city.rows(
            "select detail from core.audit_entry where detail->>'decision' = :id",
            id=ids.show("dc", verdict.decision_id),
        )
        assert len(found) == 1
        return found[0]["detail"].get("cause")


@pytest_asyncio.fixture
async def counter(database: str, doors: Doors) -> AsyncIterator[Counter]:
    """A library with one perk, from 110.0 points."""
    async with world(database) as city:
        await city.perk()
        yield Counter(city, Gate(await doors.pool(), b"k" * 32), await city.partner())


class TestGrant:
    """Granted."""

    async def test_at_the_threshold_a_code_is_granted(self, counter: Counter) -> None:
        """Exactly the threshold suffices, and the decision is good for five minutes."""
        code = await counter.city.code(await counter.city.citizen(THRESHOLD))
        verdict = await counter.ask(code=code)
        assert verdict.granted
        assert verdict.reason is None
        assert verdict.valid_until - verdict.at == timedelta(minutes=5)

    async def test_a_standing_consent_is_granted_again_and_again(self, counter: Counter) -> None:
        """A subject is not used up."""
        subject = await counter.city.share(await counter.city.citizen())
        assert [(await counter.ask(subject=subject)).granted for _ in range(3)] == [True] * 3

    async def test_a_code_for_one_partner_is_granted_there(self, counter: Counter) -> None:
        """A code drawn for this partner works at this partner."""
        code = await counter.city.code(await counter.city.citizen(), partner="p_library")
        assert (await counter.ask(code=code.lower() + " ")).granted

    async def test_the_holder_reads_one_entry(self, counter: Counter) -> None:
        """Each check writes exactly one entry, owned by the holder, with partner, perk and outcome."""
        citizen = await counter.city.citizen()
        verdict = await counter.ask(code=await counter.city.code(citizen), terminal="desk 3")
        entries = await counter.city.rows("select * from core.audit_entry")
        assert len(entries) == 1
        entry = entries[0]
        assert (entry["owner"], entry["actor_kind"], entry["actor"]) == (citizen, "partner", "p_library")
        assert (entry["action"], entry["purpose"], entry["outcome"]) == ("eligibility.check", LIBRARY, "granted")
        shown = ids.show("dc", verdict.decision_id)
        assert entry["detail"] == {"decision": shown, "threshold": THRESHOLD, "terminal": "desk 3"}


class TestPersonalCauses:
    """The partner sees the plain standard route; the holder reads the true cause."""

    @pytest.mark.parametrize("by", ["code", "subject"])
    @pytest.mark.parametrize("cause", ["not_enrolled", "withdrawn", "consent_expired", "not_computed", "held", "below"])
    async def test_the_cause_is_the_holders_alone(self, counter: Counter, cause: str, by: str) -> None:
        """Each personal cause ends in standard route without a reason and is written for the holder."""
        citizen = await somebody(counter.city, cause)
        holder = await (counter.city.code(citizen) if by == "code" else counter.city.share(citizen))
        verdict = await counter.ask(**{by: holder})
        assert (verdict.granted, verdict.reason) == (False, None)
        assert await counter.cause(verdict) == cause

    async def test_a_subject_of_nobody_or_of_another_partner_is_an_unknown_holder(self, counter: Counter) -> None:
        """A made-up subject, one of another partner and a text that is no id answer alike, owned by nobody."""
        await counter.city.partner("p_other")
        citizen = await counter.city.citizen()
        of_another = await counter.city.share(citizen, "p_other")
        for subject in (ids.show("su", ids.random()), of_another, "no id at all", ""):
            verdict = await counter.ask(subject=subject)
            assert (verdict.granted, verdict.reason) == (False, None)
            assert await counter.cause(verdict) == "unknown_holder"
        assert await counter.city.rows("select 1 from core.audit_entry where owner is not null") == []

    @pytest.mark.parametrize("more", [{"ended": "withdrawn"}, {"expires_in": timedelta(seconds=-1)}])
    async def test_an_ended_share_is_a_personal_cause(self, counter: Counter, more: dict[str, object]) -> None:
        """A standing consent that ended no longer answers, and the holder still sees who asked."""
        citizen = await counter.city.citizen()
        verdict = await counter.ask(subject=await counter.city.share(citizen, **more))
        assert (verdict.granted, verdict.reason) == (False, None)
        assert await counter.cause(verdict) == "share_ended"

    async def test_withdrawal_works_on_the_next_check(self, counter: Counter) -> None:
        """A live code whose owner withdrew a moment ago gets the plain standard route."""
        citizen = await counter.city.citizen()
        code = await counter.city.code(citizen)
        await counter.city.do(
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent where purpose = 'score'"
        )
        verdict = await counter.ask(code=code)
        assert (verdict.granted, verdict.reason) == (False, None)
        assert await counter.cause(verdict) == "withdrawn"

    async def test_a_standing_under_an_older_consent_does_not_count(self, counter: Counter) -> None:
        """Points computed under a consent that ended are not used under the next one."""
        citizen = await counter.city.citizen()
        await counter.city.do("insert into auth.consent_end select id, 'withdrawn', now() from auth.consent")
        await counter.city.consent(citizen)
        verdict = await counter.ask(code=await counter.city.code(citizen))
        assert not verdict.granted
        assert await counter.cause(verdict) == "not_computed"

    async def test_the_codes_own_consent_must_live(self, counter: Counter) -> None:
        """A code whose one-use consent ended grants nothing."""
        code = await counter.city.code(await counter.city.citizen())
        await counter.city.do(
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent where one_use"
        )
        verdict = await counter.ask(code=code)
        assert (verdict.granted, verdict.reason) == (False, None)
        assert await counter.cause(verdict) == "code_consent_ended"

    async def test_every_cause_writes_the_same_rows(self, counter: Counter) -> None:
        """One decision, one entry and, with a code, one use; whatever the cause."""
        for cause in ("not_enrolled", "withdrawn", "held", "below", "granted"):
            before = await sizes(counter.city)
            await counter.ask(code=await counter.city.code(await somebody(counter.city, cause)))
            assert [now - then for now, then in zip(await sizes(counter.city), before, strict=True)] == [1, 1, 1]


class TestImpersonalReasons:
    """About the perk, the request or the code: named, and nothing is consumed."""

    async def test_codes(self, counter: Counter) -> None:
        """Unknown and expired: `code_expired`; another partner's or perk's: `code_not_for_you`; then `code_used`."""
        city = counter.city
        await city.perk(RENTAL)
        other = await city.partner("p_other", (LIBRARY, RENTAL))
        citizen = await city.citizen()
        assert (await counter.ask(code=_CODE)).reason == "code_expired"
        assert (await counter.ask(code=await city.code(citizen, seconds=-1))).reason == "code_expired"
        code = await city.code(citizen, partner="p_library")
        assert (await counter.ask(code=code, token=other)).reason == "code_not_for_you"
        assert (await counter.ask(code=code, token=other, perk=RENTAL)).reason == "code_not_for_you"
        assert (await counter.ask(code=code)).granted
        used = await counter.ask(code=code)
        assert (used.granted, used.reason) == (False, "code_used")

    async def test_perks(self, counter: Counter) -> None:
        """Not in force, not of this client, or taken out of force: `perk_unknown`; closed: `perk_closed`."""
        city = counter.city
        code = await city.code(await city.citizen())
        assert (await counter.ask(code=code, perk="nothing")).reason == "perk_unknown"
        await city.perk(RENTAL)
        assert (await counter.ask(code=code, perk=RENTAL)).reason == "perk_unknown"
        await city.perk(closed=True)
        assert (await counter.ask(code=code)).reason == "perk_closed"
        await city.perk(threshold=None)
        assert (await counter.ask(code=code)).reason == "perk_unknown"
        await city.perk()
        assert (await counter.ask(code=code)).granted

    async def test_a_release_rules_from_its_day(self, counter: Counter) -> None:
        """A threshold approved for tomorrow does not decide today."""
        await counter.city.perk(threshold=2000, on=clock.today() + timedelta(days=1))
        code = await counter.city.code(await counter.city.citizen(THRESHOLD))
        assert (await counter.ask(code=code)).granted

    async def test_amounts_and_terminals(self, counter: Counter) -> None:
        """An amount above a hard cap and a terminal that is not listed are named, and the code stays good."""
        city = counter.city
        await city.perk(over_cap="refuse", terminals=["desk 1"])
        code = await city.code(await city.citizen())
        assert (await counter.ask(code=code, amount=30001)).reason == "amount_over_cap"
        assert (await counter.ask(code=code, terminal="desk 9")).reason == "terminal_unknown"
        assert (await counter.ask(code=code, amount=30000, terminal="desk 1")).granted


class TestCaller:
    """Who may ask at all."""

    async def test_only_a_live_token_of_an_enabled_partner_with_the_scope(self, counter: Counter) -> None:
        """Unknown, expired, revoked, without scope, of another role, of a disabled client: 401 and not a row."""
        city = counter.city
        code = await city.code(await city.citizen())
        revoked = await city.token("p_library")
        await city.do("update auth.token set revoked_at = now() where jti_hash = :hash", hash=revoked)
        disabled = await city.partner("p_gone")
        await city.do("update auth.client set disabled_at = now() where client_id = 'p_gone'")
        dead = [
            b"unknown", revoked, disabled, await city.token("p_library", seconds=-1),
            await city.token("p_library", scope="orders:write"), await city.partner("src", role="source"),
        ]  # fmt: skip
        for token in dead:
            with pytest.raises(TokenDead):
                await counter.ask(code=code, token=token)
        assert await sizes(city) == [0, 0, 0]
        assert (await counter.ask(code=code)).granted

    async def test_perks_of_the_caller(self, counter: Counter) -> None:
        """The caller's perks in force, nobody else's; nothing for a dead token."""
        await counter.city.perk(RENTAL)
        release = await counter.city.perk(body="text")
        found = await counter.gate.perks(token=counter.token)
        assert [(one.perk_id, one.newest) for one in found] == [(LIBRARY, True), (LIBRARY, False)]
        assert (found[0].release_id, found[0].body) == (release, "text")
        await counter.city.perk(threshold=None)
        assert not any(one.newest for one in await counter.gate.perks(token=counter.token))
        assert await counter.gate.perks(token=b"dead") == []


class TestRepeat:
    """The same Idempotency-Key again."""

    async def test_the_same_key_and_input_is_the_same_decision(self, counter: Counter) -> None:
        """Nothing is written twice and the code is not used twice."""
        code = await counter.city.code(await counter.city.citizen())
        first = await counter.ask(code=code, key="k1")
        again = await counter.ask(code=code, key="k1")
        assert first.granted
        assert (first.replayed, again.replayed) == (False, True)
        assert again == Verdict(**{**structs(first), "replayed": True})
        assert await sizes(counter.city) == [1, 1, 1]

    async def test_other_input_is_a_conflict_that_names_the_member(self, counter: Counter) -> None:
        """A key belongs to one input; the other request leaves its code unused."""
        citizen = await counter.city.citizen()
        await counter.ask(code=await counter.city.code(citizen), key="k1", amount=5)
        other = await counter.city.code(citizen)
        with pytest.raises(IdempotencyConflict) as caught:
            await counter.ask(code=other, key="k1", amount=6)
        assert [error.pointer for error in caught.value.errors] == ["/amount", "/holder"]
        assert (await counter.ask(code=other)).granted

    async def test_keys_are_per_partner(self, counter: Counter) -> None:
        """Another partner's key of the same name is another key."""
        other = await counter.city.partner("p_other")
        citizen = await counter.city.citizen()
        assert not (await counter.ask(code=await counter.city.code(citizen), key="k1")).replayed
        assert not (await counter.ask(code=await counter.city.code(citizen), key="k1", token=other)).replayed

    @pytest.mark.parametrize("by", ["code", "subject"])
    async def test_withdrawal_ends_the_repeat(self, counter: Counter, by: str) -> None:
        """A granted decision is not repeated once the consent died; the answer is the plain standard route."""
        citizen = await counter.city.citizen()
        holder = await (counter.city.code(citizen) if by == "code" else counter.city.share(citizen))
        first = await counter.ask(**{by: holder}, key="k1")
        await counter.city.do(
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent where purpose = 'score'"
        )
        again = await counter.ask(**{by: holder}, key="k1")
        assert (first.granted, again.granted, again.reason, again.replayed) == (True, False, None, False)
        third = await counter.ask(**{by: holder}, key="k1")
        assert (third.decision_id, third.replayed) == (again.decision_id, True)

    async def test_after_its_time_a_key_opens_a_new_check(self, counter: Counter) -> None:
        """Past `valid_until` the same request is decided anew."""
        subject = await counter.city.share(await counter.city.citizen())
        first = await counter.ask(subject=subject, key="k1")
        await counter.city.do("update incentives.decision set valid_until = now() - interval '1 second'")
        again = await counter.ask(subject=subject, key="k1")
        assert not again.replayed
        assert again.decision_id != first.decision_id


class TestRaces:
    """Many at once."""

    async def test_one_of_64_racing_checks_has_the_code(self, counter: Counter) -> None:
        """Exactly one is granted; the others are told that the code was used."""
        code = await counter.city.code(await counter.city.citizen())
        verdicts = await asyncio.gather(*(counter.ask(code=code) for _ in range(64)))
        assert sum(verdict.granted for verdict in verdicts) == 1
        assert {verdict.reason for verdict in verdicts if not verdict.granted} == {"code_used"}
        assert await sizes(counter.city) == [64, 64, 1]

    async def test_racing_repeats_get_one_decision(self, counter: Counter) -> None:
        """Sixteen requests with one key share one decision and one entry."""
        code = await counter.city.code(await counter.city.citizen())
        verdicts = await asyncio.gather(*(counter.ask(code=code, key="k1") for _ in range(16)))
        assert len({verdict.decision_id for verdict in verdicts}) == 1
        assert sum(not verdict.replayed for verdict in verdicts) == 1
        assert await sizes(counter.city) == [1, 1, 1]


async def somebody(city: World, cause: str) -> "object":
    """A person with this personal cause, or `granted`."""
    if cause == "not_enrolled":
        return ids.new()
    if cause in {"withdrawn", "consent_expired"}:
        citizen = await city.citizen()
        ended = "update auth.consent set expires_at = now() where citizen_id = :id"
        withdrawn = (
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent where citizen_id = :id"
        )
        await city.do(withdrawn if cause == "withdrawn" else ended, id=citizen)
        return citizen
    if cause == "not_computed":
        citizen = ids.new()
        await city.consent(citizen)
        return citizen
    points = {"below": THRESHOLD - 1}.get(cause, 1500)
    return await city.citizen(points, held=cause == "held")


async def sizes(city: World) -> list[int]:
    """How many decisions, entries about checks, and used codes there are."""
    entries = "core.audit_entry where action = 'eligibility.check'"
    tables = ("incentives.decision", entries, "incentives.credit_code_use")
    return [(await city.rows(f"select count(*) from {table}"))[0]["count"] for table in tables]


def structs(verdict: Verdict) -> dict[str, object]:
    """A verdict's members."""
    return {name: getattr(verdict, name) for name in verdict.__struct_fields__}
