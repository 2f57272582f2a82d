"""Who takes part hears of a change of the rules before it rules, and what it does to them, computed for them alone."""

from datetime import timedelta

from api.staff import publication
from core import clock
from core.releases import Release
from core.settings import ROOT
from scoring.batch import nightly
from tests.api.conftest import Server
from tests.api.pagereader import Browser

CARD = (ROOT / "policy" / "scorecard" / "2026-01-01.toml").read_text()
RENTAL = (ROOT / "policy" / "perks" / "rental.toml").read_text()
STRICTER = CARD.replace('name = "铜"\nfrom = 110', 'name = "铜"\nfrom = 111')
LATER = clock.today() + timedelta(days=8)


async def publish(server: Server, kind: str, name: str, body: str, days: int = 8) -> Release:
    """Draft and approve for a day to come."""
    async with server.house.doors.work("staff") as session:
        day = clock.today() + timedelta(days=days)
        made = await publication.draft(session, kind=kind, name=name, body=body, effective_on=day, by="li")
        return await publication.approve(session, release_id=made.id, by="wang")


class TestHearing:
    """`/v1/me/rule-changes`."""

    async def test_who_takes_part_hears_what_changes_and_what_it_does_to_them(self, lone_server: Server) -> None:
        """From the approval on, in plain Chinese, with both results; withdrawn, it is told no more."""
        async with lone_server.logged_in(lone_server.person()) as me:
            assert (await lone_server.join(me)).status_code == 201
            assert (await me.get("/v1/me/rule-changes")).json() == {"changes": []}
            release = await publish(lone_server, "scorecard", f"{LATER}.toml", STRICTER)
            (told,) = (await me.get("/v1/me/rule-changes")).json()["changes"]
            assert (told["state"], told["begins_on"]) == ("coming", str(LATER))
            assert told["what"] == ["等级“铜”：起点分由110改为111。"]
            effect = (await me.get(f"/v1/me/rule-changes/{told['id']}")).json()
            perks = effect["before"]["perks"]  # every perk from 110 on, and none of the dearer ones
            assert "library.deposit-free" in perks
            assert "rental.deposit-free" not in perks
            assert effect["before"] == {"points": 110.0, "tier": "铜", "perks": perks}
            assert effect["after"] == {"points": 110.0, "tier": "基础", "perks": perks}
            assert effect["text"] == "按您现在的记录，分数不变，等级由“铜”变为“基础”。"
            async with lone_server.house.doors.work("staff") as session:
                await publication.withdraw(session, release_id=release.id, by="li")
            assert (await me.get("/v1/me/rule-changes")).json() == {"changes": []}
            assert (await me.get(f"/v1/me/rule-changes/{told['id']}")).status_code == 404

    async def test_a_perk_that_is_lost_and_one_that_is_gained(self, lone_server: Server) -> None:
        """Said by name; whoever loses one is told that the standard way stays."""
        async with lone_server.logged_in(lone_server.person()) as me:
            await lone_server.join(me)
            await publish(lone_server, "perks", "rental.toml", RENTAL.replace("threshold = 120", "threshold = 110"))
            (told,) = (await me.get("/v1/me/rule-changes")).json()["changes"]
            effect = (await me.get(f"/v1/me/rule-changes/{told['id']}")).json()
            assert told["what"] == ["免押金租用：门槛由120分改为110分。"]
            assert effect["text"] == "按您现在的记录，分数不变，新得到：免押金租用。"

    async def test_who_does_not_take_part_hears_nothing(self, lone_server: Server) -> None:
        """Neither before joining nor after leaving."""
        release = await publish(lone_server, "scorecard", f"{LATER}.toml", STRICTER)
        async with lone_server.logged_in(lone_server.person()) as me:
            assert (await me.get("/v1/me/rule-changes")).json() == {"changes": []}
            joined = await lone_server.join(me)
            assert len((await me.get("/v1/me/rule-changes")).json()["changes"]) == 1
            await me.delete(f"/v1/me/consents/{joined.json()['id']}")
            assert (await me.get("/v1/me/rule-changes")).json() == {"changes": []}
        assert release.approved_by == "wang"

    async def test_the_page_says_so_and_the_history_names_the_cause(self, lone_server: Server) -> None:
        """A line on the first page leads to the change; once the day has come, the cause of the move is the rules."""
        browser = Browser(lone_server)
        await browser.join(lone_server.person())
        await publish(lone_server, "scorecard", f"{LATER}.toml", STRICTER)
        home = await browser.go("/")
        assert "评分规则有变化" in home.text
        page = await browser.go("/changes")
        assert "等级由“铜”变为“基础”" in page.text
        assert " style=" not in browser.answer.text
        await nightly.run(lone_server.house.doors, as_of=LATER)
        assert "评分规则变更" in (await browser.go("/history")).text
        await browser.http.aclose()
