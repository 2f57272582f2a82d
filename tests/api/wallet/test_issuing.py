"""From the consent that names a city to copies in a wallet: what is offered and issued."""

import hashlib
from datetime import date

from core import ids, jose
from incentives.recognition import credential, sdjwt, statuslist
from tests.api.conftest import Server
from tests.api.wallet.cast import NEIGHBOUR, Holder, behind, draw, keys_of, moved, opened, recognise, visible
from tests.walletapp import GRANT, offered

_OFFERS = "/v1/me/credentials/offers"


class TestIssue:
    """The whole way."""

    async def test_a_batch_of_twenty_says_what_is_reached_and_no_more(self, holder: Holder) -> None:
        """Each copy has its own key and place, the same visible members, and verifies; `over_110` and no higher."""
        given = await holder.copies(20)
        key_of = await keys_of(holder.wallet)
        places, days = list[tuple[str, int]](), set[tuple[int, ...]]()
        for key, text in given:
            said = jose.parse(sdjwt.split(text).issued, longest=sdjwt.LONGEST)
            public = key_of(said.claims["iss"], said.header["kid"])
            assert public is not None
            jose.verify(said, public)
            shown = opened(text)
            assert {name for name in shown if name.startswith("over_")} == {"over_110"}
            assert (shown["city"], shown["scorecard"]) == ("990000", "2026-01-01")
            assert shown["cnf"]["jwk"] == {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
            assert set(said.claims) == {"iss", "vct", "iat", "nbf", "exp", "cnf", "status", "_sd_alg", "_sd"}
            assert len(said.claims["_sd"]) == credential.PLACES
            places.append((shown["status"]["status_list"]["uri"], shown["status"]["status_list"]["idx"]))
            days.add(tuple(said.claims[name] for name in ("iat", "nbf", "exp")))
        assert (len(set(places)), len(days)) == (20, 1)
        assert places != sorted(places)

    async def test_it_is_seen_by_its_holder(self, holder: Holder) -> None:
        """Offer and issue are in the accesses, the copies in `/v1/me/credentials`."""
        await holder.copies(3)
        seen = (await holder.me.get("/v1/me/accesses")).json()["accesses"]
        assert [one["action"] for one in seen[:2]] == ["credential.issue", "credential.offer"]
        held = (await holder.me.get("/v1/me/credentials")).json()["credentials"]
        assert [(one["city"], one["given"], one["counting"]) for one in held] == [(NEIGHBOUR, 3, 3)]

    async def test_whoever_reached_nothing_gets_one_too(self, holder: Holder, server: Server) -> None:
        """Held points give one with as many digests and no predicate, and it counts; the one before does not."""
        (_, before), *_ = await holder.copies(1)
        drawn = await draw(holder.me)
        await moved(server, holder, "held = true")
        (_, text), *_ = await holder.wallet.copies(*drawn, 1)
        assert set(opened(text)) - set(visible(text)) == {"city", "as_of", "scorecard"}
        assert len(visible(text)["_sd"]) == credential.PLACES
        assert await holder.status(text) == statuslist.VALID
        assert await holder.status(before) == statuslist.INVALID

    async def test_who_reached_more_shows_more(self, holder: Holder, server: Server) -> None:
        """Every threshold of the scorecard in force that the points of this moment reach."""
        drawn = await draw(holder.me)
        await moved(server, holder, "points = 1350")
        (_, text), *_ = await holder.wallet.copies(*drawn, 1)
        assert {name for name in opened(text) if name.startswith("over_")} == {"over_110", "over_120", "over_135"}


class TestOffer:
    """`POST /v1/me/credentials/offers`."""

    async def test_it_needs_the_consent_that_names_the_city(self, server: Server) -> None:
        """409 without the consent, 404 without points, and 409 after its withdrawal."""
        async with server.logged_in(server.person()) as me:
            ask = {"city": NEIGHBOUR}
            assert (await me.post(_OFFERS, json=ask)).json()["code"] == "recognition_consent_needed"
            given = await recognise(me)
            refused = await me.post(_OFFERS, json=ask)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_enrolled")
            assert (await server.join(me)).status_code == 201
            assert (await me.post(_OFFERS, json=ask)).status_code == 201
            assert (await me.post(_OFFERS, json={"city": "990101"})).status_code == 409
            await me.delete(f"/v1/me/consents/{given.json()['id']}")
            assert (await me.post(_OFFERS, json=ask)).json()["code"] == "recognition_consent_needed"

    async def test_minors_get_none(self, server: Server) -> None:
        """403 `minor`."""
        async with server.logged_in(server.person(born=date(2012, 1, 1))) as me:
            refused = await me.post(_OFFERS, json={"city": NEIGHBOUR})
            assert (refused.status_code, refused.json()["code"]) == (403, "minor")

    async def test_only_digests_are_kept(self, holder: Holder, server: Server) -> None:
        """Neither the code nor the words are in the database, and the words' digest is keyed."""
        uri, words = await draw(holder.me)
        code = offered(uri)["grants"][GRANT]["pre-authorized_code"]
        query = "select * from incentives.credential_offer where consent_id = $1"
        (row,) = await behind(server, query, ids.read("co", holder.consent))
        assert row["hash"] == hashlib.sha256(code.encode()).digest()
        assert row["proof"] != hashlib.sha256(words.encode()).digest()
        assert code not in str(dict(row))

    async def test_there_are_thirty_a_day(self, holder: Holder) -> None:
        """429 for the next one."""
        for _ in range(30):
            await draw(holder.me)
        assert (await holder.me.post(_OFFERS, json={"city": NEIGHBOUR})).status_code == 429
