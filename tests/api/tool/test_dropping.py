"""`osmanthus source drop`: a handed-over file comes to the records that a push of it would."""

import gzip
from pathlib import Path

import pytest

from api.tool import dropping
from api.tool.dropping import NotADrop
from core.errors import NotFound
from tests.api.conftest import Server
from tests.scoringworld import month

HEADER = "ref,version,kind,id_number,occurred_on,fields.account,fields.period,fields.on_time"


class TestDrop:
    """One file."""

    async def test_taken_once(self, lone_server: Server, tmp_path: Path) -> None:
        """Good lines are taken and bad ones named by their line; again, and packed, it changes nothing."""
        server = lone_server
        await server.register("utilities", "source", "records:write", kinds=["P01"])
        person = server.person()
        line = f"d1,1,P01,{person['id_number']},{month(1)}-01,a,{month(1)},是"
        body = "\n".join([HEADER, line, line.replace("d1,1", "d2,x")]).encode()
        plain, packed = tmp_path / "bills.csv", tmp_path / "bills.csv.gz"
        plain.write_bytes(body)
        packed.write_bytes(gzip.compress(body))
        async with server.logged_in(person) as me:
            await server.join(me)
            for file in (plain, packed, plain):
                receipt = await dropping.drop(server.house.settings, file, "utilities")
                assert (receipt.received, receipt.accepted) == (2, 1)
                assert [(one.line, one.code) for one in receipt.rejected] == [(3, "malformed")]
            assert len((await me.get("/v1/me/records")).json()["records"]) == 1
        for name in (".bills.csv", "bills.csv.part", "bills.xlsx", "bills"):
            (tmp_path / name).write_bytes(body)
            with pytest.raises(NotADrop):
                await dropping.drop(server.house.settings, tmp_path / name, "utilities")
        with pytest.raises(NotFound):
            await dropping.drop(server.house.settings, plain, "nobody")
