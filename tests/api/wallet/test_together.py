"""What the city really gives: where all lists are, and that two verifiers cannot tell whose copies they saw."""

import httpx2

from api.tool.league.wallet import Copy
from tests.api.conftest import Server
from tests.api.wallet.cast import Holder, recognise, visible
from tests.incentives.recognition import linking
from tests.walletapp import Wallet

COPIES = 10
AUDIENCE, NONCE = "https://host.example", "n-0S6_WzA2Mj"


class TestEvery:
    """`GET /status-lists`."""

    async def test_a_gate_finds_every_list(self, holder: Holder) -> None:
        """The metadata says where, and the list of lists has the one that a copy names."""
        ((_, credential),) = await holder.copies(1)
        http, base = holder.wallet.http, holder.wallet.base_url
        where = (await http.get(f"{base}/.well-known/openid-credential-issuer")).json()[
            "status_list_aggregation_endpoint"
        ]
        answer = await http.get(where)
        assert visible(credential)["status"]["status_list"]["uri"] in answer.json()["status_lists"]
        assert answer.headers["cache-control"] == "public, max-age=60"


class TestUnlinkable:
    """Copies as they come from the credential endpoint."""

    async def test_two_holders(self, server: Server, holder: Holder) -> None:
        """Every field of what two holders showed is everybody's or was seen once; what is shared tells nothing."""
        seen = [_seen(await holder.copies(COPIES))]
        async with server.logged_in(server.person()) as me, httpx2.AsyncClient(timeout=30) as http:
            assert (await server.join(me)).status_code == 201
            assert (await recognise(me)).status_code == 201
            seen.append(_seen(await Holder(me, Wallet(http, server.base_url), "").copies(COPIES)))
        found = linking.kinds([one for each in seen for one in each])
        drawn = {"kb claims.iat", "vc claims.status.status_list.idx", "0 place", "1 place"}
        assert {name for name, kind in found.items() if kind == "other"} <= drawn

    async def test_places(self, holder: Holder) -> None:
        """The places of one batch are neither beside one another nor in an order."""
        places = [visible(text)["status"]["status_list"]["idx"] for _, text in await holder.copies(COPIES)]
        assert places != sorted(places)
        assert min(abs(one - other) for one in places for other in places if one != other) >= 1
        assert len({place // 1024 for place in places}) > COPIES // 2


def _seen(copies: list[tuple[object, str]]) -> list[dict[str, object]]:
    """What a verifier sees of each, when one predicate and the city are shown."""
    return [
        linking.features(Copy(key, text).show({"over_110", "city"}, audience=AUDIENCE, nonce=NONCE))  # pyright: ignore[reportArgumentType]  (the key of the walletapp)
        for key, text in copies
    ]
