"""No draft rules before its rehearsal was seen by a second person, and before everybody could hear of it."""

from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from core import audit, clock, embedded
from core.db import Doors
from core.keys import Keyring
from core.settings import ROOT
from incentives.receipts import KID
from tests.api.rehearsed import KINDER, LATER, STRICTER, approved, drafted, rehearsed
from tests.api.shopworld import Shop, assess, open_shop
from tests.clones import clone
from tests.conftest import PREFIX
from tests.scoringworld import TODAY, City, hours, id_number, water

PEOPLE = 24


@pytest_asyncio.fixture(scope="module")
async def peopled(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[str]:
    """A template with the shipped rules and 24 people: half at 110.5, half at 123.3 points."""
    async with clone(cluster, city_template) as url:
        doors = Doors(url, ring, PREFIX)
        city, lines = City(doors, url), list[dict[str, Any]]()
        for order in range(PEOPLE):
            who = id_number(order + 1)
            await city.join(who)
            lines.append(water(f"w{order}", who))
            if order % 2:
                lines += [hours(f"h{order}-{day}", who, hours=8, days=day) for day in range(3, 11)]
        await city.push(*lines)
        await doors.close()
        yield url.rpartition("/")[2].partition("?")[0]


@pytest_asyncio.fixture
async def office(cluster: embedded.Cluster, peopled: str, ring: Keyring) -> AsyncIterator[Shop]:
    """An office over that city."""
    async with clone(cluster, peopled) as url, open_shop(url, ring) as opened:
        await assess(opened.house)
        yield opened


class TestApproval:
    """What must have happened before."""

    async def test_the_whole_way(self, office: Shop) -> None:
        """Draft, rehearsal, a second person who names the report, and a day that is far enough."""
        release = await drafted(office)
        unseen = await approved(office, release, None)
        assert (unseen.status_code, unseen.json()["code"]) == (409, "rehearsal_needed")
        done = await rehearsed(office, release)
        assert (done["state"], done["done"], done["total"], done["digest"]) == (
            "done",
            PEOPLE,
            PEOPLE,
            release["digest"],
        )
        answer = await approved(office, release, done["report_digest"])
        assert answer.status_code == 200, answer.text
        assert (answer.json()["state"], answer.json()["rehearsal"]) == ("approved", done["report_digest"])

    async def test_nobody_approves_their_own_draft(self, office: Shop) -> None:
        """Not even rehearsed."""
        release = await drafted(office)
        done = await rehearsed(office, release)
        answer = await approved(office, release, done["report_digest"], "s_drafter")
        assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")

    async def test_other_bytes_than_the_rehearsed_are_refused(self, office: Shop) -> None:
        """The report of another draft, however alike, is no report of this one."""
        done = await rehearsed(office, await drafted(office))
        other = await drafted(office, STRICTER + "# another byte\n")
        for seen in (done["report_digest"], "0" * 64):
            answer = await approved(office, other, seen)
            assert (answer.status_code, answer.json()["code"]) == (409, "rehearsal_needed")

    async def test_an_old_rehearsal_is_stale(self, office: Shop) -> None:
        """After its fourteen days it holds no more; nor once something else rules beside the draft."""
        release = await drafted(office)
        done = await rehearsed(office, release)
        await office.city.do("update scoring.rehearsal set made_at = now() - interval '15 days'")
        answer = await approved(office, release, done["report_digest"])
        assert (answer.status_code, answer.json()["code"]) == (409, "rehearsal_stale")
        await office.city.do("update scoring.rehearsal set made_at = now(), against = 'another'")
        answer = await approved(office, release, done["report_digest"])
        assert (answer.status_code, answer.json()["code"]) == (409, "rehearsal_stale")

    async def test_what_may_lower_somebody_is_told_before(self, office: Shop) -> None:
        """A stricter rule for tomorrow is too soon; a kinder one may begin today."""
        soon = await drafted(office, on=clock.today() + timedelta(days=6))
        done = await rehearsed(office, soon)
        assert done["report"]["may_lower"] is True
        answer = await approved(office, soon, done["report_digest"])
        assert (answer.status_code, answer.json()["code"]) == (409, "too_soon")
        assert str(clock.today() + timedelta(days=7)) in answer.json()["detail"]
        kind = await drafted(office, KINDER, on=clock.today())
        done = await rehearsed(office, kind)
        assert done["report"]["may_lower"] is False
        assert (await approved(office, kind, done["report_digest"])).json()["state"] == "in_force"

    async def test_an_empty_city_rehearses_nothing(
        self, cluster: embedded.Cluster, city_template: str, ring: Keyring
    ) -> None:
        """There is nobody to change anything for."""
        async with clone(cluster, city_template) as url, open_shop(url, ring) as office:
            await assess(office.house)
            release = await drafted(office, on=clock.today())
            assert (await approved(office, release, None)).json()["state"] == "in_force"


class TestRehearsal:
    """What is asked and what comes out."""

    async def test_the_report(self, office: Shop) -> None:
        """Signed counts of at least ten, and of nobody anything."""
        done = await rehearsed(office, await drafted(office))
        figures = done["report"]["figures"]
        assert figures["tiers"]["old"] == ["基础", "铜", "银", "金", "桂"]
        silver = figures["tiers"]["moved"][2]
        assert 10 <= silver[1] <= PEOPLE / 2 + 4
        assert silver[0] is None
        assert figures["points"]["lower"] is None
        rental = next(one for one in figures["perks"] if one["id"] == "rental.deposit-free")
        assert rental["lost"] is None  # the perk's threshold stays where it was
        assert [change["what"] for change in done["report"]["changes"]] == ["起点分"]
        assert done["report"]["efforts"]
        library = next(one for one in done["report"]["inference"] if one["partner"] == "p_library")
        assert (library["per_perk"], library["then"]) == (1.0, 1.0)
        head, said, signature = done["statement"].split(".")
        public: Any = office.house.ring.ed25519(KID).public_key
        public.verify(b64url(signature), f"{head}.{said}".encode())
        assert done["report_digest"].encode() in b64url(said)
        everything = str(done)
        for row in await office.city.rows("select citizen_id::text as id from scoring.link"):
            assert row["id"] not in everything

    async def test_no_standing_moves(self, office: Shop) -> None:
        """A rehearsal writes nothing about anybody."""
        query = "select citizen_id, scorecard, points, tier, computed_at from scoring.standing order by 1"
        before = await office.city.rows(query)
        changes = await office.city.rows("select count(*) from scoring.standing_change")
        await rehearsed(office, await drafted(office))
        assert await office.city.rows(query) == before
        assert await office.city.rows("select count(*) from scoring.standing_change") == changes

    async def test_everybody_reads_that_it_happened(self, office: Shop) -> None:
        """One entry about nobody, which each who took part finds among their own, and nobody else does."""
        await rehearsed(office, await drafted(office))
        entries = await office.city.rows(
            "select owner, actor from core.audit_entry where action = 'everyone.rehearsal'"
        )
        assert [(one["owner"], one["actor"]) for one in entries] == [(None, "jobs")]
        city = City(office.house.doors, office.house.settings.database_url)
        (one,) = await office.city.rows("select citizen_id from scoring.link limit 1")
        late = await city.join(id_number(77))
        for citizen_id, expected in ((one["citizen_id"], 1), (late, 0)):
            async with city.as_citizen(citizen_id) as session:
                found = await audit.about(session, owner=citizen_id, limit=50)
            assert sum(entry.action == "everyone.rehearsal" for entry in found) == expected

    async def test_the_same_again_is_the_same_one(self, office: Shop) -> None:
        """Asking twice averages nothing out."""
        release = await drafted(office)
        first, second = await rehearsed(office, release), await rehearsed(office, release)
        assert (first["id"], first["report_digest"]) == (second["id"], second["report_digest"])

    async def test_a_draft_that_differs_for_few_gets_the_others_numbers(self, office: Shop) -> None:
        """Two reports that differ for fewer than ten people would tell of them by subtraction."""
        city = City(office.house.doors, office.house.settings.database_url)
        lonely = id_number(88)
        await city.join(lonely)
        award = {"title": "好人", "level": "city"}
        paper = {"no": "1", "authority": "x", "effective_on": str(TODAY - timedelta(days=9))}
        line = {"ref": "a1", "version": 1, "kind": "P14", "id_number": lonely, "document": paper, "fields": award,
                "occurred_on": str(TODAY - timedelta(days=9))}  # fmt: skip
        await city.push(line)
        first = await rehearsed(office, await drafted(office, KINDER))
        only_theirs = KINDER.replace('name = "金"\nfrom = 135', 'name = "金"\nfrom = 116')
        assert only_theirs != KINDER
        second = await rehearsed(office, await drafted(office, only_theirs, on=LATER + timedelta(days=1)))
        assert second["figures_of"] is None  # half the city reaches 116 by hours
        nobody_else = KINDER.replace('name = "桂"\nfrom = 150', 'name = "桂"\nfrom = 149')
        third = await rehearsed(office, await drafted(office, nobody_else, on=LATER + timedelta(days=2)))
        assert third["figures_of"] == first["id"]
        assert third["report"]["figures"] == first["report"]["figures"]

    async def test_what_changes_nobodys_points_is_not_rehearsed(self, office: Shop) -> None:
        """A case has nothing to rehearse; a release in force neither."""
        case = (ROOT / "policy" / "cases" / "clean-adult.toml").read_text() + "# again"
        release = await drafted(office, case, on=clock.today(), kind="cases", name="clean-adult.toml")
        assert await _refused(office, release["id"]) == (409, "nothing_to_rehearse")
        assert (await approved(office, release, None)).status_code == 200
        assert await _refused(office, release["id"]) == (409, "illegal_transition")

    async def test_too_many_are_refused(self, office: Shop) -> None:
        """Nobody feels their way by many small changes."""
        release = await drafted(office)
        await rehearsed(office, release)
        await office.city.do(
            "insert into scoring.rehearsal (id, release_id, digest, against, effective_on, asked_by, asked_at, state, "
            "done, total) select gen_random_uuid(), release_id, 'x', against, effective_on, 'x', now(), 'failed', 0, 0 "
            "from scoring.rehearsal, generate_series(1, 19)"
        )
        other = await drafted(office, KINDER)
        answer = await office.callers["s_drafter"].request("POST", f"/v1/staff/releases/{other['id']}/rehearsals")
        assert answer.status_code == 429

    async def test_who_may(self, office: Shop) -> None:
        """Nobody without the staff role and scope; an unknown one is 404; a page before its time is 409."""
        release = await drafted(office)
        path = f"/v1/staff/releases/{release['id']}/rehearsals"
        assert (await office.http.post(path)).status_code == 401
        assert (await office.callers["p_library"].request("POST", path)).status_code == 403
        asked = (await office.callers["s_drafter"].request("POST", path)).json()
        assert asked["state"] == "queued"
        early = await office.callers["s_drafter"].request("GET", f"/v1/staff/rehearsals/{asked['id']}/page")
        assert (early.status_code, early.json()["code"]) == (409, "rehearsal_not_done")
        assert (await office.callers["s_drafter"].request("GET", "/v1/staff/rehearsals/rh_0")).status_code == 404
        page = await office.callers["s_drafter"].request(
            "GET", f"/v1/staff/rehearsals/{(await rehearsed(office, release))['id']}/page"
        )
        assert page.status_code == 200
        assert page.text.count("<svg") >= 6
        assert " style=" not in page.text


async def _refused(office: Shop, release_id: str) -> tuple[int, str]:
    """What asking for a rehearsal is answered with."""
    answer = await office.callers["s_drafter"].request("POST", f"/v1/staff/releases/{release_id}/rehearsals")
    return answer.status_code, answer.json()["code"]


def b64url(text: str) -> bytes:
    """The bytes behind base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
