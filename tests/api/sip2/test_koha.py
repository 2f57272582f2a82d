"""Koha's side of a class."""

import pytest

from api.sip2.koha import Koha, NotMovedError
from tests import librarysystem
from tests.librarysystem import SECRET


class TestMove:
    """From one category to another."""

    async def test_the_record_stays_whole(self) -> None:
        """The category is another, all else is as it was, and nothing read-only is sent."""
        async with librarysystem.running("R1", "r1") as system:
            koha = Koha(system.koha, client_id="bridge", secret=SECRET)
            assert await koha.category("R1") == "PT"
            assert await koha.move("R1", now="PT", to="G1")
            assert await koha.category("R1") == "G1"
            assert system.readers["r1"].category == "PT"
            assert system.puts == [
                {"cardnumber": "R1", "surname": "张", "library_id": "MAIN", "city": None, "category_id": "G1",
                 "email": "kept@example.city"}
            ]  # fmt: skip
            await koha.close()

    async def test_twice_is_once(self) -> None:
        """Who is there already is not written again."""
        async with librarysystem.running("R1") as system:
            koha = Koha(system.koha, client_id="bridge", secret=SECRET)
            assert [await koha.move("R1", now="PT", to="G1") for _ in range(2)] == [True, True]
            assert len(system.puts) == 1
            await koha.close()

    async def test_only_from_where_it_expects(self) -> None:
        """Who is elsewhere by now stays there."""
        async with librarysystem.running("R1") as system:
            koha = Koha(system.koha, client_id="bridge", secret=SECRET)
            assert not await koha.move("R1", now="G2", to="G1")
            assert system.puts == []
            await koha.close()

    @pytest.mark.parametrize("what", ["card", "category", "secret", "fault", "away"])
    async def test_what_goes_wrong(self, what: str) -> None:
        """An unknown card, category or secret, a fault, nobody there: NotMovedError, without the card in its words."""
        async with librarysystem.running("R1") as system:
            koha = Koha(system.koha, client_id="bridge", secret="wrong" if what == "secret" else SECRET)
            if what == "fault":
                system.koha_status = 500
            if what != "away":
                with pytest.raises(NotMovedError) as told:
                    await koha.move("R9" if what == "card" else "R1", now="PT", to="XX" if what == "category" else "G1")
                assert "R9" not in str(told.value)
            else:
                koha._http.base_url = "http://127.0.0.1:1"
                with pytest.raises(NotMovedError):
                    await koha.category("R1")
            await koha.close()
