"""The text of a ticket: what we write, the one-file gate reads, and nobody else could have written it."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from core import clock, ids
from core.db import Doors
from core.errors import NotFound
from core.keys import Keyring
from core.settings import ROOT
from incentives import codes, ticketcode, tickets
from incentives.orders import counter
from incentives.orders.counter import PREFIX, Visit
from incentives.orders.lines import Item
from incentives.ticketcode import Claims
from incentives.tickets import NoTicket
from tests.orderworld import Till, till

sys.path.insert(0, str(ROOT / "docs" / "gate"))
import osmanthus_gate
import osmanthus_ticket

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DAY = 1_790_000_000
CLAIMS = Claims(
    key=7, city=990_000, number=bytes(range(8)), begins=DAY, ends=DAY + 86_400, per_day=2, perk=3, audience=9
)


def at_gate(file: Path, now: float = DAY + 60) -> Any:
    """A gate that knows the key."""
    return osmanthus_ticket.TicketGate({(990_000, 7): KEY.public_key()}, [3], 9, str(file), lambda: now)


class TestText:
    """`ticketcode.write` and `number`."""

    @given(number=st.binary(min_size=8, max_size=8), perk=st.integers(1, 65535), audience=st.integers(1, 2**32 - 1))
    def test_what_is_written_is_read(self, number: bytes, perk: int, audience: int) -> None:
        """The number comes back, in any case and with blanks around it."""
        claims = Claims(0, 990_000, number, 0, 1, 1, perk, audience)
        shown = ticketcode.write(claims, KEY.sign)
        assert ticketcode.number(f" {shown.lower()} ") == number
        assert len(shown) <= 154  # what a QR of version 6, level M holds

    @given(text=st.text(max_size=160))
    def test_anything_else_is_nobodys(self, text: str) -> None:
        """No text makes it fail in another way."""
        for one in (text, f"TK1:{text}"):
            with pytest.raises(NotFound):
                ticketcode.number(one)


class TestGate:
    """`docs/gate/osmanthus_ticket.py`."""

    def test_it_admits_as_often_as_the_day_allows(self, tmp_path: Path) -> None:
        """Twice, in whatever process; what was not sent is told, once it was sent no more."""
        shown = ticketcode.write(CLAIMS, KEY.sign)
        first, second = at_gate(tmp_path / "used").admit(shown), at_gate(tmp_path / "used").admit(shown)
        with pytest.raises(osmanthus_gate.Refused, match="ticket_used"):
            at_gate(tmp_path / "used").admit(shown)
        gate = at_gate(tmp_path / "used")
        assert gate.unsent() == [first, second]
        gate.sent(first)
        assert at_gate(tmp_path / "used").unsent() == [second]

    def test_another_day_is_refused(self, tmp_path: Path) -> None:
        """A second before and at its end."""
        shown = ticketcode.write(CLAIMS, KEY.sign)
        for now in (DAY - 1, DAY + 86_400):
            with pytest.raises(osmanthus_gate.Refused, match="ticket_for_another_day"):
                at_gate(tmp_path / "used", now).admit(shown)

    def test_a_line_that_a_crash_cut_off_admitted_nobody(self, tmp_path: Path) -> None:
        """The file goes on after it."""
        (tmp_path / "used").write_text('{"visit": "x", "tick')
        gate = at_gate(tmp_path / "used")
        assert gate.unsent() == []
        visit = gate.admit(ticketcode.write(CLAIMS, KEY.sign))
        assert at_gate(tmp_path / "used").unsent() == [visit]

    @pytest.mark.parametrize("change", [{"perk": 4}, {"audience": 8}, {"key": 8}, {"city": 320_500}])
    def test_what_is_not_for_here_is_unknown(self, tmp_path: Path, change: dict[str, int]) -> None:
        """Another perk, another partner, a key or city that the gate does not know."""
        claims = Claims(**{name: getattr(CLAIMS, name) for name in Claims.__struct_fields__} | change)
        with pytest.raises(osmanthus_gate.Refused, match="ticket_unknown"):
            at_gate(tmp_path / "used").admit(ticketcode.write(claims, KEY.sign))

    @given(place=st.integers(4, 143), letter=st.sampled_from(osmanthus_gate.ALPHABET))
    def test_an_altered_text_is_unknown(self, tmp_path_factory: Any, place: int, letter: str) -> None:
        """Any letter changed: the signature, or the layout, is not ours."""
        shown = ticketcode.write(CLAIMS, KEY.sign)
        changed = shown[:place] + letter + shown[place + 1 :]
        if changed != shown:
            with pytest.raises(osmanthus_gate.Refused, match="ticket_unknown"):
                at_gate(tmp_path_factory.mktemp("gate") / "used").admit(changed)


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A garden."""
    async with till(database, doors, kind="discount", percent=20, cap=3000) as made:
        yield made


class TestDraw:
    """`tickets.draw`, and what the gate makes of it."""

    async def test_a_day_without_a_line_and_back(self, shop: Till, doors: Doors, ring: Keyring, tmp_path: Path) -> None:
        """Drawn by its citizen, read with the published keys alone, sent later: the order is settled."""
        citizen = await shop.city.citizen()
        _, proof = await shop.city.logged_in(citizen)
        order = await shop.opened(citizen, deposit=None, visit_on=clock.today(), items=(Item("garden", 8000),))
        mint = codes.Mint(codes.Keys(ring), 990_000)
        async with doors.work("citizen", proof=proof) as session:
            drawn = await tickets.draw(session, mint, order_id=ids.read(PREFIX, order.order_id))
        assert (drawn.day, drawn.ends - drawn.begins) == (clock.today(), timedelta(days=1))
        jwks = {"keys": [dict(key.as_dict(private=False)) for key in mint.keys.published(clock.wall())]}
        names = await shop.city.rows(
            "select p.number as perk, a.number as audience from incentives.perk_number p, incentives.audience_number a "
            "where a.kind = 'partner'"
        )
        known = osmanthus_gate.keys(jwks, 990_000)
        gate = osmanthus_ticket.TicketGate(known, [names[0]["perk"]], names[0]["audience"], str(tmp_path / "used"))
        visit = gate.admit(drawn.text)
        came = datetime.fromisoformat(visit["visited_at"])
        shown = Visit(ticketcode.number(visit["ticket"]), visit["visit_id"], came.astimezone(UTC))
        done = await counter.admit(shop.gate, token=shop.token, visit=shown)
        assert done.order.status == "settled"
        async with doors.work("citizen", proof=proof) as session:
            with pytest.raises(NoTicket):
                await tickets.draw(session, mint, order_id=ids.read(PREFIX, order.order_id))

    async def test_it_is_nobody_elses(self, shop: Till, doors: Doors, ring: Keyring) -> None:
        """Another citizen's order is not there."""
        order = await shop.opened(deposit=None, visit_on=clock.today(), items=(Item("garden", 8000),))
        _, proof = await shop.city.logged_in()
        async with doors.work("citizen", proof=proof) as session:
            with pytest.raises(NotFound):
                await tickets.draw(
                    session, codes.Mint(codes.Keys(ring), 990_000), order_id=ids.read(PREFIX, order.order_id)
                )
