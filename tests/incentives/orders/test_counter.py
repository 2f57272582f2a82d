"""What happens to orders at the partner's door: opened, moved, settled, found."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from core import clock, ids
from core.db import Doors
from core.errors import Invalid, NotFound
from core.idempotency import IdempotencyConflict
from core.lifecycle import IllegalTransition
from incentives.eligibility import Question, TokenDead
from incentives.orders import counter
from incentives.orders.refusals import (
    AmountDiffers,
    DecisionExpired,
    DecisionForAnotherPerk,
    DecisionUnknown,
    DecisionUsed,
    OrderExists,
)
from tests.gateworld import LIBRARY, RENTAL
from tests.orderworld import LINES, Till, till


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A library's till."""
    async with till(database, doors) as made:
        yield made


async def decided(shop: Till, *, points: int = 1300) -> str:
    """A decision about somebody, by a code."""
    code = await shop.city.code(await shop.city.citizen(points))
    verdict = await shop.gate.check(Question(LIBRARY, code=code), token=shop.token)
    return ids.show("dc", verdict.decision_id)


class TestOpen:
    """Opening."""

    async def test_an_order_runs_its_course(self, shop: Till) -> None:
        """Open, start, return, settle, paid: each step is the next number, and nothing is held at the end."""
        order = await shop.opened()
        assert (order.waived_amount, order.payable_deposit, order.seq, order.next) == (10000, 0, 1, "expire")
        seen = [order]
        for action, given in (("start", {}), ("return", {}), ("settle", LINES), ("sync", {"paid_amount": 500})):
            seen.append(await shop.act(order, action, **given))
        assert [one.status for one in seen] == ["open", "active", "returned", "settling", "settled"]
        assert [one.seq for one in seen] == [1, 2, 3, 4, 5]
        assert seen[-1].settlement is not None
        assert (seen[-1].settlement.charge, seen[-1].settlement.due) == (500, 0)
        assert await shop.books() == ([], [])

    async def test_by_a_decision(self, shop: Till) -> None:
        """A granted decision opens one order; the order remembers nothing else of the holder."""
        made = await shop.open(decision_id=await decided(shop))
        assert (made.order.status, made.replayed) == ("open", False)

    async def test_a_refused_decision_ends_in_the_standard_route(self, shop: Till) -> None:
        """Whoever was not granted at the check is not granted by an order either."""
        order = (await shop.open(decision_id=await decided(shop, points=500))).order
        assert (order.status, order.reason, order.waived_amount, order.payable_deposit) == (
            "standard_route", None, 0, 10000,
        )  # fmt: skip

    async def test_a_decision_is_checked_again(self, shop: Till) -> None:
        """A consent that ended after the check ends the order, without a reason."""
        decision = await decided(shop)
        await shop.city.do("insert into auth.consent_end select id, 'withdrawn', now() from auth.consent")
        order = (await shop.open(decision_id=decision)).order
        assert (order.status, order.reason) == ("standard_route", None)

    async def test_a_decision_is_good_for_one_order(self, shop: Till) -> None:
        """The second one is told, whatever its number and key."""
        decision = await decided(shop)
        await shop.open(decision_id=decision)
        with pytest.raises(DecisionUsed):
            await shop.open(decision_id=decision)

    async def test_a_decision_that_opens_nothing(self, shop: Till) -> None:
        """Made up, another partner's, about another perk, or too old: each says so."""
        for text in ("dc_nothing", ids.show("dc", ids.random())):
            with pytest.raises(DecisionUnknown):
                await shop.open(decision_id=text)
        other = await shop.city.partner("p_other")
        code = await shop.city.code(await shop.city.citizen())
        theirs = await shop.gate.check(Question(LIBRARY, code=code), token=other)
        with pytest.raises(DecisionUnknown):
            await shop.open(decision_id=ids.show("dc", theirs.decision_id))
        decision = await decided(shop)
        with pytest.raises(DecisionForAnotherPerk):
            await shop.open(decision_id=decision, perk=RENTAL)
        await shop.city.do("update incentives.decision set valid_until = now() - interval '1 second'")
        with pytest.raises(DecisionExpired):
            await shop.open(decision_id=decision)

    async def test_by_a_standing_consent_the_hold_is_short(self, shop: Till) -> None:
        """Nobody showed a code: 15 minutes; with a code, a day."""
        subject = await shop.city.share(await shop.city.citizen())
        held, agreed = (await shop.open(subject=subject)).order, await shop.opened()
        assert held.next_at is not None
        assert agreed.next_at is not None
        assert held.next_at - held.opened_at == timedelta(minutes=15)
        assert agreed.next_at - agreed.opened_at == timedelta(hours=24)

    async def test_a_part_is_waived(self, shop: Till) -> None:
        """Above the cap the rest is payable: the same for everybody."""
        order = await shop.opened(deposit=45000)
        assert (order.waived_amount, order.payable_deposit) == (30000, 15000)

    async def test_without_a_deposit_nothing_is_waived(self, shop: Till) -> None:
        """A ticket: what may be charged is the sum of its lines."""
        order = await shop.opened(deposit=None, items=(counter.Item("ticket", 3000),))
        assert (order.waived_amount, order.payable_deposit) == (0, 0)
        await shop.act(order, "start")
        await shop.act(order, "return")
        with pytest.raises(Invalid):
            await shop.act(order, "settle", items=[{"name": "ticket", "amount": 3001}])
        assert (await shop.act(order, "settle", items=[{"name": "ticket", "amount": 3000}])).status == "settling"

    async def test_impersonal_reasons_are_named_to_everybody(self, shop: Till) -> None:
        """A perk that is not the partner's, a code of nobody's, a terminal: the reason is said, nothing is held."""
        code = await shop.city.code(await shop.city.citizen())
        assert (await shop.open(code=code, perk=RENTAL)).order.reason == "perk_unknown"
        assert (await shop.open(code="nonsense")).order.reason == "code_expired"
        await shop.city.perk(terminals=["desk 1"])
        decision = await decided(shop)
        assert (await shop.open(decision_id=decision, terminal="desk 2")).order.reason == "terminal_unknown"
        assert await shop.books() == ([], [])

    async def test_the_holder_reads_of_it(self, shop: Till) -> None:
        """One entry for opening and one for the start, with the partner and what came out."""
        citizen = await shop.city.citizen()
        await shop.act(await shop.opened(citizen), "start")
        entries = await shop.city.rows(
            "select action, actor, outcome from core.audit_entry where owner = :who order by action", who=citizen
        )
        assert [tuple(entry.values()) for entry in entries] == [
            ("eligibility.check", "p_library", "granted"),
            ("order.open", "p_library", "granted"),
            ("order.start", "p_library", "granted"),
        ]

    async def test_a_planned_end_has_its_limits(self, shop: Till) -> None:
        """Neither gone by nor beyond what the perk allows."""
        for days in (-1, 31):
            with pytest.raises(Invalid):
                await shop.opened(planned_end=clock.civil() + timedelta(days=days))

    async def test_a_dead_token_opens_nothing(self, shop: Till) -> None:
        """Nor does one without the scope of orders."""
        for token in (b"x" * 32, await shop.city.token("p_library")):
            with pytest.raises(TokenDead):
                await counter.open(shop.gate, token=token, key="k", asked=counter.Opening("n", LIBRARY, code="x"))


class TestRepeats:
    """Idempotency-Key and out_order_no."""

    async def test_a_repeat_is_answered_as_the_first_time(self, shop: Till) -> None:
        """Even after the order went on, and although the code is used."""
        code = await shop.city.code(await shop.city.citizen())
        first = await shop.open(key="k", code=code, out_order_no="n1")
        await shop.act(first.order, "start")
        again = await shop.open(key="k", code=code, out_order_no="n1")
        assert (again.order, again.replayed) == (first.order, True)

    async def test_another_input_is_a_conflict_that_names_the_member(self, shop: Till) -> None:
        """The first answer stands."""
        code = await shop.city.code(await shop.city.citizen())
        await shop.open(key="k", code=code, out_order_no="n1")
        with pytest.raises(IdempotencyConflict, match="deposit"):
            await shop.open(key="k", code=code, out_order_no="n1", deposit=1)

    async def test_a_number_is_used_once_for_ever(self, shop: Till) -> None:
        """Another key with the same number is told how that order stands."""
        order = await shop.opened(out_order_no="n1")
        await shop.act(order, "cancel")
        with pytest.raises(OrderExists) as refused:
            await shop.open(code="x", out_order_no="n1")
        assert refused.value.more["order"] == {
            "order_id": order.order_id, "out_order_no": "n1", "status": "cancelled", "seq": 2,
        }  # fmt: skip

    async def test_an_action_is_done_once(self, shop: Till) -> None:
        """A repeat of a key moves nothing; the key of another action is a conflict."""
        order = await shop.opened()
        first, again = [await shop.act(order, "start", key="s") for _ in range(2)]
        assert first == again
        with pytest.raises(IdempotencyConflict, match="action"):
            await shop.act(order, "cancel", key="s")

    async def test_a_refusal_is_not_remembered(self, shop: Till) -> None:
        """A key that was refused can be used when it is possible."""
        order = await shop.opened()
        with pytest.raises(IllegalTransition):
            await shop.act(order, "return", key="r")
        await shop.act(order, "start")
        assert (await shop.act(order, "return", key="r")).status == "returned"


class TestAct:
    """Actions."""

    async def test_what_is_not_possible_says_what_is(self, shop: Till) -> None:
        """`illegal_transition` with the actions of the state; after the end, that a fresh check is needed."""
        order = await shop.opened()
        with pytest.raises(IllegalTransition) as refused:
            await shop.act(order, "settle", **LINES)
        assert refused.value.more == {"state": "open", "allowed_actions": ["cancel", "start"]}
        await shop.act(order, "cancel")
        with pytest.raises(IllegalTransition, match="fresh check"):
            await shop.act(order, "start")

    async def test_another_partners_order_is_absent(self, shop: Till) -> None:
        """As one that never was, for every action."""
        order = await shop.opened()
        await shop.city.partner("p_other")
        other = Till(shop.city, shop.gate, await shop.city.token("p_other", scope="orders:write"))
        for who, shown in ((other, order.order_id), (shop, ids.show("or", ids.random())), (shop, "or_x")):
            with pytest.raises(NotFound):
                await who.act(shown, "start")
        assert (await counter.find(shop.gate, token=other.token)).orders == ()

    async def test_who_withdrew_meanwhile_gets_the_standard_route(self, shop: Till) -> None:
        """At the start and at an extension alike; nothing is held any more."""
        for state, action in (("open", "start"), ("active", "extend")):
            order = await shop.to(state, planned_end=clock.civil() + timedelta(days=1))
            await shop.city.do("insert into auth.consent_end select id, 'withdrawn', now() from auth.consent "
                               "where purpose = 'score' on conflict do nothing")  # fmt: skip
            given = {"planned_end": clock.civil() + timedelta(days=2)} if action == "extend" else {}
            ended = await shop.act(order, action, **given)
            assert (ended.status, ended.reason, ended.waived_amount, ended.payable_deposit) == (
                "standard_route", None, 0, 10000,
            )  # fmt: skip
        assert await shop.books() == ([], [])

    async def test_who_withdraws_while_using_it_finishes(self, shop: Till) -> None:
        """An order that is running runs to its end."""
        order = await shop.to("active")
        await shop.city.do("insert into auth.consent_end select id, 'withdrawn', now() from auth.consent")
        assert (await shop.act(order, "return")).status == "returned"

    async def test_an_extension(self, shop: Till) -> None:
        """Later than before, at most as long as the perk allows."""
        soon = clock.civil() + timedelta(days=1)
        order = await shop.to("active", planned_end=soon)
        for wrong in (soon, clock.civil() + timedelta(days=31)):
            with pytest.raises(Invalid):
                await shop.act(order, "extend", planned_end=wrong)
        assert (await shop.act(order, "extend", planned_end=soon + timedelta(days=3))).status == "active"

    async def test_a_return_is_neither_tomorrow_nor_before_the_start(self, shop: Till) -> None:
        """The end is checked; evidence is kept for the citizen."""
        order = await shop.to("active")
        for hours in (1, -1):
            with pytest.raises(Invalid):
                await shop.act(order, "return", ended_at=clock.civil() + timedelta(hours=hours))
        given = {"sha256": "0" * 64, "at": clock.civil().isoformat(), "terminal": "desk 1"}
        assert (await shop.act(order, "return", evidence=given)).returned_at is not None
        assert (await shop.city.rows("select evidence from incentives.perk_order"))[0]["evidence"] == given

    async def test_cancel_is_the_exact_inverse(self, shop: Till) -> None:
        """Exposure and every budget are what they were before."""
        await shop.budget(per="perk", every="day", count=5, amount=50000)
        await shop.budget(per="partner", every="month", count=5)
        await shop.budget(per="citizen", every="ever", amount=50000)
        citizen = await shop.city.citizen()
        await shop.to("active", citizen, deposit=100)
        before = await shop.books()
        order = await shop.to("active", citizen)
        assert await shop.books() != before
        await shop.act(order, "cancel")
        assert await shop.books() == before


class TestMoney:
    """Settlement and reversal, by line."""

    async def test_a_charge_is_at_most_the_deposit(self, shop: Till) -> None:
        """One fen more is refused."""
        order = await shop.to("returned")
        with pytest.raises(Invalid):
            await shop.act(order, "settle", items=[{"name": "a", "amount": 10000}, {"name": "b", "amount": 1}])
        assert (await shop.act(order, "settle", items=[{"name": "a", "amount": 10000}])).status == "settling"

    async def test_nothing_to_pay_is_settled_at_once(self, shop: Till) -> None:
        """Two steps, one answer, and a repeat of the key answers the same."""
        order = await shop.to("returned")
        first, again = [await shop.act(order, "settle", key="s", items=[]) for _ in range(2)]
        assert (first.status, first.seq) == ("settled", 5)
        assert first == again

    async def test_lines_are_taken_back(self, shop: Till) -> None:
        """Only what is left of a line; when nothing is due any more, it is settled."""
        order = await shop.to("settling", deposit=2000)
        back = await shop.act(order, "reverse", items=[{"line": 1, "amount": 300}])
        assert back.settlement is not None
        assert (back.status, back.settlement.due) == ("settling", 200)
        for line, amount in ((1, 201), (2, 1)):
            with pytest.raises(Invalid):
                await shop.act(order, "reverse", items=[{"line": line, "amount": amount}])
        with pytest.raises(Invalid):
            await shop.act(order, "reverse", items=[{"line": 1, "amount": 150}, {"line": 1, "amount": 150}])
        assert (await shop.act(order, "reverse", items=[{"line": 1, "amount": 200}])).status == "settled"

    async def test_a_refund_after_the_payment_is_noted(self, shop: Till) -> None:
        """What was paid and then taken back is for the partner to return."""
        order = await shop.to("settled")
        back = await shop.act(order, "reverse", items=[{"line": 1, "amount": 200}])
        assert back.settlement is not None
        assert (back.status, back.settlement.refund_due) == ("settled", 200)

    async def test_a_payment_elsewhere_is_exactly_what_is_due(self, shop: Till) -> None:
        """Another amount says what is due."""
        order = await shop.to("settling")
        with pytest.raises(AmountDiffers) as refused:
            await shop.act(order, "sync", paid_amount=499)
        assert refused.value.more == {"due": 500}


class TestFind:
    """Looking for orders."""

    async def test_by_number_by_status_and_page_by_page(self, shop: Till) -> None:
        """Newest first; pages end where they begin again."""
        citizen = [await shop.city.citizen() for _ in range(5)]
        made = [await shop.opened(one, out_order_no=f"n{number}") for number, one in enumerate(citizen)]
        await shop.act(made[2], "cancel")
        found = await counter.find(shop.gate, token=shop.token, number="n3")
        assert [one.order_id for one in found.orders] == [made[3].order_id]
        gone = await counter.find(shop.gate, token=shop.token, status="cancelled")
        assert [one.out_order_no for one in gone.orders] == ["n2"]
        page = await counter.find(shop.gate, token=shop.token, most=3)
        rest = await counter.find(shop.gate, token=shop.token, before=page.after, most=3)
        assert [one.out_order_no for one in (*page.orders, *rest.orders)] == ["n4", "n3", "n2", "n1", "n0"]
        assert rest.after is None
