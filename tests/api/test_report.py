"""`/v1/me/report.pdf`: a page that shows what its holder chose, and a number that anybody who has it can check."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from api.public import verifying
from core import clock
from tests.api import reportreader
from tests.api.conftest import Server
from tests.scoringworld import ndjson, water

PATH = "/v1/me/report.pdf"
CHECK = "/v1/rules/reports/verify"


@pytest_asyncio.fixture
async def me(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who takes part."""
    async with server.logged_in(server.person(name="张三明")) as http:
        await server.join(http)
        yield http


async def issued(me: httpx2.AsyncClient, **choice: Any) -> bytes:
    """The PDF for a choice."""
    answer = await me.post(PATH, json=choice)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


async def check(server: Server, number: str) -> dict[str, Any]:
    """What a stranger is told about a number."""
    async with httpx2.AsyncClient(base_url=server.base_url) as stranger:
        answer = await stranger.post(CHECK, json={"number": number})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def newest(me: httpx2.AsyncClient) -> dict[str, Any]:
    """The holder's newest report."""
    return (await me.get("/v1/me/reports")).json()["reports"][0]


class TestIssue:
    """The page."""

    async def test_a_plain_get_gives_one_page_with_points_and_tier(self, me: httpx2.AsyncClient) -> None:
        """Points, tier, masked name, days and number stand on it, and nothing that was not chosen."""
        answer = await me.get(PATH)
        assert answer.status_code == 200
        said = reportreader.text(answer.content)
        number = (await newest(me))["number"]
        assert [word for word in ("110.0", "铜", "张*明", number, "不得用于贷款") if word not in said] == []
        assert [word for word in ("张三明", "各部分得分", "近一年谁", "计分的记录") if word in said] == []
        assert len(reportreader.pictures(answer.content)) == 1

    async def test_its_code_is_read_from_an_80_dpi_picture(self, server: Server, me: httpx2.AsyncClient) -> None:
        """The code is our address with the number behind `#`, where no log sees it."""
        pdf = await issued(me)
        number = (await newest(me))["number"].replace("-", "")
        assert reportreader.code(pdf) == f"{server.base_url}/verify#{number}"

    async def test_everything_that_can_be_chosen_still_fits_one_page(
        self, server: Server, me: httpx2.AsyncClient
    ) -> None:
        """Dimensions with deductions, records, queries, the full name, and for whom it is."""
        pdf = await issued(
            me, dimensions=True, records=True, queries=True, full_name=True, recipient="江南文化旅游公司"
        )
        said = reportreader.text(pdf)
        for word in (
            "张三明",
            "履约守诺",
            "清白年度",
            "扣分",
            "现在计分的记录",
            "仅供江南文化旅游公司查看",
            "近一年谁",
        ):
            assert word in said, word
        assert len(reportreader.pictures(pdf)) == 1

    async def test_the_same_choice_on_the_same_day_is_the_same_page(self, me: httpx2.AsyncClient) -> None:
        """Byte for byte, under one number; another choice gets another."""
        first, again = await issued(me), await issued(me)
        assert first == again
        assert len((await me.get("/v1/me/reports")).json()["reports"]) == 1
        await issued(me, points=False)
        assert len((await me.get("/v1/me/reports")).json()["reports"]) == 2

    async def test_nothing_chosen_is_no_report(self, me: httpx2.AsyncClient) -> None:
        """422, and nothing issued."""
        answer = await me.post(PATH, json={"points": False, "tier": False})
        assert (answer.status_code, answer.json()["code"]) == (422, "nothing_chosen")
        assert (await me.get(PATH, params={"days": 91})).status_code == 422
        assert (await me.get("/v1/me/reports")).json()["reports"] == []

    async def test_without_points_there_is_none(self, server: Server) -> None:
        """404 `not_enrolled`."""
        async with server.logged_in(server.person()) as stranger:
            answer = await stranger.get(PATH)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_enrolled")

    async def test_the_full_name_takes_a_fresh_login(
        self, me: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Eleven minutes after the login the masked page is given still, the name is not."""
        from api.identity import stepup

        now = stepup.clock.wall()
        later = type("Later", (), {"wall": staticmethod(lambda: now + timedelta(minutes=11))})
        with monkeypatch.context() as patch:
            patch.setattr(stepup, "clock", later)
            await issued(me)
            answer = await me.post(PATH, json={"full_name": True})
        assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")

    async def test_many_at_once_are_all_printed(self, me: httpx2.AsyncClient) -> None:
        """Sixteen choices side by side: no compiler is used by two threads."""
        pages = await asyncio.gather(*[issued(me, days=days) for days in range(1, 17)])
        assert len(set(pages)) == 16

    async def test_there_is_a_limit_to_what_can_be_checked(self, me: httpx2.AsyncClient) -> None:
        """The 21st that lives is refused; after one is stopped there is room."""
        for days in range(1, 21):
            await issued(me, days=days)
        answer = await me.post(PATH, json={"days": 30})
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_reports")
        await me.delete(f"/v1/me/reports/{(await newest(me))['id']}")
        await issued(me, days=30)

    @pytest.mark.parametrize("name", ['#panic("x") *粗* $x$', "𠮷野\u202e王", "买买提·吐尔逊"])
    async def test_a_name_is_text_whatever_it_holds(self, server: Server, name: str) -> None:
        """No markup of typst, no direction mark; a character without a glyph is 〓, and the line says so."""
        async with server.logged_in(server.person()) as http:
            await server.join(http)
            said = reportreader.text(await issued(http, recipient=name))
        shown = name.replace("𠮷", "〓").replace("\u202e", "").replace(" ", "")
        assert f"仅供{shown}查看" in said
        assert ("是字库里没有的字" in said) == ("〓" in shown)


class TestCheck:
    """The number."""

    async def test_it_shows_what_was_chosen_and_no_more(self, server: Server, me: httpx2.AsyncClient) -> None:
        """Word for word what stands on the page, by any spelling of the number."""
        pdf = await issued(me, points=False, dimensions=True)
        number = (await newest(me))["number"]
        told = await check(server, number.lower().replace("-", " "))
        assert told["valid"]
        one = told["report"]
        assert [fact["label"] for fact in one["headline"]] == ["等级"]
        assert [part["title"] for part in one["parts"]] == ["各部分得分"]
        assert {fact["label"]: fact["value"] for fact in one["facts"]}["持有人"] == "张*明"
        said = reportreader.text(pdf)
        values = [fact["value"] for fact in one["facts"]] + [
            row["value"] for part in one["parts"] for row in part["rows"]
        ]
        assert [value for value in values if value.replace(" ", "") not in said] == []
        from hashlib import sha256

        assert one["pdf_sha256"] == sha256(pdf).hexdigest()

    async def test_its_holder_reads_of_every_check(self, server: Server, me: httpx2.AsyncClient) -> None:
        """An entry for each that found something, and none for the holder's own look."""
        await issued(me)
        number = (await newest(me))["number"]
        for _ in range(2):
            await check(server, number)
        seen = (await me.get("/v1/me/accesses")).json()["accesses"]
        mine = [(one["action"], one["by"]) for one in seen if one["action"].startswith("report")]
        assert mine == [("report.check", "持有报告编号的人")] * 2 + [("report.issue", "本人")]

    async def test_what_is_over_looks_like_what_never_was(self, server: Server, me: httpx2.AsyncClient) -> None:
        """Unknown, stopped, expired, withdrawn: the same answer to the byte, and no entry."""
        numbers = []
        for days in (1, 2, 3):
            await issued(me, days=days)
            numbers.append(await newest(me))
        never = await check(server, "00000-00000-00000-00000")
        assert never == {"valid": False, "report": None}
        await me.delete(f"/v1/me/reports/{numbers[0]['id']}")
        assert await check(server, numbers[0]["number"]) == never
        owner = await asyncpg.connect(server.owner_url)
        try:
            await owner.execute(
                "update scoring.report set expires_at = $1 where id = (select id from scoring.report "
                "where citizen_id = (select citizen_id from scoring.report order by id desc limit 1) "
                "order by id offset 1 limit 1)",
                clock.civil() - timedelta(seconds=1),
            )
            assert await check(server, numbers[1]["number"]) == never
            assert (await check(server, numbers[2]["number"]))["valid"]
            consent = (await me.get("/v1/me/consents")).json()["consents"][0]
            await me.delete(f"/v1/me/consents/{consent['id']}")
            assert await check(server, numbers[2]["number"]) == never
            assert (await me.get("/v1/me/reports")).json()["reports"] == []
        finally:
            await owner.close()
        seen = (await me.get("/v1/me/accesses")).json()["accesses"]
        assert [one["action"] for one in seen].count("report.check") == 1

    async def test_withdrawing_erases_row_and_key(self, lone_server: Server) -> None:
        """Nothing is left of a report, nor of the key under which it lay. PIPL article 47."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            consent = (await server.join(me)).json()["id"]
            await issued(me)
            await me.delete(f"/v1/me/consents/{consent}")
        owner = await asyncpg.connect(server.owner_url)
        left = await owner.fetchval("select count(*) from scoring.report")
        keys = await owner.fetchval("select count(*) from keys.person_key where purpose = 'reports'")
        await owner.close()
        assert (left, keys) == (0, 0)

    async def test_one_number_is_not_checked_without_end(
        self, server: Server, me: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """429 beyond the limit, for a number that never was as for one that is."""
        monkeypatch.setattr(verifying, "PER_NUMBER", 2)
        await issued(me)
        for number in ((await newest(me))["number"], "7" * 20):
            async with httpx2.AsyncClient(base_url=server.base_url) as stranger:
                said = [(await stranger.post(CHECK, json={"number": number})).status_code for _ in range(3)]
            assert said == [200, 200, 429]

    async def test_nobody_stops_anothers(self, server: Server, me: httpx2.AsyncClient) -> None:
        """404, and the number is still checked."""
        await issued(me)
        held = await newest(me)
        async with server.logged_in(server.person()) as other:
            await server.join(other)
            assert (await other.delete(f"/v1/me/reports/{held['id']}")).status_code == 404
        assert (await check(server, held["number"]))["valid"]


class TestPages:
    """The same in a browser."""

    async def test_the_form_works_without_scripts(self, server: Server, me: httpx2.AsyncClient) -> None:
        """A typed number shows the contents; an unknown one says what it does not mean."""
        await issued(me, dimensions=True)
        number = (await newest(me))["number"]
        async with httpx2.AsyncClient(base_url=server.base_url) as stranger:
            empty = await stranger.get("/verify")
            shown = await stranger.post("/verify", data={"number": number})
            unknown = await stranger.post("/verify", data={"number": "1" * 20})
        assert empty.status_code == 200
        assert [word for word in ("这份报告有效", "张*明", "履约守诺", "不得用于贷款") if word not in shown.text] == []
        assert number not in shown.text
        assert "查不到有效的报告" in unknown.text

    async def test_the_records_that_count_are_counted(self, lone_server: Server) -> None:
        """Two months of water are two records."""
        server, person = lone_server, lone_server.person()
        auth, _ = await server.register("utilities", "source", "records:write", kinds=["P01"])
        async with server.logged_in(person) as me:
            await server.join(me)
            async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as http:
                lines = ndjson(water("a", person["id_number"]), water("b", person["id_number"], back=2))
                await http.post("/v1/source/records", content=lines, headers={"Content-Type": "application/x-ndjson"})
            said = reportreader.text(await issued(me, records=True))
        assert "现在计分的记录2条" in said.replace("\n", "")
