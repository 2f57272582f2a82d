"""When a copy counts no more, and what is published of that."""

from api.worker import jobs
from core import bitlist, ids, jose
from incentives.credentials import lists
from incentives.recognition import statuslist
from tests.api.conftest import Server
from tests.api.wallet.cast import Holder, behind, consent_to, list_of, moved, recognise

_MINE = "from incentives.credential_copy where consent_id = $1"


class TestEnd:
    """What ends a copy."""

    async def test_withdrawing_ends_every_copy_at_the_next_fetch(self, holder: Holder, server: Server) -> None:
        """Valid until the consent is withdrawn; then invalid, and nobody is behind the places any more."""
        given = await holder.copies(2)
        assert [await holder.status(text) for _, text in given] == [statuslist.VALID] * 2
        assert (await holder.me.delete(f"/v1/me/consents/{holder.consent}")).status_code == 200
        assert [await holder.status(text) for _, text in given] == [statuslist.INVALID] * 2
        assert (await holder.me.get("/v1/me/credentials")).json()["credentials"] == []
        assert await behind(server, f"select {_MINE}", ids.read("co", holder.consent)) == []

    async def test_without_points_there_is_nothing_to_attest(self, holder: Holder) -> None:
        """Withdrawing `score` ends the copies, too, and tells the holder once."""
        (_, text), *_ = await holder.copies(2)
        assert (await holder.me.delete(f"/v1/me/consents/{await consent_to(holder, 'score')}")).status_code == 200
        assert await holder.status(text) == statuslist.INVALID
        assert await holder.status(text) == statuslist.INVALID
        seen = (await holder.me.get("/v1/me/accesses")).json()["accesses"]
        assert [one["action"] for one in seen].count("credential.lapse") == 1

    async def test_falling_below_what_a_copy_says_ends_it_for_good(self, holder: Holder, server: Server) -> None:
        """Below 110.0 the copy is invalid, and stays so when the points come back (Token Status List, section 7.1)."""
        (_, text), *_ = await holder.copies(1)
        await moved(server, holder, "points = 1099")
        assert await holder.status(text) == statuslist.INVALID
        await moved(server, holder, "points = 1100")
        assert await holder.status(text) == statuslist.INVALID
        held = (await holder.me.get("/v1/me/credentials")).json()["credentials"]
        assert [(one["given"], one["counting"]) for one in held] == [(1, 0)]

    async def test_the_daily_look_tells_where_nobody_fetches(self, holder: Holder, server: Server) -> None:
        """A hold ends the copies, and the holder reads it although no host asked."""
        await holder.copies(2)
        await moved(server, holder, "held = true")
        await lists.look(server.house.doors)
        seen = (await holder.me.get("/v1/me/accesses")).json()["accesses"]
        assert seen[0]["action"] == "credential.lapse"

    async def test_renewing_the_consent_keeps_them(self, holder: Holder) -> None:
        """A consent that supersedes another carries on what stands on it."""
        (_, text), *_ = await holder.copies(1)
        assert (await recognise(holder.me)).status_code == 201
        assert await holder.status(text) == statuslist.VALID

    async def test_who_leaves_leaves_nothing(self, holder: Holder, server: Server) -> None:
        """The places stay, invalid and nobody's."""
        (_, text), *_ = await holder.copies(2)
        left = await holder.me.delete("/v1/me")
        assert left.status_code == 200, left.text
        assert await holder.status(text) == statuslist.INVALID
        assert await behind(server, f"select {_MINE}", ids.read("co", holder.consent)) == []

    async def test_what_is_over_is_erased(self, holder: Holder, server: Server) -> None:
        """A day after a copy is over the round of the jobs erases its row; a live one stays."""
        await holder.copies(2)
        given = ids.read("co", holder.consent)
        one = f"(list_id, place) = (select list_id, place {_MINE} limit 1)"
        await behind(
            server, f"update incentives.credential_copy set until = now() - interval '25 hours' where {one}", given
        )
        await jobs.once(server.house)
        assert len(await behind(server, f"select {_MINE}", given)) == 1


class TestList:
    """`GET /status-lists/{id}`."""

    async def test_it_is_asked_for_again_by_its_tag(self, holder: Holder) -> None:
        """Signed, with `ttl` and an end; the same tag costs no body; a list that is none is absent."""
        (_, text), *_ = await holder.copies(1)
        uri = list_of(text)
        first = await holder.wallet.http.get(uri)
        assert first.headers["content-type"] == "application/statuslist+jwt"
        assert first.headers["cache-control"] == "public, no-cache"
        again = await holder.wallet.http.get(uri, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        claims = jose.parse(first.text, longest=1 << 20).claims
        assert (claims["sub"], claims["ttl"], claims["exp"] - claims["iat"]) == (uri, 300, 86_400)
        for other in (uri[:-1] + ("0" if uri[-1] != "0" else "1"), uri + "0"):
            assert (await holder.wallet.http.get(other)).status_code == 404

    async def test_its_length_and_what_ended_tell_nothing(self, holder: Holder) -> None:
        """As many places as ever, and about one in a hundred looks ended whoever withdrew."""
        (_, text), *_ = await holder.copies(1)
        answer = await holder.wallet.http.get(list_of(text))
        held = bitlist.decode(jose.parse(answer.text, longest=1 << 20).claims["status_list"])
        assert len(held) == lists.SIZE
        assert 0.008 < sum(1 for _ in held.ones()) / lists.SIZE < 0.02

    async def test_a_full_list_is_closed_and_another_begun(self, holder: Holder, server: Server) -> None:
        """The next copies are in another list; the full one goes on saying what counts."""
        (_, first), *_ = await holder.copies(1)
        await behind(server, "update incentives.status_list set claimed = $1 where closed_at is null", lists.ROOM)
        (_, second), *_ = await holder.copies(1)
        assert list_of(first) != list_of(second)
        assert [await holder.status(one) for one in (first, second)] == [statuslist.VALID] * 2
