"""What comes out for everybody under two rule books, added up as it goes: counts, and of nobody anything else.

Pure. Memory depends on the rule books and the number of districts, never on the people. `figures` gives the numbers as
they may be seen (`core.cellkeys`); when fewer than ten people come out differently at all, the numbers are those of no
change. Districts are the first six digits of an ID number.
"""

from collections.abc import Iterable, Mapping

import msgspec

from core import cellkeys
from core.cellkeys import LEAST, Cell
from scoring.book.scorecard import Scorecard
from scoring.points.evaluate import Evaluation

WAYS = ("lower", "same", "higher")
_OTHER = ""
_MOST_DISTRICTS = 40


class Person(msgspec.Struct, frozen=True):
    """The groups somebody is counted in; None is not known."""

    district: str | None
    age: str | None
    sex: str | None


class Outcome(msgspec.Struct, frozen=True):
    """What a rule book gives somebody on the day: the evaluation, and the ids of the perks within reach."""

    evaluation: Evaluation
    perks: frozenset[str]

    def same(self, other: "Outcome") -> bool:
        """Whether nobody could tell the two apart."""
        return _seen(self) == _seen(other)


class Split(msgspec.Struct, frozen=True):
    """How many get fewer points, as many, more; `people` in all. None: fewer than ten, or hidden beside such."""

    id: str
    name: str
    people: int | None
    lower: int | None
    same: int | None
    higher: int | None


class PerkMoves(msgspec.Struct, frozen=True):
    """How many reach a perk before and after, and how many gain or lose it."""

    id: str
    before: int | None
    after: int | None
    gained: int | None
    lost: int | None


class Tiers(msgspec.Struct, frozen=True):
    """Tiers as shown, old ones in rows, new ones in columns, with the margins `before` and `after`."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    moved: tuple[tuple[int | None, ...], ...]
    before: tuple[int | None, ...]
    after: tuple[int | None, ...]


class Figures(msgspec.Struct, frozen=True):
    """All numbers of a rehearsal. `by_date`: what the day before the day would bring under the old rules alone."""

    people: int | None
    changed: int | None
    points: Split
    by_date: Split
    tiers: Tiers
    parts: tuple[Split, ...]
    districts: tuple[Split, ...]
    ages: tuple[Split, ...]
    sexes: tuple[Split, ...]
    perks: tuple[PerkMoves, ...]


class Tally:
    """Adds people up, one at a time."""

    def __init__(self, old: Scorecard, new: Scorecard) -> None:
        """The scorecards before and after."""
        self.old, self.new = old, new
        self.people, self.changed = Cell(), Cell()
        self._cells: dict[tuple[str, ...], Cell] = {}
        self._still: dict[tuple[str, ...], Cell] = {}

    def add(self, key: int, who: Person, eve: Evaluation, before: Outcome, after: Outcome) -> None:
        """One person: on the eve and on the day under the old rules, and on the day under the new ones."""
        self.people.add(key)
        if not before.same(after):
            self.changed.add(key)
        _count(self._cells, key, _places(who, eve, before, after))
        _count(self._still, key, _places(who, eve, before, before))

    def figures(self, names: Mapping[str, str]) -> Figures:
        """The numbers as they may be seen; `names` of the parts by their id."""
        few = self.changed.persons < LEAST
        cells = self._still if few else self._cells
        board = _Board(cells, self.people)
        perks = sorted({place[1] for place in cells if place[0] == "perk"})
        parts = list(dict.fromkeys(place[1] for place in cells if place[0] == "part"))
        return Figures(
            people=cellkeys.count(self.people),
            changed=cellkeys.count(self.changed),
            points=board.alone("points", "", ""),
            by_date=board.alone("date", "", ""),
            tiers=_tiers(cells, self.old, self.new),
            parts=tuple(board.alone("part", part, names.get(part, part)) for part in parts),
            districts=board.groups("district", most=_MOST_DISTRICTS),
            ages=board.groups("age"),
            sexes=board.groups("sex"),
            perks=tuple(_perk(cells, perk) for perk in perks),
        )


class _Board:
    """Reads splits out of counted cells."""

    def __init__(self, cells: Mapping[tuple[str, ...], Cell], people: Cell) -> None:
        self.cells, self.people = cells, people

    def row(self, *place: str) -> list[Cell]:
        """The three cells of a split."""
        return [self.cells.get((*place, way), Cell()) for way in WAYS]

    def alone(self, kind: str, part: str, name: str) -> Split:
        """A split of everybody."""
        ((lower, same, higher),) = cellkeys.lines([self.row(kind, part)], [self.people])
        return Split(part, name, cellkeys.count(self.people), lower, same, higher)

    def groups(self, kind: str, most: int = 20) -> tuple[Split, ...]:
        """The splits of the groups of a kind; small ones, and those after the biggest, are one group `其他`."""
        sizes: dict[str, Cell] = {}
        for place, cell in self.cells.items():
            if place[0] == kind:
                _merge(sizes.setdefault(place[1], Cell()), cell)
        big = sorted(sizes, key=lambda name: -sizes[name].persons)[:most]
        named = sorted(name for name in big if sizes[name].persons >= LEAST)
        rest = [name for name in sizes if name not in named]
        rows = [self.row(kind, name) for name in named]
        wholes = [sizes[name] for name in named]
        if rest:
            rows.append([_sum(cells) for cells in zip(*(self.row(kind, name) for name in rest), strict=True)])
            wholes.append(_sum(sizes[name] for name in rest))
            named = [*named, _OTHER]
        shown = cellkeys.lines(rows, wholes) if rows else ()
        return tuple(
            Split(name, name or "其他", cellkeys.count(whole), *three)
            for name, whole, three in zip(named, wholes, shown, strict=True)
        )


def _places(who: Person, eve: Evaluation, before: Outcome, after: Outcome) -> Iterable[tuple[str, ...]]:
    """Every cell that somebody is in."""
    old, new = before.evaluation, after.evaluation
    way = _way(old.points, new.points)
    yield ("points", "", way)
    yield ("date", "", _way(eve.points, old.points))
    yield ("tier", old.tier, new.tier)
    for kind, value in (("district", who.district), ("age", who.age), ("sex", who.sex)):
        if value is not None:
            yield (kind, value, way)
    parts, others = _parts(old), _parts(new)
    for part in {**parts, **others}:
        yield ("part", part, _way(parts.get(part, 0), others.get(part, 0)))
    for perk in before.perks | after.perks:
        yield ("perk", perk, f"{perk in before.perks}-{perk in after.perks}")


def _parts(one: Evaluation) -> dict[str, int]:
    """What each dimension, indicator and deduction adds; a deduction adds less than nothing."""
    found: dict[str, int] = {}
    for dimension in one.dimensions:
        found[dimension.id] = dimension.points
        found |= {indicator.id: indicator.points for indicator in dimension.indicators}
    return found | {deduction.id: -deduction.points for deduction in one.deductions}


def _seen(one: Outcome) -> tuple[object, ...]:
    return one.evaluation.points, one.evaluation.tier, one.evaluation.held, one.perks, _parts(one.evaluation)


def _way(before: int, after: int) -> str:
    return WAYS[(after > before) - (after < before) + 1]


def _count(cells: dict[tuple[str, ...], Cell], key: int, places: Iterable[tuple[str, ...]]) -> None:
    for place in places:
        cells.setdefault(place, Cell()).add(key)


def _tiers(cells: Mapping[tuple[str, ...], Cell], old: Scorecard, new: Scorecard) -> Tiers:
    before, after = tuple(tier.name for tier in old.tiers), tuple(tier.name for tier in new.tiers)
    found = cellkeys.matrix([[cells.get(("tier", one, other), Cell()) for other in after] for one in before])
    return Tiers(before, after, found.cells, found.rows, found.columns)


def _perk(cells: Mapping[tuple[str, ...], Cell], perk: str) -> PerkMoves:
    """A perk's two margins are closed like those of the tiers: few who gain or lose it move neither."""
    kept, lost, gained = (cells.get(("perk", perk, way), Cell()) for way in ("True-True", "True-False", "False-True"))
    found = cellkeys.matrix([[kept, lost], [gained, Cell()]])
    return PerkMoves(perk, found.rows[0], found.columns[0], found.cells[1][0], found.cells[0][1])


def _merge(into: Cell, other: Cell) -> None:
    into.persons += other.persons
    into.key = (into.key + other.key) % (1 << 64)


def _sum(cells: Iterable[Cell]) -> Cell:
    made = Cell()
    for cell in cells:
        _merge(made, cell)
    return made
