"""Rules 29 to 33: what everybody may ask, and who else may."""

import io
import zipfile
from typing import Any

import httpx2
import pytest

from core import ids
from tests.api.conftest import Server
from tests.gateworld import LIBRARY


async def joined(server: Server, me: httpx2.AsyncClient) -> None:
    """Take part."""
    assert (await server.join(me)).status_code == 201


async def document(server: Server) -> dict[str, Any]:
    """The published description of the API."""
    async with httpx2.AsyncClient(base_url=server.base_url) as anybody:
        return (await anybody.get("/openapi.json")).json()


class TestOwn:
    """Rules 29 to 31."""

    async def test_rule_29_every_point_has_its_reason_source_and_rule_free_of_charge(self, server: Server) -> None:
        """Data, score, rule, reason of each change, as often as one likes (PIPL 45; SZX 39-40; SH 34; CC 1029)."""
        async with server.logged_in(server.person()) as me:
            await joined(server, me)
            for _ in range(3):
                score = (await me.get("/v1/me/score")).json()
            parts = [one for dimension in score["dimensions"] for one in dimension["indicators"]]
            assert all(one["reason"] and one["basis"]["kind"] for one in parts)
            rule = await me.get(f"/v1/rules/scorecards/{score['scorecard']['id']}")
            assert rule.status_code == 200
            assert (await me.get("/v1/me/score/history")).json()["changes"][0]["cause"]
            assert "records" in (await me.get("/v1/me/records")).json()

    async def test_rule_30_everything_can_be_taken_elsewhere(self, server: Server) -> None:
        """A machine-readable archive with its schema (PIPL 45 ¶3; NDR 25)."""
        async with server.logged_in(server.person()) as me:
            await joined(server, me)
            taken = await me.get("/v1/me/export")
            names = zipfile.ZipFile(io.BytesIO(taken.content)).namelist()
        assert taken.status_code == 200
        assert any(name.endswith(".json") for name in names)

    @pytest.mark.parametrize("about", ["score"])
    async def test_rule_31_a_person_looks_at_any_outcome_on_request(self, server: Server, about: str) -> None:
        """A review by a human, with its day (PIPL 24 ¶3)."""
        async with server.logged_in(server.person()) as me:
            await joined(server, me)
            asked = await me.post("/v1/me/reviews", json={"about": about, "words": "请人工复核。"})
        assert (asked.status_code, asked.json()["state"]) == (201, "opened")


class TestOthers:
    """Rules 32 and 33."""

    async def test_rule_32_nobody_else_learns_anything_without_leave(self, server: Server) -> None:
        """A partner who asks about somebody that gave no leave hears what it hears of nobody (CIR 18; SZX 44)."""
        auth, _ = await server.register("law-partner", "partner", "eligibility:check", perks=[LIBRARY])
        async with (
            server.logged_in(server.person()) as me,
            httpx2.AsyncClient(base_url=server.base_url, auth=auth) as partner,
        ):
            await joined(server, me)
            asked = {"perk": LIBRARY, "holder": {"subject": ids.show("ps", ids.random())}}
            answer = (await partner.post("/v1/partner/eligibility", json=asked)).json()
            own = (await me.get("/v1/me/accesses")).json()["accesses"]
        assert answer["result"] == "standard_route", answer
        assert "reason" not in answer
        assert not [one for one in own if "law-partner" in str(one)]

    async def test_rule_32_no_list_of_people_is_published_or_sold(self, server: Server) -> None:
        """No operation lists people, ranks them or shows somebody's points to another (ZJ 15; SD 20)."""
        paths = (await document(server))["paths"]
        shown = {path for path in paths if "score" in path or "points" in path or "standing" in path}
        assert all(path.startswith(("/v1/me/", "/v1/rules/")) for path in shown)

    async def test_rule_33_what_staff_read_is_logged_with_a_name_a_time_and_a_purpose(self, server: Server) -> None:
        """A matter opened by a clerk stands in its citizen's list; without the scope there is nothing (CIR 22)."""
        clerk = {"clerk": "A-17", "purpose": "review"}
        office, _ = await server.register("law-office", "staff", "staff:reviews")
        other, _ = await server.register("law-other", "staff", "staff:releases")
        async with server.logged_in(server.person()) as me:
            await joined(server, me)
            review = (await me.post("/v1/me/reviews", json={"about": "score", "words": "请看。"})).json()["id"]
            async with httpx2.AsyncClient(base_url=server.base_url, auth=other) as nobody:
                assert (await nobody.get(f"/v1/staff/reviews/{review}", params=clerk)).status_code == 403
            async with httpx2.AsyncClient(base_url=server.base_url, auth=office) as staff:
                assert (await staff.get(f"/v1/staff/reviews/{review}", params=clerk)).status_code == 200
            entries = (await me.get("/v1/me/accesses")).json()["accesses"]
        (look,) = [one for one in entries if "A-17" in str(one)]
        assert look["at"]
        assert "law-office" in str(look)
