"""Rules 13 to 24: about whom, and what may be taken at all."""

import json
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from auth.consent import terms
from core import clock, months
from scoring import records, refusals
from tests.api.conftest import Server
from tests.law.lines import DEDUCTIONS, TODAY, code, judge, line, number
from tests.rulebook import book, card
from tests.scoringworld import City, hours, id_number, penalty, water

ANN = id_number(1)


class TestSubjects:
    """Rules 13 to 15."""

    @pytest.mark.parametrize("age", [15, 16, 17])
    async def test_rule_13_only_from_18_on(self, server: Server, age: int) -> None:
        """Nobody under 18 joins, not even one of 16 or 17 who lives by their own work (CC 17, 18; SH 2; SZX 2)."""
        child = server.person(born=months.shift(clock.today(), -12 * age))
        async with server.logged_in(child) as me:
            refused = await server.join(me)
        assert (refused.status_code, refused.json()["code"]) == (403, "minor")

    @pytest.mark.parametrize("age", [10, 14, 17])
    def test_rule_14_nothing_from_before_the_18th_birthday_is_taken(self, age: int) -> None:
        """A record dated before it is `minor`, on the day before it too; on the birthday it is taken (PIPL 28, 31)."""
        born = date(2004, 2, 29)
        young = line("P13", on=months.shift(born, 12 * age), id_number=number(born))
        assert code(young) == "minor"
        assert code(line("P13", on=date(2022, 2, 27), id_number=number(born))) == "minor"
        assert code(line("P13", on=date(2022, 2, 28), id_number=number(born))) == ""

    async def test_rule_14_nor_is_it_kept_when_a_digest_names_the_person(self, city: City) -> None:
        """A line that names its person by digest gets the answer of all others, and is not stored (PIPL 28, 31)."""
        await city.join(ANN)
        early = penalty("n1", ANN, days=365 * 30)
        del early["id_number"]
        receipt = await city.push({**early, "subject": city.digest(ANN).hex()})
        assert (receipt.accepted, receipt.rejected) == (1, ())
        assert await city.rows("select 1 from scoring.record union all select 1 from scoring.staging") == []

    async def test_rule_15_close_relatives_have_rights_after_a_death(self, server: Server) -> None:
        """Staff record a death, two of them; relatives may then look (PIPL 49): the doors for it are there."""
        paths = (await _document(server))["paths"]
        assert {"/v1/staff/deceased", "/v1/staff/deceased/{death_id}/approve"} <= paths.keys()


class TestNever:
    """Rules 16 and 17."""

    @pytest.mark.parametrize("name", sorted(book().prohibited))
    def test_rule_16_17_what_may_never_be_collected_is_refused_and_not_repeated(self, name: str) -> None:
        """At any depth, before anything else, and its value appears in no answer (CIR 14; SH 14; ZJ 14)."""
        secret = "不可见的值"
        for given in (
            line("P01", **{name: secret}),
            line("P01", fields={"account": "1", "deep": [{name: secret}]}),
            {**line("P01"), "kind": "unknown", "document": {name: {"x": secret}}},
        ):
            found = judge(given)
            assert getattr(found, "code", "") == "prohibited_field"
            assert secret not in repr(found)

    def test_rule_17_no_indicator_looks_at_means(self) -> None:
        """Income, deposits, securities, insurance, property and tax are in no field of the catalogue (CIR 14)."""
        fields = {field.name for kind in book().kinds.values() for field in kind.fields}
        assert not fields & set(book().prohibited)
        asked = json.dumps([kind.english for kind in book().kinds.values()])
        assert not any(word in asked for word in ("income", "deposit amount", "property", "tax amount"))


class TestCatalogue:
    """Rule 18."""

    def test_rule_18_what_is_not_in_the_catalogue_is_not_taken(self) -> None:
        """An unknown kind, one without an indicator in force, an unknown field (SH 11; SZX 35; PIPL 6)."""
        assert code({**line("P01"), "kind": "P18"}) == "unknown_kind"
        assert code({**line("P01"), "kind": "P10"}) == "kind_not_permitted"
        assert code(line("P01", fields={"account": "1", "colour": "red"})) == "unknown_field"

    def test_rule_18_every_kind_names_its_entry(self) -> None:
        """National, provincial or municipal, with number and version, in force since a day."""
        for kind in book().kinds.values():
            assert kind.item.level in {"national", "provincial", "municipal"}
            assert kind.item.id
            assert kind.item.version
            assert kind.item.valid_from <= TODAY

    async def test_rule_18_every_record_shows_the_entry_by_which_it_was_taken(self, city: City) -> None:
        """The citizen reads level, number and version of the catalogue entry in force on the day of receipt."""
        citizen_id = await city.join(ANN)
        await city.push(water("r1", ANN))
        async with city.as_citizen(citizen_id) as session:
            (one,) = await records.of(session, city.ring, citizen_id=citizen_id, limit=9)
        assert one.item == book().kinds["P01"].item

    def test_rule_18_a_scorecard_counts_nothing_else(self) -> None:
        """Every kind that the shipped scorecard counts is in the shipped catalogue, with the right sign."""
        negative = {one.kind for one in (*card().deductions, *card().holds)}
        assert card().kinds() <= book().kinds.keys()
        assert all(book().kinds[kind].positive is (kind not in negative) for kind in card().kinds())


class TestNegatives:
    """Rules 19 to 21."""

    @pytest.mark.parametrize("kind", [*DEDUCTIONS, "N03"])
    def test_rule_19_a_negative_needs_an_effective_document(self, kind: str) -> None:
        """Number, authority and day of effect, each of them (SH 11; SZX 65); one to come is refused."""
        whole = {"no": "1", "authority": "x", "effective_on": "2026-01-10"}
        assert code(line(kind, document=None)) == "missing_document"
        for part in whole:
            assert code(line(kind, document={**whole, part: ""})) in {"malformed", "missing_document"}
            assert code(line(kind, document={key: whole[key] for key in whole if key != part})) == "missing_document"
        later = (TODAY + timedelta(days=1)).isoformat()
        assert code(line(kind, document={**whole, "effective_on": later})) == "future_date"

    @pytest.mark.parametrize("kind", ["N01", "N02"])
    def test_rule_20_simple_procedure_and_minor_matters_are_not_used(self, kind: str) -> None:
        """A fine on the spot and a minor violation leave nothing (HN 13; SD 13; ZJ 11; SH 9)."""
        good = line(kind)["fields"]
        assert code(line(kind, fields={**good, "procedure": "simple"})) == "simple_procedure"
        assert code(line(kind, fields={**good, "severity": "minor"})) == "nothing_to_record"

    @pytest.mark.parametrize("kind", [*DEDUCTIONS, "N03"])
    def test_rule_21_a_negative_needs_evidence_that_its_person_was_told(self, kind: str) -> None:
        """Without it the line is refused (CIR 15), and it counts from the day of service at the earliest."""
        assert code(line(kind, notice=None)) == "missing_notice"
        assert code(line(kind, notice={"no": "1"})) == "missing_notice"
        served = judge(line(kind, notice={"no": "1", "served_on": "2026-06-01"}))
        if kind not in {"N03", "N05"}:  # a listing counts from its own day, arrears from the 91st day
            assert getattr(served, "from_on", None) == date(2026, 6, 1)

    async def test_rule_21_a_refused_negative_is_not_stored(self, city: City) -> None:
        """Nothing of it is in any table."""
        await city.join(ANN)
        told = {key: value for key, value in penalty("n1", ANN).items() if key != "notice"}
        receipt = await city.push(told)
        assert [one.code for one in receipt.rejected] == ["missing_notice"]
        assert await city.rows("select 1 from scoring.record") == []


class TestWishes:
    """Rules 22 to 24."""

    async def test_rule_22_a_kind_of_positive_that_is_not_wanted_is_not_recorded(self, server: Server) -> None:
        """Those there are go, none is taken any more, until the citizen says otherwise (SZX 39)."""
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            for kind in ("P08", "P09", "P12", "P13", "P14"):
                said = await me.put(f"/v1/me/records/categories/{kind}/refusal")
                assert (said.status_code, said.json()["refused"]) == (200, True)
            assert set((await me.get("/v1/me/records")).json()["refused"]) >= {"P08", "P13"}
            refused = await me.put("/v1/me/records/categories/N01/refusal")
            assert (refused.status_code, refused.json()["code"]) == (409, "not_refusable")

    async def test_rule_22_a_refused_kind_is_dropped_at_the_merge(self, city: City) -> None:
        """Whatever is pushed later of it is not stored, and nobody hears of it."""
        citizen_id = await city.join(ANN)
        async with city.as_citizen(citizen_id) as session:
            await refusals.refuse(session, city.ring, citizen_id=citizen_id, kind="P08")
        receipt = await city.push(hours("h1", ANN), water("r1", ANN))
        assert (receipt.accepted, receipt.rejected) == (2, ())
        assert [row["kind"] for row in await city.rows("select kind from scoring.record")] == ["P01"]

    async def test_rule_24_the_file_is_updated_with_the_receipt(self, city: City) -> None:
        """Points have moved when the source hears back: inside five working days (ZJ 13; HN 17)."""
        await city.join(ANN)
        before = await city.points(ANN) if await city.rows("select 1 from scoring.standing") else 1100
        await city.push(water("r1", ANN))
        assert await city.points(ANN) == before + 5


class TestOneBirthday:
    """Consent and catalogue agree."""

    @pytest.mark.parametrize("born", [date(2004, 2, 29), date(1990, 1, 1), date(2005, 12, 31)])
    def test_rule_13_14_consent_and_catalogue_mean_the_same_birthday(self, born: date) -> None:
        """Who may join and what may be taken turn on the same day (CC 17, 202)."""
        assert book().adult_on(born) == terms.adult_on(born)


async def _document(server: Server) -> dict[str, Any]:
    """The published description of the API."""
    async with httpx2.AsyncClient(base_url=server.base_url) as anybody:
        return (await anybody.get("/openapi.json")).json()
