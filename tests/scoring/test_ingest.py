"""A source's push, from bytes to standings."""

from tests.scoringworld import City, id_number, water

ANN, BOB = id_number(1), id_number(2)


class TestReceive:
    """`ingest.receive`."""

    async def test_a_consented_record_becomes_points(self, city: City) -> None:
        """One month of water kept is half a point more, in the standing that the gate reads."""
        await city.join(ANN)
        assert await city.points(ANN) == 1100
        receipt = await city.push(water("r1", ANN))
        assert (receipt.received, receipt.accepted, receipt.rejected) == (1, 1, ())
        assert await city.points(ANN) == 1105

    async def test_nothing_is_kept_of_a_stranger(self, city: City) -> None:
        """A line about somebody who never consented leaves no row behind and gets the same receipt."""
        await city.join(ANN)
        receipt = await city.push(water("r1", BOB))
        assert (receipt.received, receipt.accepted, receipt.rejected) == (1, 1, ())
        assert await city.rows("select 1 from scoring.record") == []
        assert await city.rows("select 1 from scoring.staging") == []
