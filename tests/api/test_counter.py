"""Counters: people without a telephone, assisted sessions, and what a clerk may not do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text

from auth.counter import cards
from tests.api.conftest import Server
from tests.api.office import PIN, Office, id_card, new_card, office, with_pin
from tests.gateworld import LIBRARY


@pytest_asyncio.fixture
async def here(server: Server) -> AsyncIterator[Office]:
    """An office of one's own."""
    async with office(server) as made:
        yield made


async def came(here: Office, **how: Any) -> tuple[Any, str]:
    """Somebody who came with both cards."""
    person, card_no = here.server.person(**how), new_card()
    assert (await here.knows(person, card_no=card_no)).status_code == 201
    return person, card_no


def same(answer: httpx2.Response) -> tuple[int, dict[str, Any]]:
    """An answer without what each has of its own."""
    return answer.status_code, {name: value for name, value in answer.json().items() if name != "request_id"}


async def entries(me: httpx2.AsyncClient) -> list[dict[str, Any]]:
    """Who looked, newest first."""
    return (await me.get("/v1/me/accesses")).json()["accesses"]


class TestPeople:
    """`POST /v1/staff/people`."""

    async def test_a_person_is_made_once(self, here: Office) -> None:
        """201 for a stranger, 200 afterwards, without any login; the card's last digits are shown."""
        person, card_no = here.server.person(), new_card()
        first = await here.knows(person, card_no=card_no)
        assert (first.status_code, first.json()) == (201, {"created": True, "card_ending": card_no[-4:]})
        again = await here.knows(person)
        assert (again.status_code, again.json()) == (200, {"created": False, "card_ending": None})

    async def test_somebody_with_an_app_is_the_same_person(self, here: Office) -> None:
        """The counter finds who logged in before, and their app goes on."""
        person = here.server.person()
        async with here.server.logged_in(person) as me:
            assert (await here.knows(person)).status_code == 200
            assert (await entries(me))[0]["action"] == "counter.arrive"
        async with here.server.logged_in(person) as me:
            assert (await me.get("/v1/me")).status_code == 200

    async def test_under_18(self, here: Office) -> None:
        """403 `minor`, and nobody is made."""
        child = here.server.person(born=date(2015, 6, 1))
        refused = await here.knows(child)
        assert (refused.status_code, refused.json()["code"]) == (403, "minor")
        assert (await here.opens(id_card(child))).status_code == 403

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"face_compared": False}, "invalid"),
            ({"clerk": "张三"}, "invalid"),
            ({"id_card": {"name": "某", "number": "990000199001010000"}}, "no_identity"),
            ({"card": {"card_no": "9900000000000000", "pin": "123456"}}, "weak_pin"),
            ({"card": {"card_no": "9900000000000000", "pin": "888888"}}, "weak_pin"),
            ({"card": {"card_no": "12", "pin": PIN}}, "invalid"),
            ({"phone": "1"}, "unknown_field"),
        ],
        ids=str,
    )
    async def test_what_is_refused(self, here: Office, changed: dict[str, Any], code: str) -> None:
        """A face not compared, a clerk's name, an impossible number, a PIN that strangers try first."""
        body = {"clerk": "0001", "face_compared": True, **id_card(here.server.person())} | changed
        answer = await here.http.post("/v1/staff/people", json=body)
        assert answer.json()["code"] == code, answer.text

    async def test_a_card_moves_only_in_a_reader(self, here: Office) -> None:
        """Typed on a phone, somebody else's card stays where it is; at the counter it moves, and its PIN dies."""
        _, card_no = await came(here)
        other = here.server.person()
        async with here.server.logged_in(other) as me:
            taken = await me.post("/v1/me/cards", json=with_pin(card_no, "730519"))
            assert (taken.status_code, taken.json()["code"]) == (409, "card_not_bound")
            assert (await here.opens(with_pin(card_no))).status_code == 201
            assert (await here.knows(other, card_no=card_no)).status_code == 200
            assert [one["ending"] for one in (await me.get("/v1/me/cards")).json()["cards"]] == [card_no[-4:]]

    async def test_neither_number_nor_pin_is_in_the_database(self, here: Office) -> None:
        """Every column of the card's row, as text."""
        _, card_no = await came(here)
        async with here.server.house.doors.claims("auth") as session:
            rows = (await session.execute(text("select card::text from auth.card"))).scalars().all()
        held = "".join(rows)
        for secret in (card_no, card_no.encode().hex(), PIN, PIN.encode().hex()):
            assert secret not in held


class TestHolder:
    """What proves a person at a counter."""

    async def test_every_proof_opens(self, here: Office) -> None:
        """ID card, city card with PIN, and a code drawn on the phone; the code once."""
        person, card_no = await came(here)
        async with here.server.logged_in(person) as me:
            code = (await me.post("/v1/me/counter-code")).json()["code"]
        spoken = {"login_code": code.lower().replace("-", " ")}
        for holder in (id_card(person), with_pin(card_no), spoken):
            opened = await here.opens(holder)
            assert opened.status_code == 201, opened.text
            assert opened.json()["token_type"] == "DPoP"
        assert (await here.opens(spoken)).json()["code"] == "holder_not_proved"

    async def test_every_refusal_is_the_same(self, here: Office) -> None:
        """Unknown card, wrong PIN, locked card, unknown person, another name, unknown code: one answer."""
        person, card_no = await came(here)
        stranger = here.server.person()
        refused = [
            await here.opens(with_pin(new_card())),
            await here.opens(id_card(stranger)),
            await here.opens(id_card({**person, "name": "别人"})),
            await here.opens({"login_code": "0000-0000"}),
            *[await here.opens(with_pin(card_no, "111112")) for _ in range(cards.MOST_TRIES)],
            await here.opens(with_pin(card_no)),
        ]
        assert [same(one) for one in refused] == [same(refused[0])] * len(refused)
        assert refused[0].status_code == 403
        assert refused[0].json()["code"] == "holder_not_proved"

    async def test_tries_at_once_are_all_counted(self, here: Office) -> None:
        """Of twenty tries at once no more than five are judged: the right PIN among them rarely helps, later never."""
        _, card_no = await came(here)
        async with here.server.house.doors.claims("auth") as session:
            await session.execute(text("update auth.card set tries = 4, tried_at = now() where tries < 5"))
        answers = await asyncio.gather(*[here.opens(with_pin(card_no, "111113"), clerk=f"1{i:03}") for i in range(8)])
        assert {one.status_code for one in answers} == {403}
        assert (await here.opens(with_pin(card_no))).status_code == 403

    async def test_the_lock_opens_after_a_day(self, here: Office) -> None:
        """And a right PIN before the fifth wrong one forgives the others."""
        _, card_no = await came(here)
        for _ in range(2):
            for _ in range(cards.MOST_TRIES - 1):
                await here.opens(with_pin(card_no, "111114"))
            assert (await here.opens(with_pin(card_no))).status_code == 201
        for _ in range(cards.MOST_TRIES):
            await here.opens(with_pin(card_no, "111114"), clerk="0002")
        assert (await here.opens(with_pin(card_no))).status_code == 403
        async with here.server.house.doors.claims("auth") as session:
            await session.execute(text("update auth.card set tried_at = now() - interval '25 hours'"))
        assert (await here.opens(with_pin(card_no))).status_code == 201

    async def test_denied_tries_are_shown_to_their_person(self, here: Office) -> None:
        """Who stands behind the card sees each, with the office, the clerk's number and the proof."""
        person, card_no = await came(here)
        await here.opens(with_pin(card_no, "111115"), clerk="0007", purpose="records")
        async with here.server.logged_in(person) as me:
            seen = (await entries(me))[0]
        assert (seen["action"], seen["outcome"], seen["purpose"]) == ("counter.open", "denied", "records")
        assert seen["by"] == f"名称 {here.client_id}"
        assert seen["detail"] == {"clerk": "0007", "proved_by": "card_pin"}

    async def test_one_proof(self, here: Office) -> None:
        """None, half of one and two are 422."""
        for holder in ({}, {"card_no": new_card()}, {**with_pin(new_card()), "login_code": "00000000"}):
            assert (await here.opens(holder)).json()["errors"][0]["code"] == "one_proof"

    async def test_guessing_stops_the_clerk_alone(self, here: Office) -> None:
        """After twenty wrong proofs within an hour 429 for that clerk; another goes on."""
        person, _ = await came(here)
        for _ in range(20):
            await here.opens({"login_code": "0000-0000"[:8] + str(_ % 10)}, clerk="0666")
        assert (await here.opens(id_card(person), clerk="0666")).status_code == 429
        assert (await here.opens(id_card(person), clerk="0667")).status_code == 201


class TestAssisted:
    """What happens in an assisted session."""

    async def test_the_whole_journey_without_a_telephone(self, here: Office) -> None:
        """Joins, reads points, records and consents, withdraws: each request is shown, with clerk and purpose."""
        _, card_no = await came(here)
        async with here.sitting(with_pin(card_no), clerk="0042") as (me, _):
            joined = await here.server.join(me)
            assert joined.status_code == 201, joined.text
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0
            assert (await me.get("/v1/me/records")).status_code == 200
            assert (await me.delete(f"/v1/me/consents/{joined.json()['id']}")).status_code == 200
            assert (await me.get("/v1/me/score")).json()["code"] == "not_enrolled"
            seen = [one for one in await entries(me) if one["action"] == "counter.request"]
        assert [one["detail"]["request"] for one in reversed(seen)] == [
            "POST /v1/me/consents",
            "GET /v1/me/score",
            "GET /v1/me/records",
            "DELETE /v1/me/consents/{consent_id}",
            "GET /v1/me/score",
            "GET /v1/me/accesses",
        ]
        assert {(one["by_kind"], one["purpose"], one["detail"]["clerk"]) for one in seen} == {
            ("staff", "consent", "0042")
        }

    async def test_it_ends_when_it_is_ended(self, here: Office) -> None:
        """The next request is 401; ending twice is quiet; another office's session is absent."""
        _, card_no = await came(here)
        async with office(here.server) as other, here.sitting(with_pin(card_no)) as (me, session_id):
            assert (await me.get("/v1/me")).status_code == 200
            address = f"/v1/staff/assisted-sessions/{session_id}"
            assert (await other.http.delete(address)).status_code == 404
            assert (await me.get("/v1/me")).status_code == 200
            assert [(await here.http.delete(address)).status_code for _ in range(2)] == [204, 204]
            dead = await me.get("/v1/me")
            assert (dead.status_code, dead.json()["code"]) == (401, "invalid_token")

    async def test_it_ends_by_itself(self, here: Office) -> None:
        """A quarter of an hour after opening, whatever was done in it."""
        _, card_no = await came(here)
        async with here.sitting(with_pin(card_no)) as (me, _):
            async with here.server.house.doors.claims("auth") as session:
                left = await session.scalar(text("select max(expires_at) - now() from auth.assisted"))
                await session.execute(text("update auth.assisted set expires_at = now()"))
            assert left is not None
            assert 14 * 60 < left.total_seconds() <= 15 * 60
            assert (await me.get("/v1/me")).status_code == 401

    async def test_the_token_is_bound_to_the_office(self, here: Office) -> None:
        """Another office's key, and the office's own doors, are closed to it."""
        _, card_no = await came(here)
        token = (await here.opens(with_pin(card_no))).json()["access_token"]
        async with office(here.server) as other:
            stolen = other.auth.holding(token)
            async with httpx2.AsyncClient(base_url=here.server.base_url, auth=stolen) as thief:
                assert (await thief.get("/v1/me")).json()["code"] == "invalid_token"
        async with httpx2.AsyncClient(base_url=here.server.base_url, auth=here.auth.holding(token)) as me:
            assert (await me.post("/v1/staff/people", json={})).status_code == 403

    async def test_what_stays_in_the_citizens_own_hands(self, here: Office) -> None:
        """403 `not_at_a_counter`, with an entry, for codes and sessions of the citizen's own."""
        person, card_no = await came(here)
        async with here.sitting(id_card(person)) as (me, _):
            assert (await here.server.join(me)).status_code == 201
            for method, path in (("POST", "/v1/me/counter-code"), ("POST", "/v1/me/credit-code")):
                refused = await me.request(method, path, json={"perk": LIBRARY})
                assert (refused.status_code, refused.json()["code"]) == (403, "not_at_a_counter")
            denied = [one for one in await entries(me) if one["outcome"] == "denied"]
            assert {one["detail"]["request"] for one in denied} == {
                "POST /v1/me/credit-code",
                "POST /v1/me/counter-code",
            }
        async with here.sitting(with_pin(card_no)) as (me, _):
            assert (await me.post("/v1/me/credit-code", json={"perk": LIBRARY})).status_code == 201

    async def test_what_is_grave_needs_the_card_once_more(self, here: Office) -> None:
        """Binding a card: 401 with the step to take, then a minute; a phone's code or another's card won't do."""
        person, card_no = await came(here)
        stranger, _ = await came(here)
        async with here.sitting(with_pin(card_no)) as (me, session_id):
            body = with_pin(new_card(), "730519")
            wanted = await me.post("/v1/me/cards", json=body)
            assert (wanted.status_code, wanted.json()["code"]) == (401, "insufficient_user_authentication")
            assert "/proofs" in wanted.json()["detail"]
            assert (await here.proves(session_id, {"login_code": "00000000"})).status_code == 422
            assert (await here.proves(session_id, id_card(stranger))).json()["code"] == "holder_not_proved"
            assert (await me.post("/v1/me/cards", json=body)).status_code == 401
            assert (await here.proves(session_id, id_card(person))).json()["seconds"] == 60
            assert (await me.post("/v1/me/cards", json=body)).status_code == 201
            async with here.server.house.doors.claims("auth") as session:
                await session.execute(text("update auth.assisted set proved_again_at = now() - interval '61 seconds'"))
            assert (await me.post("/v1/me/cards", json=with_pin(new_card(), "730519"))).status_code == 401


class TestCards:
    """`/v1/me/cards`."""

    async def test_a_citizen_with_an_app_binds_and_unbinds(self, here: Office) -> None:
        """Bound, it opens at a counter; unbound, it is an unknown card. Nobody unbinds another's."""
        card_no = new_card()
        async with (
            here.server.logged_in(here.server.person()) as me,
            here.server.logged_in(here.server.person()) as other,
        ):
            bound = await me.post("/v1/me/cards", json=with_pin(card_no))
            assert (bound.status_code, bound.json()["ending"]) == (201, card_no[-4:])
            assert (await here.opens(with_pin(card_no))).status_code == 201
            address = f"/v1/me/cards/{bound.json()['id']}"
            assert (await other.delete(address)).status_code == 404
            assert (await me.delete(address)).status_code == 204
            assert (await here.opens(with_pin(card_no))).status_code == 403

    async def test_three_cards_at_most(self, here: Office) -> None:
        """The fourth is refused, a new PIN for one of three is not."""
        numbers = [new_card() for _ in range(cards.MOST_CARDS + 1)]
        async with here.server.logged_in(here.server.person()) as me:
            answers = [(await me.post("/v1/me/cards", json=with_pin(one))).status_code for one in numbers]
            assert answers == [201, 201, 201, 409]
            assert (await me.post("/v1/me/cards", json=with_pin(numbers[0], "730519"))).status_code == 201
