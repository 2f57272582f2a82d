"""The cities of the league in a box, and the rule book of each: the shipped one on another scale, under another name.

A city's scale begins elsewhere, so `over_80` of one is `over_120` of another, and `over_110` is here the first step and
there the last: whoever compared points would be wrong, and whoever reads the map is right. Promises: what is written
passes `policy check` like the shipped book, and names every other city of the league as one that is recognised, and as
one that a citizen may name in a consent.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

TRANSIT, TICKET = "transit.discount", "tourism.ticket"
LOW, HIGH = 110, 120  # the shipped scorecard's first thresholds
_NOTICE = "notices/recognise-v1.zh.md"
_OURS = re.compile(r"\[\[recipients\]\].*?(?=\n\+\+\+)", re.DOTALL)


class City(msgspec.Struct, frozen=True):
    """A made-up city; `shift` is how much higher its scale is than the shipped one, in whole points."""

    code: str
    name: str
    shift: int

    @property
    def controller(self) -> str:
        """Its credit office."""
        return f"{self.name}信用办公室"

    def threshold(self, shipped: int) -> int:
        """A threshold of the shipped book on its own scale."""
        return shipped + self.shift


CITIES = (
    City("990000", "示范市", 0),
    City("990100", "示范邻市", -40),
    City("990200", "示范远市", -20),
)


def write(book: Path, target: Path, city: City, others: Iterable[City]) -> None:
    """The rule book of a city, made of the shipped one at `book`; `target` is replaced."""
    among = list(others)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(book, target)
    for path in target.rglob("*.toml"):
        path.write_text(_shifted(path, city), encoding="utf-8")
    (target / "recognition.toml").write_text(_recognition(among), encoding="utf-8")
    notice = target / _NOTICE
    notice.write_text(
        _OURS.sub("\n\n".join(map(_recipient, among)), notice.read_text(encoding="utf-8"), count=1), encoding="utf-8"
    )


def _shifted(path: Path, city: City) -> str:
    """The file with every number of points that is a place on the scale, not a difference, moved; 0 stays the end."""
    members = {"scorecard": "base|low|high|from", "perks": "threshold", "cases": "points"}.get(path.parent.name)
    text = path.read_text(encoding="utf-8")
    if members is None or not city.shift:
        return text
    head, mark, tail = text.rpartition("[expect]") if path.parent.name == "cases" else ("", "", text)
    if path.parent.name == "scorecard":
        tail, mark, rest = text.partition("[[dimension]]")
        return _moved(tail, members, city.shift) + mark + rest
    return head + mark + _moved(tail, members, city.shift)


def _moved(text: str, members: str, shift: int) -> str:
    def move(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) + shift}"

    return re.sub(rf"(?m)^((?:{members}) = )([1-9][0-9]*)(?=$|\.)", move, text)


def _recognition(others: Iterable[City]) -> str:
    """Whom it recognises: the same rights for a threshold that means the same there."""
    lines = ["# 互认城市：每座城市的分值不同，只认“达到公布的门槛”，从不换算分数。", ""]
    for one in others:
        lines += ["[[city]]", f'code = "{one.code}"', f'name = "{one.name}"', 'basis = {kind = "demo"}', ""]
        for least, perk in ((LOW, TRANSIT), (HIGH, TICKET)):
            lines += ["[[city.rule]]", f'predicate = "over_{one.threshold(least)}"', f'perks = ["{perk}"]', ""]
    return "\n".join(lines)


def _recipient(city: City) -> str:
    return "\n".join((
        "[[recipients]]", f'id = "{city.code}"', f'name = "{city.controller}"', f'address = "{city.name}政务服务中心"',
        f'contact = "电话 0000-54321，邮箱 credit@{city.code}.example"',
    ))  # fmt: skip
