"""City cards at a running server: from a counter, by somebody without a telephone, to a gate without a line."""

import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from api.citycard import entitlements, pace
from core import bitlist, ids
from tests.api.cast import log_in
from tests.api.conftest import Server
from tests.api.office import Office, new_card, office, with_pin
from tests.gateworld import LIBRARY

NDJSON = {"Content-Type": "application/x-ndjson"}
LIST = "/v1/citycard/entitlements"


class Operator(msgspec.Struct, frozen=True):
    """An operator's system."""

    client_id: str
    http: httpx2.AsyncClient
    keys: KeySet

    async def issue(self, *numbers: str) -> list[int]:
        """The indexes of cards."""
        lines = "\n".join(f'{{"card_no":"{number}"}}' for number in numbers)
        answer = await self.http.post("/v1/citycard/cards", content=lines.encode(), headers=NDJSON)
        assert answer.status_code == 200, answer.text
        return answer.json()["indexes"]

    async def list(self, since: int | None = None) -> dict[str, Any]:
        """What a gate reads of a list, its signature checked."""
        asked = {"perk": LIBRARY} | ({} if since is None else {"since": since})
        answer = await self.http.get(LIST, params=asked)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/entitlement-list+jwt"
        with pytest.warns(SecurityWarning, match="RFC 9864"):
            read = jws.deserialize_compact(answer.text, self.keys, algorithms=["EdDSA"])
        assert read.protected["typ"] == "entitlement-list+jwt"
        return msgspec.json.decode(read.payload, type=dict[str, Any])

    async def bit(self, index: int) -> int:
        """A card at a gate that has just fetched."""
        return bitlist.decode((await self.list())["status_list"])[index]


@pytest_asyncio.fixture
async def operator(server: Server) -> AsyncIterator[Operator]:
    """A new one, that gives the library's perk."""
    client_id = f"cards-{ids.random().hex[:8]}"
    auth, _ = await server.register(client_id, "citycard", "citycard", perks=[LIBRARY])
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
        keys = KeySet.import_key_set((await http.get("/.well-known/jwks.json")).json())
        yield Operator(client_id, http, keys)


@pytest_asyncio.fixture
async def here(server: Server) -> AsyncIterator[Office]:
    """A counter."""
    async with office(server) as made:
        yield made


async def share(server: Server, me: httpx2.AsyncClient, operator: Operator) -> dict[str, Any]:
    """Let an operator know; the consent."""
    notice = (await me.get("/v1/rules/notices/share/1")).json()
    told = {"version": notice["version"], "digest": notice["digest"]}
    given = await server.join(me, purpose=f"share:{operator.client_id}/{LIBRARY}", notice=told, optional_sources=[])
    assert given.status_code == 201, given.text
    return given.json()


class TestJourney:
    """A holder of a card and nothing else."""

    async def test_from_the_counter_to_the_gate_and_back(self, here: Office, operator: Operator) -> None:
        """Bound, consented, on the list; withdrawn, off it; and the holder reads that a list was fetched."""
        person, card_no = here.server.person(), new_card()
        index, other = await operator.issue(card_no, new_card())
        assert (await here.knows(person, card_no=card_no)).status_code == 201
        async with here.sitting(with_pin(card_no)) as (me, _):
            assert (await here.server.join(me)).status_code == 201
            before = await operator.list()
            assert bitlist.decode(before["status_list"])[index] == 0
            consent = await share(here.server, me, operator)
            delta = await operator.list(since=before["seq"])
            assert list(bitlist.decode(delta["changed"]).ones()) == [index]
            assert (await operator.bit(index), await operator.bit(other)) == (1, 0)
            (card,) = (await me.get("/v1/me/cards")).json()["cards"]
            assert card["known_to"] == [{"name": f"名称 {operator.client_id}", "retired": False}]
            seen = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
            assert "everyone.card_list" in seen
            assert (await me.delete(f"/v1/me/consents/{consent['id']}")).status_code == 200
            gone = await operator.list(since=delta["seq"])
            assert list(bitlist.decode(gone["changed"]).ones()) == [index]

    async def test_a_lost_card_opens_neither_gate_nor_counter(self, here: Office, operator: Operator) -> None:
        """Said at the counter; bound again, once found, it is as before; another citizen's card is absent."""
        person, card_no = here.server.person(), new_card()
        (index,) = await operator.issue(card_no)
        await here.knows(person, card_no=card_no)
        async with here.server.logged_in(person) as me, here.server.logged_in(here.server.person()) as stranger:
            assert (await here.server.join(me)).status_code == 201
            await share(here.server, me, operator)
            assert await operator.bit(index) == 1
            (card,) = (await me.get("/v1/me/cards")).json()["cards"]
            address = f"/v1/me/cards/{card['id']}/lost"
            assert (await stranger.post(address)).status_code == 404
            assert [(await me.post(address)).status_code for _ in range(2)] == [204, 204]
            assert await operator.bit(index) == 0
            assert (await here.opens(with_pin(card_no))).status_code == 403
            assert (await me.get("/v1/me/cards")).json()["cards"][0]["lost_at"]
            assert (await me.post("/v1/me/cards", json=with_pin(card_no))).status_code == 201
            assert await operator.bit(index) == 1

    async def test_a_replaced_card_goes_on_with_its_pin(self, here: Office, operator: Operator) -> None:
        """By the operator: the new number opens gate and counter, the old one neither; both answers look alike."""
        person, old, new = here.server.person(), new_card(), new_card()
        (index,) = await operator.issue(old)
        await here.knows(person, card_no=old)
        async with here.server.logged_in(person) as me:
            assert (await here.server.join(me)).status_code == 201
            await share(here.server, me, operator)
            told = {"card_no": old, "new_card_no": new}
            replaced = await operator.http.post("/v1/citycard/cards/replace", json=told)
            strange = await operator.http.post("/v1/citycard/cards/replace",
                                               json={"card_no": new_card(), "new_card_no": new_card()})  # fmt: skip
            assert (replaced.status_code, strange.status_code) == (200, 200)
            assert replaced.json().keys() == strange.json().keys() == {"index"}
            bits = bitlist.decode((await operator.list())["status_list"])
            assert (bits[index], bits[replaced.json()["index"]]) == (0, 1)
            assert (await here.opens(with_pin(old))).status_code == 403
            assert (await here.opens(with_pin(new))).status_code == 201
            assert (await me.get("/v1/me/cards")).json()["cards"][0]["ending"] == new[-4:]
            lost = await operator.http.post("/v1/citycard/cards/lost", json={"card_no": new})
            assert (lost.status_code, lost.json()) == (202, {"status": "accepted"})
            assert (await here.opens(with_pin(new))).status_code == 403

    async def test_a_card_that_follows_another_leaves_room(self, server: Server) -> None:
        """`replaces` binds the new one and unbinds the old one at once, of the caller's own alone."""
        async with server.logged_in(server.person()) as me:
            for _ in range(3):
                assert (await me.post("/v1/me/cards", json=with_pin(new_card()))).status_code == 201
            first = (await me.get("/v1/me/cards")).json()["cards"][0]
            assert (await me.post("/v1/me/cards", json=with_pin(new_card()))).status_code == 409
            fourth = new_card()
            wrong = await me.post("/v1/me/cards", json=with_pin(fourth) | {"replaces": ids.show("cd", ids.new())})
            assert wrong.status_code == 404
            follows = await me.post("/v1/me/cards", json=with_pin(fourth) | {"replaces": first["id"]})
            assert follows.status_code == 201
            assert len((await me.get("/v1/me/cards")).json()["cards"]) == 3


class TestList:
    """What is signed."""

    async def test_it_says_all_that_a_gate_needs(self, operator: Operator, server: Server) -> None:
        """Whose, for whom, how long, worth, edition, size and digest of the bits; a delta leads to that digest."""
        index = (await operator.issue(new_card()))[0]
        whole = await operator.list()
        assert (whole["iss"], whole["aud"], whole["perk"]) == (server.base_url, operator.client_id, LIBRARY)
        assert (whole["worth"], whole["exp"] - whole["iat"]) == ("value", 26 * 3600)
        bits = bitlist.decode(whole["status_list"])
        assert (len(bits), hashlib.sha256(bits.packed).hexdigest()) == (whole["size"], whole["digest"])
        assert 0 <= index < whole["size"]
        delta = await operator.list(since=whole["seq"])
        assert (delta["since"], delta["digest"], "status_list" in delta) == (whole["seq"], whole["digest"], False)

    async def test_what_did_not_change_is_not_sent_again(self, operator: Operator) -> None:
        """304 with the ETag, within the hour; another one when a bit turns over, for a delta, and an hour later."""
        await operator.issue(new_card())
        first = await operator.http.get(LIST, params={"perk": LIBRARY})
        tag = {"If-None-Match": f'"x", {first.headers["etag"]}'}
        same = await operator.http.get(LIST, params={"perk": LIBRARY}, headers=tag)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
        assert first.headers["etag"].startswith('W/"')
        seq = (await operator.list())["seq"]
        delta = await operator.http.get(LIST, params={"perk": LIBRARY, "since": seq}, headers=tag)
        assert delta.status_code == 200
        told = {"perk": "p", "worth": "value", "seq": 1, "digest": "d"}
        later = ({"iat": 0}, {"iat": 3599}, {"iat": 3600}, {"iat": 0, "seq": 2}, {"iat": 0, "worth": "courtesy"})
        assert len({entitlements.tag({**told, **more}) for more in later}) == 4

    async def test_how_often_is_told_and_held_to(self, operator: Operator, server: Server) -> None:
        """RateLimit in every answer; above it 429 with Retry-After, for this perk alone."""
        asked = {"perk": LIBRARY}
        left = [(await operator.http.get(LIST, params=asked)).headers["ratelimit"] for _ in range(2)]
        assert left == [f'"list";r={pace.MOST - n};t=60' for n in (1, 2)]
        short = server.house.short
        for _ in range(pace.MOST - 2):
            await pace.count(short, operator=operator.client_id, perk=LIBRARY)
        late = await operator.http.get(LIST, params=asked)
        assert (late.status_code, late.headers["ratelimit"]) == (429, '"list";r=0;t=60')
        assert "retry-after" in late.headers
        assert (await operator.http.get(LIST, params={"perk": "rental.deposit-free"})).status_code == 404

    @pytest.mark.parametrize(
        ("asked", "status", "code"),
        [
            ({"perk": "rental.deposit-free"}, 404, "perk_unknown"),
            ({"perk": LIBRARY, "since": 99}, 410, "delta_gone"),
            ({}, 422, "invalid"),
        ],
    )
    async def test_what_it_refuses(self, operator: Operator, asked: dict[str, Any], status: int, code: str) -> None:
        """Another's perk, an edition to come, no perk."""
        answer = await operator.http.get(LIST, params=asked)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


class TestStock:
    """Lines."""

    async def test_a_stock_may_be_zipped_and_sent_twice(self, operator: Operator) -> None:
        """The same indexes, in the order of the lines."""
        numbers = [new_card() for _ in range(5)]
        first = await operator.issue(*numbers)
        lines = gzip.compress("".join(f'{{"card_no":"{one}"}}\n' for one in reversed(numbers)).encode())
        again = await operator.http.post("/v1/citycard/cards", content=lines,
                                         headers={**NDJSON, "Content-Encoding": "gzip"})  # fmt: skip
        assert again.json()["indexes"] == first[::-1]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b'{"card_no":"12"}', 422),
            (b'{"card_no":"9900000000000000","name":"x"}', 422),
            (b"x" * 300, 422),
            (b'{"card_no":"9900000000000000"}\n' * 5001, 413),
        ],
    )
    async def test_a_stock_with_a_wrong_line_is_kept_not_at_all(
        self, operator: Operator, body: bytes, status: int
    ) -> None:
        """And the line is named; neither is a body of another type read."""
        answer = await operator.http.post("/v1/citycard/cards", content=body, headers=NDJSON)
        assert answer.status_code == status, answer.text
        assert b"9900000000000000" not in answer.content
        plain = await operator.http.post("/v1/citycard/cards", content=b"{}")
        assert plain.status_code == 415

    async def test_one_card_may_come_as_json(self, operator: Operator) -> None:
        """A line by itself; what any client sends without a thought."""
        number = new_card()
        one = await operator.http.post("/v1/citycard/cards", json={"card_no": number})
        assert one.json()["indexes"] == await operator.issue(number)

    async def test_a_number_cannot_follow_itself(self, operator: Operator) -> None:
        """422, and nothing is lost."""
        told = {"card_no": (number := new_card()), "new_card_no": number}
        assert (await operator.http.post("/v1/citycard/cards/replace", json=told)).status_code == 422


class TestPage:
    """`/cards`."""

    async def test_it_shows_cards_and_who_knows_them_and_reports_one_lost(
        self, server: Server, operator: Operator
    ) -> None:
        """In plain words: the last digits, the operator's name, a button; afterwards that it is lost."""
        person, card_no = server.person(), new_card()
        await operator.issue(card_no)
        async with server.logged_in(person) as me:
            assert (await me.post("/v1/me/cards", json=with_pin(card_no))).status_code == 201
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=30) as phone:
            await log_in(phone, person)
            page = (await phone.get("/cards")).text
            assert f"尾号 {card_no[-4:]}" in page
            assert f"名称 {operator.client_id}" in page
            action, csrf = re.findall(r'action="(/cards/[^"]+)".*?name="csrf" value="([^"]+)"', page)[0]
            assert (await phone.post(action, data={"csrf": csrf})).status_code == 303
            again = (await phone.get("/cards")).text
            assert "已挂失" in again
            assert "/lost" not in again
