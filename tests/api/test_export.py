"""`GET /v1/me/export`: everything held about a person, and nothing of anybody else's."""

import io
import json
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from api.citizen import archive
from api.tool.caller import Signed
from auth import holdings
from core import ids
from core.settings import ROOT
from incentives.orders.tables import metadata
from tests.api import jsonschema
from tests.api.conftest import Server
from tests.scoringworld import hours, ndjson, penalty, water

CHECKER = ROOT / "docs" / "examples" / "check_export.py"
PERSONAL = {"citizen_id", "owner", "record_subject"}
# How each table with such a column comes into the archive, or why it does not.
EXPORTED = {
    "auth.consent": "consents, codes_drawn",
    "auth.matter": "reviews, corrections",
    "auth.source_subject": "sources",
    "core.audit_entry": "accesses",
    "scoring.standing": "enrolment.score",
    "scoring.standing_change": "enrolment.history",
    "scoring.record": "enrolment.records",
    "scoring.statement": "enrolment.records[].statement",
    "scoring.dispute": "disputes, enrolment.records[].suspended",
    "scoring.refusal": "enrolment.refused",
    "scoring.report": "reports",
    "scoring.career_record": "occupational",
    "scoring.repair": "repairs",
    "scoring.right_event": "repairs[].history, declarations[].history",
    "scoring.declaration": "declarations",
    "scoring.commitment": "commitments",
    "scoring.history_pull": "enrolment.asked",
    "incentives.decision": "decisions",
    "incentives.credit_code": "codes",
    "incentives.perk_order": "orders",
    "incentives.ride_day": "rides",
    "incentives.plate": "plates",
}
LEFT_OUT = {
    "incentives.exposure": "sums over the orders that are in the archive",
    "incentives.credential_offer": "digests of an offer of five minutes, gone within a day; accesses tell of it",
    "scoring.career": "that somebody consented to occupational reports: consents says so",
    "scoring.career_source": "which sources may send for them, as digests: consents names the sources",
    "keys.person_key": "keys are no data about the person; in an archive they would open what is sealed elsewhere",
    "keys.erased": "whose keys were destroyed: a number, kept so that a restored backup is erased again",
    "scoring.link": "a sealed thread; it says nothing but which random number stands for the person",
    "scoring.live": "the same thread from the other end",
    "scoring.staging": "records for the seconds of their way into scoring.record",
}


async def taken(me: httpx2.AsyncClient) -> dict[str, bytes]:
    """The archive's files."""
    answer = await me.get("/v1/me/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/zip")
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


async def source(server: Server, name: str) -> Signed:
    """A source in the notice, with some kinds."""
    auth, _ = await server.register(name, "source", "records:write", kinds=["P01", "P08", "N01"])
    return auth


async def pushed(server: Server, auth: Signed, *lines: Any) -> None:
    """Send lines."""
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as http:
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await http.post("/v1/source/records", content=ndjson(*lines), headers=headers)
        assert answer.json()["rejected"] == [], answer.text


class TestExport:
    """The archive of a person who took part in everything."""

    async def test_everything_is_in_it_and_the_checker_agrees(self, lone_server: Server, tmp_path: Path) -> None:
        """Profile, consents, records with words, score, history, refusals, reviews, accesses; schema; points; keys."""
        server, person = lone_server, lone_server.person(name="欧阳若兰")
        auth = await source(server, "utilities")
        async with server.logged_in(person) as me:
            await server.join(me)
            who = person["id_number"]
            await pushed(server, auth, water("r1", who), hours("h1", who), penalty("n1", who))
            held = (await me.get("/v1/me/records")).json()["records"]
            assert len(held) == 3, "the source is named by the notice"
            deduction = next(one for one in held if not one["positive"])
            await me.post(f"/v1/me/records/{deduction['id']}/statement", json={"words": "已缴清"})
            await me.put("/v1/me/records/categories/P12/refusal")
            await me.post("/v1/me/reviews", json={"about": "score", "words": "请看一下"})
            await me.post("/v1/me/corrections", json={"about": "profile.name", "words": "名字有一个字不对"})
            await me.post("/v1/me/disputes", json={"record": deduction["id"], "reason": "lapsed", "words": "已撤销"})
            await me.post("/v1/me/credit-code", json={"perk": "library.deposit-free"})
            files = await taken(me)
            schema = (await me.get("/v1/rules/export.schema.json")).json()
            jwks = (await me.get("/.well-known/jwks.json")).json()
        data = json.loads(files["export.json"])
        assert list(jsonschema.faults(data, schema, schema)) == []
        assert data["profile"]["name"] == "欧阳若兰"
        assert data["profile"]["id_number"] == who
        assert [one["purpose"] for one in data["consents"]] == ["score"]
        enrolment = data["enrolment"]
        assert {one["ref"]: one["statement"] for one in enrolment["records"]} == {
            "r1": None, "h1": None, "n1": "已缴清"
        }  # fmt: skip
        assert next(one for one in enrolment["records"] if one["ref"] == "n1")["document"]["no"] == "罚1号"
        assert enrolment["history"]
        assert [one["kind"] for one in enrolment["refused"]] == ["P12"]
        assert [one["words"] for one in data["reviews"]] == ["请看一下"]
        assert [one["words"] for one in data["corrections"]] == ["名字有一个字不对"]
        assert [(one["words"], one["history"][0]["event"]) for one in data["disputes"]] == [("已撤销", "open")]
        assert [len(one["suspended"]) for one in enrolment["records"] if one["ref"] == "n1"] == [1]
        assert {"records.write", "consent.give", "export"} <= {one["action"] for one in data["accesses"]}
        assert data["ways_in"]["token"]
        readme = files["README.txt"].decode()
        assert f"{enrolment['score']['points']:g}分" in readme
        path, keys = tmp_path / "e.zip", tmp_path / "jwks.json"
        with zipfile.ZipFile(path, "w") as opened:
            for name, body in files.items():
                opened.writestr(name, body)
        keys.write_text(json.dumps(jwks))
        done = subprocess.run(
            [sys.executable, "-I", str(CHECKER), str(path), str(keys)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout

    async def test_nobody_else_is_in_it(self, server: Server) -> None:
        """Another citizen's name, number and ids stand nowhere in it."""
        other = server.person(name="司马相如")
        async with server.logged_in(other) as them:
            theirs = (await server.join(them)).json()["id"]
            await them.post("/v1/me/reviews", json={"about": "score", "words": "别人的话"})
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            files = await taken(me)
        whole = b"".join(files.values()).decode()
        assert [word for word in ("司马相如", other["id_number"], theirs, "别人的话") if word in whole] == []

    async def test_nothing_that_opens_anything_is_in_it(self, server: Server) -> None:
        """No CSRF token, no key, no digest, no record subject."""
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            data = json.loads((await taken(me))["export.json"])
        names = {name for rows in data["ways_in"].values() for row in rows for name in row}
        assert not names & {"csrf", "hash", "jti_hash", "id_digest", "account", "sealed_profile", "jkt", "challenge"}
        assert "record_subject" not in json.dumps(data)

    async def test_without_points_there_is_still_an_archive(self, server: Server) -> None:
        """Who never joined takes their profile and their log away."""
        async with server.logged_in(server.person()) as me:
            files = await taken(me)
        data = json.loads(files["export.json"])
        assert (data["enrolment"], data["consents"]) == (None, [])
        assert "没有加入" in files["README.txt"].decode()

    async def test_an_old_login_is_asked_to_log_in_again(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """Eleven minutes after the login: 401 with the challenge, and no entry."""
        from datetime import timedelta

        from api.identity import stepup

        async with server.logged_in(server.person()) as me:
            await me.get("/v1/me")
            now = stepup.clock.wall()
            later = type("Later", (), {"wall": staticmethod(lambda: now + timedelta(minutes=11))})
            with monkeypatch.context() as patch:
                patch.setattr(stepup, "clock", later)
                answer = await me.get("/v1/me/export")
            assert answer.status_code == 401
            assert "insufficient_user_authentication" in answer.headers["www-authenticate"]
            assert (await me.get("/v1/me/accesses")).json()["accesses"] == []


class TestCatalogue:
    """Nothing that the database holds about a person is forgotten."""

    def test_every_table_about_persons_is_exported_or_has_a_reason(self) -> None:
        """A table with a citizen's id, an owner or a record subject is on one list or the other, and on one alone."""
        about = {table.fullname for table in metadata.tables.values() if PERSONAL & set(table.c.keys())}
        about -= {table.fullname for table in holdings.tables()}
        assert about - set(EXPORTED) - set(LEFT_OUT) == set(), "put it into the archive, or say why not"
        assert not set(EXPORTED) & set(LEFT_OUT)
        assert (set(EXPORTED) | set(LEFT_OUT)) <= about, "a name on the lists that is no such table"

    def test_the_room_of_logins_reads_all_its_tables(self) -> None:
        """Each table of `ways_in` is one that carries a citizen's id."""
        found = {table.name for table in holdings.tables()}
        assert {"session", "token", "code"} <= found
        assert not found & holdings.APART

    async def test_no_column_is_a_person_by_another_name(self, database: str) -> None:
        """Every uuid column whose name speaks of a person is one that the test above looks for."""
        connection = await asyncpg.connect(database)
        try:
            rows = await connection.fetch(
                "select table_schema || '.' || table_name as t, column_name as c from information_schema.columns "
                "where table_schema in ('keys', 'core', 'auth', 'scoring', 'incentives') and data_type = 'uuid' "
                "and column_name ~ '(citizen|owner|holder|person|subject|giver|helper|principal)'"
            )
        finally:
            await connection.close()
        other = {(row["t"], row["c"]) for row in rows if row["c"] not in PERSONAL}
        pairwise = ("auth.consent", "auth.live_consent", "incentives.plate_pair")  # what a partner sees
        assert other == {(name, "subject") for name in pairwise}


def test_an_id_of_an_export_is_an_id_of_the_api() -> None:
    """Records carry the prefix that /v1/me/records shows."""
    assert ids.show("rc", uuid.UUID(int=0)).startswith("rc_")
    assert archive.FORMAT.startswith("osmanthus-export")
