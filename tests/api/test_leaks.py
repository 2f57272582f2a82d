"""A canary goes through the main job; afterwards every byte that was written anywhere is searched for it."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import app
from core import clock, embedded, keys, sealed
from core.keys import KeyGone, Keyring
from core.postgres.engine import engine_of
from core.tables import person_key
from scoring.holders import LINK
from scoring.staging import SEALED
from scoring.tables import link, record
from tests.api.canary import Canary, dump, forms, found
from tests.api.conftest import Server, serving
from tests.clones import clone

PERK = "library.deposit-free"
CANARY = Canary()
NDJSON = {"Content-Type": "application/x-ndjson"}


class Heard(msgspec.Struct):
    """What each party received, byte for byte with headers, and what was logged."""

    by: dict[str, list[httpx2.Response]]
    log: io.StringIO

    def listening(self, who: str) -> dict[str, list[Any]]:
        """Event hooks that keep every answer to a party."""

        async def keep(answer: httpx2.Response) -> None:
            await answer.aread()
            self.by.setdefault(who, []).append(answer)

        return {"response": [keep]}

    def text(self, *who: str) -> str:
        """Everything that these parties received."""
        return "\n".join(f"{one.headers}\n{one.text}" for name in who for one in self.by[name])


class Run(msgspec.Struct):
    """The main job of one canary, over."""

    server: Server
    heard: Heard
    person: Mapping[str, Any]
    words: dict[str, str]
    points: tuple[float, ...]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """The server's log, as `app.log_to_stderr` writes it, and what libraries say beside it (warnings, tracebacks)."""
    written, before = io.StringIO(), structlog.get_config()
    app.log_to_stderr()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written), cache_logger_on_first_use=False)
    libraries, root = logging.StreamHandler(written), logging.getLogger()
    libraries.setLevel(logging.WARNING)
    root.addHandler(libraries)
    yield written
    root.removeHandler(libraries)
    structlog.configure(**before)


@pytest_asyncio.fixture(scope="module")
async def run(cluster: embedded.Cluster, sandbox_template: str, ring: Keyring, log: io.StringIO) -> AsyncIterator[Run]:
    """The main job with a canary: joined, sent about (well and badly), scored, asked about, refused."""
    async with clone(cluster, sandbox_template) as owner_url, serving(owner_url, ring.file) as lone:
        yield await _main_job(lone, Heard({}, log))


async def _main_job(lone_server: Server, heard: Heard) -> Run:
    utilities, _ = await lone_server.register("utilities", "source", "records:write", kinds=["P01", "P22"])
    enforcement, _ = await lone_server.register("enforcement", "source", "records:write", kinds=["N01"])
    library, _ = await lone_server.register("reading-room", "partner", "eligibility:check", perks=[PERK])
    person = lone_server.person(born=date(1967, 3, 29), name=CANARY.name)
    words = CANARY.words(person["id_number"])
    async with lone_server.logged_in(person) as me:
        me.event_hooks = heard.listening("citizen")
        assert (await lone_server.join(me)).status_code == 201
        await _push(lone_server, heard, utilities, _good(person))
        points = [(await me.get("/v1/me/score")).json()["points"]]
        drawn = await me.post("/v1/me/credit-code", json={"perk": PERK})
        assert drawn.is_success, drawn.text
        secrets = {"code": drawn.json()["code"]}
        await _ask(lone_server, heard, library, person, secrets["code"])
        await _push(lone_server, heard, enforcement, _penalty(person))
        await _push(lone_server, heard, utilities, _bad(person))
        points.append((await me.get("/v1/me/score")).json()["points"])
        assert (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"] == "not_granted"
        for path in ("", "/score/history", "/records", "/accesses", "/consents", "/perks"):
            assert (await me.get(f"/v1/me{path}")).status_code == 200
        return Run(lone_server, heard, person, words, tuple(points), secrets)


async def _push(server: Server, heard: Heard, auth: httpx2.Auth, lines: list[Any]) -> None:
    """What a source does in a day."""
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, event_hooks=heard.listening("source")) as http:
        body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        assert (await http.post("/v1/source/records", content=body, headers=NDJSON)).status_code == 200
        await http.get("/v1/source/subjects")
        await http.post("/v1/source/records/revoke", json={"ref": "unknown"})


async def _ask(server: Server, heard: Heard, auth: httpx2.Auth, person: Mapping[str, Any], code: str) -> None:
    """Granted once, refused once, and asked about nonsense that names the canary."""
    results = []
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, event_hooks=heard.listening("partner")) as http:
        for holder in ({"code": code}, {"code": code}, {"subject": person["id_number"]}, {"code": person["name"]}):
            answer = await http.post("/v1/partner/eligibility", json={"perk": PERK, "holder": holder, "amount": 9900})
            results.append(answer.json()["result"])
        await http.get("/v1/partner/perks")
        await http.post("/v1/partner/eligibility", content=json.dumps({"perk": person["id_number"], "holder": 1}))
        await http.get(f"/v1/me/consents/{person['id_number']}?q={person['id_number']}")
        await http.get("/v1/me/" + person["id_number"])
        await http.get("/metrics")
    assert results == ["granted", *["standard_route"] * 3]


def _good(person: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A bill and a monthly pass."""
    month = (clock.today().replace(day=1) - timedelta(days=20)).strftime("%Y-%m")
    common = {"version": 1, "id_number": person["id_number"], "occurred_on": f"{month}-20"}
    return [
        {**common, "ref": "b1", "kind": "P01", "fields": {"account": CANARY.card, "period": month, "on_time": True}},
        {**common, "ref": "b2", "kind": "P22", "fields": {"card": CANARY.card, "period": month}},
    ]


def _penalty(person: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A general penalty with its papers."""
    day = (clock.today() - timedelta(days=60)).isoformat()
    return [
        {
            "ref": "n1", "version": 1, "kind": "N01", "id_number": person["id_number"], "occurred_on": day,
            "document": {"no": CANARY.document, "authority": CANARY.authority, "effective_on": day},
            "notice": {"no": CANARY.document, "served_on": day},
            "fields": {"class": "c1", "clause": "第1条", "severity": "general", "procedure": "ordinary"},
        }
    ]  # fmt: skip


def _bad(person: Mapping[str, Any]) -> list[Any]:
    """Lines that are refused: prohibited values, at any depth, and values where names should be."""
    good = _good(person)[0]
    return [
        {**good, "fields": {**good["fields"], "disease": CANARY.disease}},
        {**good, "fields": {"x": [{"宗教": CANARY.religion}]}},
        {**good, CANARY.disease: CANARY.disease},
        {**good, "id_number": person["id_number"][:-1] + "@", "kind": CANARY.disease},
        {**good, "occurred_on": CANARY.religion},
        [CANARY.religion],
    ]


class TestTheForms:
    """The search itself."""

    def test_it_finds_what_is_there(self) -> None:
        """In the clear, in JSON, as bytes, inside a signed object, hashed without a key."""
        assert all(found({"x": CANARY.name}, f"..{form}..") for form in forms(CANARY.name))
        assert found({"x": CANARY.name}, "nothing of the kind") == []


class TestCanary:
    """After the main job."""

    async def test_the_run_was_a_real_one(self, run: Run) -> None:
        """The citizen did read their own data: the canary is in their answers, and the points are unusual."""
        told = run.heard.text("citizen")
        assert {"card", "document", "authority"} <= set(found(run.words, told))
        assert not {100.0, 110.0} & set(run.points)
        outcomes = [one.json().get("result") for one in run.heard.by["partner"] if "eligibility" in str(one.url)]
        assert outcomes[:2] == ["granted", "standard_route"] or outcomes[0] == "standard_route"

    async def test_no_table_holds_it_in_the_clear(self, run: Run) -> None:
        """Every row of every table, bytes and signed objects included; nor the code that was drawn."""
        tables = await dump(run.server.owner_url)
        assert len(tables) > 20
        assert _telling(run, tables) == {}

    async def test_no_log_and_no_metric_holds_it(self, run: Run, cluster: embedded.Cluster) -> None:
        """Our lines, other libraries' lines, PostgreSQL's log, the metrics."""
        async with httpx2.AsyncClient(base_url=run.server.base_url) as http:
            metrics = (await http.get("/metrics")).text
        logs = {
            "server": run.heard.log.getvalue(),
            "postgresql": (cluster.data.parent / "server.log").read_text(errors="replace"),
            "metrics": metrics,
        }
        assert '"route":"/v1/partner/eligibility"' in logs["server"]
        assert _telling(run, logs) == {}

    async def test_partners_and_sources_receive_nothing_of_the_person(self, run: Run) -> None:
        """Neither values nor points nor tier nor the reasons; a problem does not repeat what was sent."""
        told = run.heard.text("partner", "source")
        assert found(run.words, told) == []
        for one in [*run.heard.by["partner"], *run.heard.by["source"]]:
            if one.headers["content-type"].endswith("json"):
                assert not any(_speaks_of(points, one.json()) for points in run.points), one.text
        assert [word for word in ("points", "tier", "分数", "积分", "银", "铜") if f'"{word}"' in told] == []


def _telling(run: Run, places: Mapping[str, str]) -> dict[str, list[str]]:
    """Which places hold what they must not; a secret's plain hash is no secret, a person's is."""
    return {
        name: told
        for name, text in places.items()
        if (told := [*found(run.words, text), *found(run.secrets, text, hashed=False)])
    }


def _speaks_of(points: float, part: Any) -> bool:
    """Whether a JSON value holds the points, as they are shown or as tenths."""
    if isinstance(part, dict):
        return any(_speaks_of(points, value) for value in part.values())
    if isinstance(part, list):
        return any(_speaks_of(points, value) for value in part)
    if isinstance(part, bool):
        return False
    return part in {points, round(points * 10)} if isinstance(part, int | float) else str(points) in str(part)


class TestWithdrawn:
    """What a backup of yesterday is worth after a withdrawal."""

    async def test_nothing_of_theirs_opens_with_any_key_that_remains(self, lone_server: Server) -> None:
        """The sealed rows of a leaver open with no key that is left; those of somebody who stays still do."""
        utilities, _ = await lone_server.register("utilities", "source", "records:write", kinds=["P01", "P22"])
        leaver, stayer = lone_server.person(), lone_server.person()
        async with lone_server.logged_in(leaver) as leaving, lone_server.logged_in(stayer) as staying:
            given = (await lone_server.join(leaving)).json()
            await lone_server.join(staying)
            async with httpx2.AsyncClient(base_url=lone_server.base_url, auth=utilities) as http:
                lines = [
                    {**line, "ref": f"{line['ref']}-{n}"}
                    for n, who in enumerate((leaver, stayer))
                    for line in _good(who)
                ]
                body = "".join(json.dumps(line) + "\n" for line in lines)
                assert (await http.post("/v1/source/records", content=body, headers=NDJSON)).json()["accepted"] == 4
            backup = await _backup(lone_server)
            assert sorted(await _opening(lone_server, backup)) == sorted(backup)
            assert (await leaving.delete(f"/v1/me/consents/{given['id']}")).json()["erased_at"] is not None
            opening = await _opening(lone_server, backup)
            assert len(backup) == 6
            assert len(opening) == 3
            kept = (await staying.get("/v1/me/records")).json()["records"]
            assert len(kept) == 2
            assert await _backup(lone_server) == {name: backup[name] for name in opening}


async def _backup(server: Server) -> dict[tuple[str, str, bytes], bytes]:
    """Every sealed record and thread, by its place."""
    async with _owner(server) as session:
        records = await session.execute(select(record.c.id, record.c.sealed))
        threads = await session.execute(select(link.c.citizen_id, link.c.sealed))
        rows = [((*SEALED, row.id.bytes), row.sealed) for row in records]
        return dict(rows + [((*LINK, row.citizen_id.bytes), row.sealed) for row in threads])


async def _opening(server: Server, backup: dict[tuple[str, str, bytes], bytes]) -> list[tuple[str, str, bytes]]:
    """The places that open with any personal key of any purpose, or any key derived from the epochs."""
    async with _owner(server) as session:
        held = list(await session.execute(select(person_key)))
        remaining = [await keys.fetch(session, server.house.ring, owner=row.owner, purpose=row.purpose) for row in held]
    opening = []
    for place, value in backup.items():
        if any(_opens(key, value, place) for key in remaining) or _opens_by_epoch(server, value, place):
            opening.append(place)
    return opening


def _opens(key: bytes, value: bytes, place: tuple[str, str, bytes]) -> bool:
    try:
        return bool(sealed.unseal(key, value, place=place))
    except sealed.SealBroken:
        return False


def _opens_by_epoch(server: Server, value: bytes, place: tuple[str, str, bytes]) -> bool:
    try:
        return bool(server.house.ring.open_epoch(server.house.ring.epoch, value, place=place))
    except (KeyGone, sealed.SealBroken):
        return False


def _owner(server: Server) -> Any:
    """The operator's session; its engine ends with the test's loop."""
    from sqlalchemy.pool import NullPool

    return AsyncSession(engine_of(server.owner_url, poolclass=NullPool))
