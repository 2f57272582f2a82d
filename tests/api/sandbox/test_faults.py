"""Faults that a partner orders strike its own next requests, as often as ordered, after commit where they say so."""

import time

import httpx2
import pytest

from tests.api.sandbox.conftest import LIBRARY, Shop

FAULTS = "/v1/sandbox/faults"
CHECK = "/v1/partner/eligibility"


class TestRequests:
    """`POST /v1/sandbox/faults` for requests."""

    async def test_unavailable_does_nothing(self, shop: Shop) -> None:
        """503 with Retry-After, twice as ordered; the code is not used by it; the third request is answered."""
        drawn = await shop.draw("granted")
        ordered = await shop.http.post(FAULTS, json={"fault": "unavailable", "times": 2})
        assert ordered.json() == {
            "requests": {"fault": "unavailable", "times": 2, "seconds": None}, "webhooks": None,
        }  # fmt: skip
        body = {"perk": LIBRARY, "holder": {"code": drawn["code"]}}
        for _ in range(2):
            lost = await shop.http.post(CHECK, json=body)
            assert (lost.status_code, lost.json()["code"], lost.headers["retry-after"]) == (503, "unavailable", "2")
        assert (await shop.http.post(CHECK, json=body)).json()["result"] == "granted"

    async def test_lost_after_commit_is_done(self, shop: Shop) -> None:
        """A 502 as of a proxy; a repeat with the same key gets the first answer; the code is used."""
        drawn = await shop.draw("granted")
        body = {"perk": LIBRARY, "holder": {"code": drawn["code"]}}
        await shop.http.post(FAULTS, json={"fault": "lost_after_commit"})
        lost = await shop.http.post(CHECK, json=body, headers={"Idempotency-Key": "lost-1"})
        assert (lost.status_code, lost.headers["content-type"]) == (502, "text/html")
        again = await shop.http.post(CHECK, json=body, headers={"Idempotency-Key": "lost-1"})
        assert (again.json()["result"], again.headers["idempotent-replayed"]) == ("granted", "true")
        assert (await shop.http.post(CHECK, json=body)).json()["reason"] == "code_used"

    async def test_a_timeout_after_commit_is_done_too(self, shop: Shop) -> None:
        """The client gives up first; what it did not hear of is there."""
        drawn = await shop.draw("granted")
        body = {"perk": LIBRARY, "holder": {"code": drawn["code"]}}
        await shop.http.post(FAULTS, json={"fault": "timeout_after_commit", "seconds": 2})
        key = {"Idempotency-Key": "timeout-1"}
        with pytest.raises(httpx2.ReadTimeout):
            await shop.http.post(CHECK, json=body, headers=key, timeout=0.5)
        again = await shop.http.post(CHECK, json=body, headers=key)
        assert again.headers["idempotent-replayed"] == "true"

    async def test_slow_holds_back(self, shop: Shop) -> None:
        """For the seconds that were ordered, then it is answered."""
        drawn = await shop.draw("granted")
        await shop.http.post(FAULTS, json={"fault": "slow", "seconds": 1})
        began = time.monotonic()
        answer = await shop.http.post(CHECK, json={"perk": LIBRARY, "holder": {"code": drawn["code"]}})
        assert answer.json()["result"] == "granted"
        assert time.monotonic() - began >= 1

    async def test_a_fault_is_ones_own(self, shop: Shop) -> None:
        """Another partner is answered, and the sandbox itself always is; DELETE takes a fault back."""
        auth, _ = await shop.server.register("neighbour", "partner", "eligibility:check", perks=[LIBRARY])
        await shop.http.post(FAULTS, json={"fault": "unavailable", "times": 20})
        async with httpx2.AsyncClient(base_url=shop.server.base_url, auth=auth) as other:
            assert (await other.get("/v1/partner/perks")).status_code == 200
        assert (await shop.http.get("/v1/sandbox/clock")).status_code == 200
        assert (await shop.http.get("/v1/partner/perks")).status_code == 503
        assert (await shop.http.delete(FAULTS)).status_code == 204
        assert (await shop.http.get(FAULTS)).json() == {"requests": None, "webhooks": None}
        assert (await shop.http.get("/v1/partner/perks")).status_code == 200
