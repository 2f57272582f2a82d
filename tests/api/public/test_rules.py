"""`/v1/rules/*`: public, cached, signed, and only what is in force."""

import hashlib
from base64 import b64decode

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from core.settings import ROOT
from tests.api.conftest import Server

DEMO = "示范规则，未经任何城市采用"
PATHS = [
    "scorecards",
    "catalogue",
    "notices/score/1",
    "notices/share/1",
    "perks",
    "cases",
    "repair",
    "promises",
    "disputes",
    "disputes",
    "recognition",
    "recognition.schema.json",
    "consent-receipt.schema.json",
]


async def fetch(server: Server, path: str, **headers: str) -> httpx2.Response:
    """A public document, asked by nobody in particular."""
    async with httpx2.AsyncClient(base_url=server.base_url) as http:
        return await http.get(f"/v1/rules/{path}", headers=headers)


class TestDocuments:
    """What each says."""

    async def test_scorecards(self, server: Server) -> None:
        """One rules; it says on what it rests, and each of its values does too; the file is there, byte by byte."""
        listed = (await fetch(server, "scorecards")).json()["scorecards"]
        assert len(listed) == 1
        assert listed[0]["basis"] == {"kind": "demo", "cite": DEMO}
        whole = (await fetch(server, f"scorecards/{listed[0]['id']}")).json()
        assert hashlib.sha256(whole["text"].encode()).hexdigest() == whole["digest"] == whole["release"]["sha256"]
        assert (whole["low"], whole["base"], whole["high"]) == (0.0, 100.0, 200.0)
        assert whole["tiers"][0]["name"] == "基础"
        indicator = whole["dimensions"][0]["indicators"][0]
        assert isinstance(indicator["cap"], float)
        assert indicator["basis"]["kind"] == "demo"

    async def test_the_catalogue(self, server: Server) -> None:
        """Every kind with its fields, and what is never taken."""
        whole = (await fetch(server, "catalogue")).json()
        assert {"P01", "P21", "N06"} <= set(whole["kinds"])
        assert "income" in whole["prohibited"]
        assert [(one["id"], one["valid_from"], one["valid_until"], len(one["grades"])) for one in whole["schemes"]] == [
            ("demo-village", "2020-01-01", "2025-12-31", 6),
            ("demo-village", "2026-01-01", None, 6),
        ]
        assert "claims" not in whole

    async def test_notices(self, server: Server) -> None:
        """The text behind the digest that a consent names."""
        whole = (await fetch(server, "notices/score/1")).json()
        assert hashlib.sha256(whole["text"].encode()).hexdigest() == whole["digest"]
        assert whole["core_sources"]
        assert (await fetch(server, "notices/score/9")).status_code == 404
        assert (await fetch(server, "notices/score/one")).status_code in {404, 422}

    async def test_perks(self, server: Server) -> None:
        """Threshold in points, cap in fen, one bit, and that no city adopted them."""
        perks = {one["id"]: one for one in (await fetch(server, "perks")).json()["perks"]}
        assert (perks["library.deposit-free"]["threshold"], perks["library.deposit-free"]["cap"]) == (110.0, 30000)
        assert perks["library.deposit-free"]["bits"] == 1.0
        assert {one["basis"]["cite"] for one in perks.values()} == {DEMO}

    async def test_what_a_stranger_and_a_holder_have_stands_side_by_side(self, server: Server) -> None:
        """Measures, prices that follow from the formula, everywhere and in a programme, budgets and clocks."""
        perks = {one["id"]: one for one in (await fetch(server, "perks")).json()["perks"]}
        assert perks["library.more-books"]["measures"][0] == {"name": "items", "stranger": 10, "granted": 20}
        ticket = perks["tourism.ticket"]
        assert ticket["prices"][0] == {"item": "园林成人票（旺季）", "stranger": 8000, "granted": 6400}
        spring = next(one for one in ticket["places"] if one["id"] == "spring")
        assert (spring["prices"][0]["granted"], spring["from_on"]) == (5600, "2027-03-01")
        assert {"per": "citizen", "every": "day", "count": 2, "amount": None} in ticket["budgets"]
        assert [ticket[name] for name in ("hold_minutes", "start_hours", "longest_days")] == [15, 24, 30]

    async def test_cases(self, server: Server) -> None:
        """Every shipped case file that was published."""
        cases = (await fetch(server, "cases")).json()["cases"]
        assert len(cases) == len(list((ROOT / "policy" / "cases").glob("*.toml")))
        assert all(one["situation"] for one in cases)

    async def test_what_is_not_there(self, server: Server) -> None:
        """An unknown scorecard is 404."""
        answer = await fetch(server, "scorecards/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestCopies:
    """Caching and proof."""

    @pytest.mark.parametrize("path", PATHS)
    async def test_a_copy_can_be_checked(self, server: Server, path: str) -> None:
        """The detached JWS and the digest hold over the very bytes, with the published key; altered bytes fail."""
        answer = await fetch(server, path)
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
        key = ECKey.import_key(next(one for one in keys if one["kid"] == "rules-1"))
        signature = answer.headers["x-jws-signature"]
        found = jws.extract_compact(signature.encode(), payload=answer.content)
        assert jws.validate_compact(found, key, algorithms=["ES256"])
        altered = jws.extract_compact(signature.encode(), payload=answer.content + b" ")
        assert not jws.validate_compact(altered, key, algorithms=["ES256"])
        digest = answer.headers["repr-digest"].removeprefix("sha-256=:").removesuffix(":")
        assert b64decode(digest) == hashlib.sha256(answer.content).digest()

    @pytest.mark.parametrize("path", PATHS)
    async def test_who_has_it_gets_304(self, server: Server, path: str) -> None:
        """ETag and If-None-Match; the same bytes and signature for everybody."""
        first, second = await fetch(server, path), await fetch(server, path)
        assert (first.content, first.headers["x-jws-signature"]) == (second.content, second.headers["x-jws-signature"])
        assert "max-age" in first.headers["cache-control"]
        held = await fetch(server, path, **{"If-None-Match": f'W/"other", {first.headers["etag"]}'})
        assert (held.status_code, held.content) == (304, b"")
        assert (await fetch(server, path, **{"If-None-Match": '"other"'})).status_code == 200
