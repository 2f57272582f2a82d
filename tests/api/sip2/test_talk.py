"""Whose card is on the table."""

from api.sip2 import frames
from api.sip2.frames import Frame
from api.sip2.talk import Talk
from tests.api.sip2.libraryworld import CODE
from tests.librarysystem import MOMENT, System, Terminal


class TestTable:
    """A card that was read."""

    def test_two_minutes(self) -> None:
        """A code is put in the card's place for two minutes after the system knew the card, and no longer."""
        moment = [1000.0]
        talk, system, machine = Talk(now=lambda: moment[0]), System("R1"), Terminal(0)
        line = machine.question("R1")
        assert talk.down(system.answer(talk.up(line)) or b"").asked is not None
        moment[0] += 119
        assert frames.read(talk.up(machine.question(CODE))).get("AA") == "R1"
        moment[0] += 2
        assert frames.read(talk.up(machine.question(CODE))).get("AA") == CODE

    def test_a_repeat_is_about_the_same_reader(self) -> None:
        """When the terminal asks for the last answer again, the repeat may be enriched like the first."""
        talk, system, machine = Talk(), System("R1"), Terminal(0)
        told = system.answer(talk.up(machine.question("R1"))) or b""
        first = talk.down(told)
        assert talk.up(frames.write(Frame("97", checked=True))).startswith(b"97")
        again = talk.down(told)
        assert (again.asked, again.frame) == (first.asked, first.frame)

    def test_another_message_ends_the_question(self) -> None:
        """An answer that belongs to no question of a reader's is nobody's to enrich."""
        talk, system, machine = Talk(), System("R1"), Terminal(0)
        told = system.answer(talk.up(machine.question("R1"))) or b""
        talk.up(frames.write(Frame("35", MOMENT, (("AA", "R1"),))))
        assert talk.down(told).asked is None
