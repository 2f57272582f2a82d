"""Groups out of sealed profiles: district, age band and sex, and nothing that names anybody."""

from datetime import date

import msgspec

from auth import bands
from core import clock, db
from tests.api.conftest import Server


class TestOf:
    """People who proved a name."""

    async def test_groups_and_nothing_else(self, server: Server) -> None:
        """District and sex from the number, the band from the birth date; an unknown citizen is absent."""
        person = server.person(born=date(1990, 5, 4))
        async with server.logged_in(person) as me:
            assert (await server.join(me)).status_code == 201
        async with server.house.doors.work("jobs") as session:
            connection = await db.raw(session)
            everybody = [row["id"] for row in await connection.fetch("select id from auth.citizen")]
            found = await bands.of(session, server.house.ring, citizen_ids=everybody, on=clock.today())
        number = person["id_number"]
        sex = "male" if int(number[16]) % 2 else "female"
        assert bands.Groups(number[:6], "30-44", sex) in found.values()
        assert number.encode() not in msgspec.json.encode(list(found.values()))
