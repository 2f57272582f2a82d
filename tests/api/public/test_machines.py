"""`GET /v1/state-machines` and its page."""

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey

from api.public import machines
from core.settings import ROOT
from tests.api.conftest import Server

ANEW = "python -c 'from api import machines; print(machines.page(), end=str())' > docs/state-machines.md"


class TestPage:
    """docs/state-machines.md."""

    def test_the_page_is_what_the_tables_say(self) -> None:
        """Every table is drawn, and nothing else; after a change the page is written anew."""
        assert (ROOT / "docs" / "state-machines.md").read_text(encoding="utf-8") == machines.page(), ANEW

    def test_each_table_stands_once(self) -> None:
        """No two tables have one name."""
        names = [table.name for table in machines.REGISTRY]
        assert len(set(names)) == len(names)


class TestEndpoint:
    """What everybody may fetch."""

    async def test_every_table_is_served_signed(self, server: Server) -> None:
        """Anybody gets every table, whole, with a signature over the very bytes, and 304 when they have it."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            answer = await http.get("/v1/state-machines")
            again = await http.get("/v1/state-machines", headers={"If-None-Match": answer.headers["etag"]})
            keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
        assert (answer.status_code, again.status_code) == (200, 304)
        key = ECKey.import_key(next(one for one in keys if one["kid"] == "rules-1"))
        signed = jws.extract_compact(answer.headers["x-jws-signature"].encode(), payload=answer.content)
        assert jws.validate_compact(signed, key, algorithms=["ES256"])
        found = {one["name"]: one for one in answer.json()["machines"]}
        assert set(found) == {table.name for table in machines.REGISTRY}
        repair = found["repair"]
        assert repair["start"] == "applied"
        assert {"from": "checked", "event": "approve", "to": "approved"} in repair["moves"]
        assert repair["states"][0]["allowed_actions"] == ["check", "refuse", "withdraw", "settle"]
