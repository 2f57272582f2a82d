"""What a citizen does not want taken."""

import pytest

from core.errors import NotFound
from scoring import refusals
from scoring.refusals import NotRefusable
from tests.scoringworld import City, hours, id_number, water

ANN, BOB = id_number(1), id_number(2)


class TestRefuse:
    """`refusals.refuse`, `refusals.allow`, `refusals.refused`."""

    async def test_erased_and_no_longer_taken(self, city: City) -> None:
        """Positives of the kind go, and new ones are dropped without a word; allowing takes new ones again."""
        citizen_id = await city.join(ANN)
        await city.push(hours("h1", ANN), water("r1", ANN))
        async with city.as_citizen(city.people[ANN]) as session:
            assert await refusals.refuse(session, city.ring, citizen_id=citizen_id, kind="P08") == 1
            assert await refusals.refuse(session, city.ring, citizen_id=citizen_id, kind="P08") == 0
            assert [one.kind for one in await refusals.refused(session, citizen_id=citizen_id)] == ["P08"]
        assert await city.points(ANN) == 1105
        receipt = await city.push(hours("h2", ANN))
        assert (receipt.accepted, receipt.rejected) == (1, ())
        assert await city.points(ANN) == 1105
        async with city.as_citizen(city.people[ANN]) as session:
            await refusals.allow(session, citizen_id=citizen_id, kind="P08")
        await city.push(hours("h2", ANN))
        assert await city.points(ANN) == 1111

    async def test_deductions_cannot_be_refused(self, city: City) -> None:
        """409 for a deduction, 404 for a kind that does not exist."""
        citizen_id = await city.join(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            with pytest.raises(NotRefusable):
                await refusals.refuse(session, city.ring, citizen_id=citizen_id, kind="N01")
            with pytest.raises(NotFound):
                await refusals.refuse(session, city.ring, citizen_id=citizen_id, kind="P99")
