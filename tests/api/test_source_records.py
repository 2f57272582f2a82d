"""`POST /v1/source/records` over HTTP: every code, limits, broken bodies, replies that disclose nobody."""

import asyncio
import gzip
import io
import re
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import pytest_asyncio

from core import embedded
from core.db import Doors
from core.keys import Keyring
from scoring import ingest
from tests.clones import clone
from tests.conftest import PREFIX
from tests.scoringworld import TODAY, City, hours, id_number, month, ndjson, penalty, water
from tests.sourceserver import Bureau, serving

ANN, BOB = id_number(1), id_number(2)
YOUNG = id_number(3, TODAY.replace(year=TODAY.year - 17, day=1))
BATCH = re.compile(rb"ba_[0-9A-Z]{26}")


@pytest_asyncio.fixture(scope="module")
async def shared(cluster: embedded.Cluster, template: str, ring: Keyring) -> AsyncIterator[Bureau]:
    """The server of these tests."""
    async with clone(cluster, template) as url:
        doors = Doors(url, ring, PREFIX)
        city = City(doors, url)
        await city.publish()
        async with serving(city, doors) as running:
            await city.join(ANN)
            yield running
        await doors.close()


_EMPTY = """
truncate scoring.link, scoring.live, scoring.record, scoring.staging, scoring.batch, scoring.standing,
         scoring.standing_change, scoring.refusal, keys.person_key, core.audit_entry, core.idempotency,
         auth.source_subject, auth.consent, auth.consent_end, auth.consent_source_end
cascade
"""


@pytest_asyncio.fixture
async def bureau(shared: Bureau) -> Bureau:
    """The shared city as on its first day: ANN enrolled, no records, no source but `utilities`."""
    await shared.city.rows(_EMPTY)
    await shared.city.rows("delete from auth.token where client_id <> 'utilities'")
    await shared.city.rows("delete from auth.client where client_id <> 'utilities'")
    await shared.city.join(ANN)
    return shared


def but(line: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The line with other members."""
    return {**line, **more}


def field(line: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The line with other `fields`."""
    return {**line, "fields": {**line["fields"], **more}}


GOOD, BAD = water("r1", ANN), penalty("n1", ANN)
CODES: list[tuple[str, Any]] = [
    ("unknown_kind", but(GOOD, kind="P99")),
    ("kind_not_permitted", but(GOOD, kind="P10", fields={"units": 1, "component": "whole"})),
    ("unknown_field", field(GOOD, colour="red")),
    ("unknown_field", but(GOOD, colour="red")),
    ("prohibited_field", field(GOOD, religion="canary-value")),
    ("prohibited_field", field(GOOD, extra={"deep": [{"血型": "canary-value"}]})),
    ("prohibited_field", but(GOOD, income="canary-value", kind="P99")),
    ("bad_id_number", but(GOOD, id_number=ANN[:-1] + ("0" if ANN[-1] != "0" else "1"))),
    ("minor", but(GOOD, id_number=YOUNG)),
    ("missing_document", but(BAD, document=None)),
    ("missing_document", {name: part for name, part in BAD.items() if name != "document"}),
    ("missing_notice", {name: part for name, part in BAD.items() if name != "notice"}),
    ("simple_procedure", field(BAD, procedure="simple")),
    ("future_date", but(hours("h1", ANN), occurred_on=str(TODAY + timedelta(days=1)))),
    ("nothing_to_record", field(GOOD, on_time=False)),
    ("nothing_to_record", field(BAD, severity="minor")),
    ("malformed", but(GOOD, version="1")),
    ("malformed", b'{"ref": "r1", "vers'),
    ("malformed", b'{"ref": "\xff\xfe"}'),
    ("malformed", "纠".encode("gb18030")),
    ("malformed", b"[1, 2]"),
    ("malformed", b"[" * 5000),
]


class TestCodes:
    """Every line is judged by itself."""

    @pytest.mark.parametrize(("code", "line"), CODES)
    async def test_each_code(self, bureau: Bureau, code: str, line: Any) -> None:
        """A bad line gets its code and its number; the good ones around it are taken."""
        answer = await bureau.push(water("a", ANN), line, water("b", ANN, back=2))
        assert answer.status_code == 200
        body = answer.json()
        assert (body["received"], body["accepted"]) == (3, 2)
        (refused,) = body["rejected"]
        assert (refused["line"], refused["code"]) == (2, code)
        assert set(refused) == {"line", "ref", "code", "detail"}
        rows = await bureau.city.rows("select ref from scoring.record order by ref")
        assert [row["ref"] for row in rows] == ["a", "b"]

    async def test_a_kind_that_was_not_agreed(self, bureau: Bureau) -> None:
        """A source may send its own kinds only."""
        await bureau.register("library", frozenset({"P04"}))
        answer = await bureau.push(GOOD, source="library")
        assert [one["code"] for one in answer.json()["rejected"]] == ["kind_not_permitted"]

    async def test_a_prohibited_value_is_nowhere(self, bureau: Bureau, capfd: pytest.CaptureFixture[str]) -> None:
        """Neither answers, tables nor logs hold the value of a prohibited field."""
        answer = await bureau.push(
            field(GOOD, religion="canary-value"), but(GOOD, fields={"x": {"tax": "canary-value"}})
        )
        assert [one["code"] for one in answer.json()["rejected"]] == ["prohibited_field"] * 2
        assert "canary-value" not in answer.text
        assert "canary-value" not in await bureau.city.dump()
        logged = capfd.readouterr()
        assert "canary-value" not in logged.out + logged.err

    async def test_blank_lines_are_none(self, bureau: Bureau) -> None:
        """Blank lines count for nothing but the line numbers."""
        answer = await bureau.send(b"\n\r\n" + ndjson(GOOD) + b"\n{}\r\n")
        body = answer.json()
        assert (body["received"], body["accepted"], body["rejected"][0]["line"]) == (2, 1, 5)

    async def test_no_lines(self, bureau: Bureau) -> None:
        """An empty push is a push of nothing."""
        body = (await bureau.send(b"")).json()
        assert (body["received"], body["accepted"], body["rejected"]) == (0, 0, [])


class TestConstantReplies:
    """Whoever it is about, and however often: the same bytes but for the batch id."""

    async def test_a_push(self, bureau: Bureau) -> None:
        """Enrolled or not, withdrawn or refusing the kind, first or repeated: the reply is byte-identical."""
        left = id_number(4)
        await bureau.city.join(left)
        await bureau.city.leave(left)
        replies: set[bytes] = set()
        for who in (ANN, BOB, left):
            for _ in range(2):
                answer = await bureau.push(water("r1", who), hours("h1", who), b"{}", penalty("n1", who))
                replies.add(BATCH.sub(b"", answer.content))
        assert len(replies) == 1
        assert await bureau.city.points(ANN) == 1100 + 5 + 6 - 50 - 20

    @pytest.mark.parametrize("verb", ["revoke", "repair", "correct"])
    async def test_a_verb(self, bureau: Bureau, verb: str) -> None:
        """Known ref or not, first or repeated, of oneself or of another source: 202 and the same bytes."""
        await bureau.push(penalty("n1", ANN), penalty("n2", BOB))
        replies = {
            (answer.status_code, answer.content)
            for ref in ("n1", "n1", "n2", "nobody")
            for answer in [await bureau.verb(verb, ref=ref)]
        }
        assert replies == {(202, b'{"status":"accepted"}')}


class TestLimits:
    """Published sizes, and what breaks on the way: a clear error and nothing half-written."""

    async def nothing(self, bureau: Bureau) -> None:
        """No trace of a push."""
        assert await bureau.city.points(ANN) == 1100
        for table in ("record", "staging", "batch"):
            assert await bureau.city.rows(f"select 1 from scoring.{table}") == []

    async def test_too_many_lines(self, bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
        """One line too many: 413 in the end, and nothing was merged."""
        monkeypatch.setattr(ingest, "MOST_LINES", 5)
        monkeypatch.setattr(ingest, "CHUNK", 2)
        answer = await bureau.push(*[water(f"r{n}", ANN, back=n) for n in range(1, 7)])
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_lines")
        await self.nothing(bureau)
        assert (await bureau.push(*[water(f"r{n}", ANN, back=n) for n in range(1, 6)])).json()["accepted"] == 5

    async def test_a_body_too_large(self, bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
        """Too many bytes: 413."""
        monkeypatch.setattr("scoring.ingest.MOST_BYTES", 1000)
        answer = await bureau.push(*[water(f"r{n}", ANN, back=n) for n in range(1, 12)])
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        await self.nothing(bureau)

    async def test_a_line_of_50_mb(self, bureau: Bureau) -> None:
        """A huge line is one malformed line; its neighbours are taken."""

        async def body() -> AsyncIterator[bytes]:
            yield ndjson(GOOD) + b'{"ref": "'
            for _ in range(800):
                yield b"x" * 65_536
            yield b'"}\n' + ndjson(water("r2", ANN, back=2))

        answer = await bureau.send(body())
        assert answer.status_code == 200, answer.text
        body_ = answer.json()
        assert (body_["received"], body_["accepted"]) == (3, 2)
        assert (body_["rejected"][0]["line"], body_["rejected"][0]["ref"], body_["rejected"][0]["code"]) == (
            2,
            None,
            "malformed",
        )
        assert await bureau.city.points(ANN) == 1110

    async def test_gzip(self, bureau: Bureau) -> None:
        """Gzip is read, in one member or several."""
        packed = gzip.compress(ndjson(GOOD)) + gzip.compress(ndjson(water("r2", ANN, back=2)))
        answer = await bureau.send(packed, headers={"Content-Encoding": "gzip"})
        assert answer.json()["accepted"] == 2

    @pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(ndjson(GOOD))[:-9], b""])
    async def test_bad_gzip(self, bureau: Bureau, body: bytes) -> None:
        """What says gzip and is not, or is cut: 400, nothing kept."""
        answer = await bureau.send(body, headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        await self.nothing(bureau)

    async def test_a_gzip_bomb(self, bureau: Bureau) -> None:
        """A stream that swells beyond measure: 413, nothing kept."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(200)) + packer.flush()
        answer = await bureau.send(bomb, headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        await self.nothing(bureau)

    @pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {"Content-Encoding": "br"}])
    async def test_another_type(self, bureau: Bureau, headers: dict[str, str]) -> None:
        """NDJSON, plain or gzip; anything else is 415."""
        answer = await bureau.send(ndjson(GOOD), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("chunked", [True, False])
    async def test_a_cut_connection(self, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:  # noqa: FBT001
        """A caller who hangs up half-way has sent nothing, even what was staged already."""
        monkeypatch.setattr(ingest, "CHUNK", 2)
        body = ndjson(*[water(f"r{n}", ANN, back=n) for n in range(1, 7)])
        headers = await bureau.signed_headers()
        size = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body) + 500)}
        head = "".join(f"{name}: {value}\r\n" for name, value in (headers | size).items())
        host, port = headers["Host"].split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /v1/source/records HTTP/1.1\r\n{head}\r\n".encode())
        writer.write(b"%x\r\n%s\r\n" % (len(body), body) if chunked else body)
        await writer.drain()
        await bureau.city.until("select 1 from scoring.staging")
        writer.close()
        await bureau.city.until("select 1 from scoring.staging", empty=True)
        await self.nothing(bureau)


class TestVerbs:
    """Revoke, repair and correct: the effect is there before the answer."""

    async def test_revoke(self, bureau: Bureau) -> None:
        """A revoked record counts no more, and the same version does not bring it back; a higher one does."""
        await bureau.push(penalty("n1", ANN))
        assert await bureau.city.points(ANN) < 1100
        await bureau.verb("revoke", ref="n1", reason="cancelled on review")
        assert await bureau.city.points(ANN) == 1100
        await bureau.push(penalty("n1", ANN))
        assert await bureau.city.points(ANN) == 1100
        await bureau.push(penalty("n1", ANN, version=2))
        assert await bureau.city.points(ANN) == 1030

    async def test_revoke_of_an_older_version(self, bureau: Bureau) -> None:
        """A revocation of version 1 that comes after version 2 leaves version 2 alone."""
        await bureau.push(penalty("n1", ANN, version=2))
        await bureau.verb("revoke", ref="n1", version=1)
        assert await bureau.city.points(ANN) == 1030

    async def test_repair(self, bureau: Bureau) -> None:
        """A repaired deduction counts no more; a positive cannot be repaired away."""
        await bureau.push(penalty("n1", ANN), water("r1", ANN))
        await bureau.verb("repair", ref="n1")
        await bureau.verb("repair", ref="r1")
        assert await bureau.city.points(ANN) == 1105

    async def test_another_source_has_no_say(self, bureau: Bureau) -> None:
        """A ref belongs to the source that sent it."""
        await bureau.register("library")
        await bureau.push(water("r1", ANN))
        await bureau.verb("revoke", source="library", ref="r1")
        assert await bureau.city.points(ANN) == 1105

    async def test_correct_by_a_whole_line(self, bureau: Bureau) -> None:
        """A whole line of a higher version takes the place of the stored one."""
        await bureau.push(hours("h1", ANN, hours=3))
        answer = await bureau.verb("correct", **hours("h1", ANN, hours=5, version=2))
        assert answer.status_code == 202
        assert await bureau.city.points(ANN) == 1110

    async def test_correct_by_parts(self, bureau: Bureau) -> None:
        """The members that change are laid over the stored line, as its next version."""
        await bureau.push(hours("h1", ANN, hours=3))
        await bureau.verb("correct", ref="h1", fields={"hours": 4})
        assert await bureau.city.points(ANN) == 1108
        rows = await bureau.city.rows("select version, quantity from scoring.record")
        assert [tuple(row) for row in rows] == [(2, 4)]

    async def test_correct_to_another_person(self, bureau: Bureau) -> None:
        """A penalty that was about somebody else leaves the first person, whether the second takes part or not."""
        await bureau.city.join(BOB)
        stranger = id_number(9)
        await bureau.push(penalty("n1", ANN), penalty("n2", ANN))
        await bureau.verb("correct", **penalty("n1", BOB, version=2))
        await bureau.verb("correct", **penalty("n2", stranger, version=2))
        assert (await bureau.city.points(ANN), await bureau.city.points(BOB)) == (1100, 1030)

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"ref": "h1", "fields": {"religion": "canary-value"}}, "prohibited_field"),
            ({"ref": "h1", "colour": "red"}, "unknown_field"),
            (but(hours("h1", ANN, version=2), kind="P99"), "unknown_kind"),
        ],
    )
    async def test_a_bad_correction(self, bureau: Bureau, given: dict[str, Any], code: str) -> None:
        """A correction that is not well-formed by itself says so, with the code of the line."""
        answer = await bureau.verb("correct", **given)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_line")
        assert [one["code"] for one in answer.json()["errors"]] == [code]
        assert "canary-value" not in answer.text

    async def test_idempotency_key(self, bureau: Bureau) -> None:
        """The same key replays, another input conflicts."""
        first = await bureau.verb("revoke", key="k1", ref="n1")
        again = await bureau.verb("revoke", key="k1", ref="n1")
        other = await bureau.verb("revoke", key="k1", ref="n2")
        assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
        assert again.content == first.content
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    async def test_unknown_members(self, bureau: Bureau) -> None:
        """A misspelt member is 422."""
        answer = await bureau.verb("revoke", ref="n1", resaon="x")
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")


class TestSubjects:
    """`GET /v1/source/subjects`."""

    async def test_joined_and_left(self, bureau: Bureau) -> None:
        """Those who named this source, and those who left, as its own digest; nobody else, nothing else."""
        await bureau.city.join(BOB)
        await bureau.city.join(id_number(5), sources=("library",))
        await bureau.city.leave(BOB)
        body = (await bureau.get("/v1/source/subjects")).json()
        states = {one["subject"]: one["state"] for one in body["subjects"]}
        assert states == {bureau.city.digest(ANN).hex(): "joined", bureau.city.digest(BOB).hex(): "left"}
        assert {frozenset(one) for one in body["subjects"]} == {frozenset({"subject", "state", "changed_at"})}

    async def test_paging(self, bureau: Bureau) -> None:
        """Following `next_cursor` while `more` reaches everybody."""
        for n in range(10, 15):
            await bureau.city.join(id_number(n))
        seen: list[str] = []
        path, more = "/v1/source/subjects?limit=2", True
        since = ""
        while more:
            body = (await bureau.get(path + since)).json()
            seen += [one["subject"] for one in body["subjects"]]
            since, more = f"&since={body['next_cursor']}", body["more"]
        assert len(seen) == len(set(seen)) == 6

    async def test_a_foreign_cursor(self, bureau: Bureau) -> None:
        """A cursor of another source's feed is none."""
        await bureau.register("library")
        cursor = (await bureau.get("/v1/source/subjects", source="library")).json()["next_cursor"]
        for bad in (cursor, "x", "5"):
            answer = await bureau.get(f"/v1/source/subjects?since={bad}")
            assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")

    async def test_a_line_by_digest(self, bureau: Bureau) -> None:
        """A line may name the person by the digest of the feed."""
        line = {name: part for name, part in GOOD.items() if name != "id_number"}
        answer = await bureau.push({**line, "subject": bureau.city.digest(ANN).hex()})
        assert answer.json()["accepted"] == 1
        assert await bureau.city.points(ANN) == 1105


class TestTables:
    """CSV and Parquet over HTTP."""

    HEADER = "ref,version,kind,id_number,occurred_on,fields.account,fields.period,fields.on_time"

    def _csv(self, *who: str) -> bytes:
        lines = [f"t{n},1,P01,{one},{month(1)}-01,a1,{month(1)},是" for n, one in enumerate(who)]
        return "\n".join([self.HEADER, *lines]).encode()

    async def test_csv(self, bureau: Bureau) -> None:
        """A CSV body is taken, gzipped too, with the receipt of any push; it discloses nobody."""
        replies = {
            BATCH.sub(b"", (await bureau.send(body, headers=headers)).content)
            for body, headers in (
                (self._csv(ANN), {"Content-Type": "text/csv; charset=utf-8"}),
                (gzip.compress(self._csv(ANN)), {"Content-Type": "text/csv", "Content-Encoding": "gzip"}),
                (self._csv(BOB), {"Content-Type": "text/csv"}),
            )
        }
        assert len(replies) == 1
        assert [row["ref"] for row in await bureau.city.rows("select ref from scoring.record")] == ["t0"]

    async def test_parquet(self, bureau: Bureau) -> None:
        """A Parquet body is taken; one that is none is 400, and leaves nothing."""
        out = io.BytesIO()
        columns = {name: ["x"] for name in self.HEADER.split(",")} | {
            "version": [1], "kind": ["P01"], "id_number": [ANN], "occurred_on": [f"{month(1)}-01"],
            "fields.period": [month(1)], "fields.on_time": [True],
        }  # fmt: skip
        pq.write_table(pa.table(columns), out)
        answer = await bureau.send(out.getvalue(), headers={"Content-Type": "application/vnd.apache.parquet"})
        assert answer.json()["accepted"] == 1
        broken = await bureau.send(b"PAR1", headers={"Content-Type": "application/vnd.apache.parquet"})
        assert (broken.status_code, broken.json()["code"]) == (400, "malformed")

    async def test_a_header_that_names_nothing(self, bureau: Bureau) -> None:
        """A table without names of columns is 422 `bad_header`."""
        answer = await bureau.send(b"1,2,3\n4,5,6", headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_header")

    @pytest.mark.parametrize("kind", ["text/plain", "text/csv; charset=latin1", "application/json"])
    async def test_other_forms(self, bureau: Bureau, kind: str) -> None:
        """Any other form is 415."""
        answer = await bureau.send(b"x", headers={"Content-Type": kind})
        assert answer.status_code == 415

    async def test_a_prohibited_column(self, bureau: Bureau) -> None:
        """A prohibited column refuses every line, whatever its cells are, before anything else is looked at."""
        body = self._csv(ANN).replace(b"fields.account", "收入".encode()).replace(b",a1,", b",=canary,")
        answer = await bureau.send(body, headers={"Content-Type": "text/csv"})
        assert [one["code"] for one in answer.json()["rejected"]] == ["prohibited_field"]
        assert "canary" not in answer.text + await bureau.city.dump()
