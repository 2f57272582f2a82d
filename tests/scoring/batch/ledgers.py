"""Made-up scorecards and ledgers, full of edges, and what the evaluator makes of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from random import Random

import msgspec
import pyarrow as pa
from hypothesis import strategies as st

from core.months import first, shift
from scoring.batch import plan
from scoring.batch.sources import schema
from scoring.book.basis import Basis
from scoring.book.rules import Deduction, Dimension, Hold, Indicator, Level, Tier
from scoring.book.scorecard import Scorecard
from scoring.points import cases, evaluate
from scoring.points.facts import Fact
from tests.rulebook import POLICY, book, card, evaluator, reader

DEMO = Basis("demo", "")
POSITIVE = [f"P{number:02}" for number in range(1, 23)]
NEGATIVE = [f"N{number:02}" for number in range(1, 7)]
WINDOWS = (0, 1, 6, 12, 24, 29, 30, 31, 36, 60, 120, 600)
MEASURES = ("months", "months", "sum", "count", "best")
STATUSES = ("active",) * 8 + ("disputed", "hidden", "repaired", "revoked")
# The ends of February around a leap year, the ends of a month, and an ordinary day.
DAYS = st.sampled_from(
    [date(2028, 2, 29), date(2029, 2, 28), date(2028, 3, 1), date(2027, 2, 28), date(2026, 12, 31), date(2026, 11, 22)]
)


class Person(msgspec.Struct, frozen=True):
    """Somebody of the register, with rows that count or do not."""

    adult_on: date
    facts: tuple[Fact, ...]


@st.composite
def cards(draw: st.DrawFn) -> Scorecard:
    """Give a scorecard that the language allows, however foolish."""
    kinds = draw(st.permutations(POSITIVE))
    dealt = draw(st.lists(st.integers(1, 3), min_size=2, max_size=7))
    rules = [_indicator(draw, number, kinds[number * 3 : number * 3 + size]) for number, size in enumerate(dealt)]
    negative = draw(st.permutations(NEGATIVE))
    cut = draw(st.integers(0, len(negative)))
    taken, holding = negative[:cut], negative[cut : cut + draw(st.integers(0, 2))]
    if taken:
        rules.append(_clean(draw, draw(st.lists(st.sampled_from(taken), min_size=1, unique=True))))
    split = draw(st.integers(1, len(rules)))
    parts = [part for part in (rules[:split], rules[split:]) if part]
    low = draw(st.sampled_from([0, 0, 300]))
    starts = sorted({low, *draw(st.lists(st.integers(low + 1, 1_900), max_size=4))})
    return Scorecard(
        id="made-up", title="", valid_from=date(2020, 1, 1), digest="0" * 64,
        base=draw(st.integers(low, 1_200)), low=low, high=draw(st.sampled_from([1_200, 2_000])),
        deduction_cap=draw(st.sampled_from([0, 50, 600])),
        dimensions=tuple(
            Dimension(f"d{number}", "", "", draw(st.integers(0, 400)), tuple(part), DEMO)
            for number, part in enumerate(parts, 1)
        ),
        deductions=tuple(
            Deduction(
                kind.lower(), "", "", kind, draw(st.integers(1, 200)), draw(st.integers(1, 400)),
                draw(st.sampled_from([0, 12, 60])), "", "", DEMO,
            )
            for kind in taken
        ),
        holds=tuple(Hold(f"hold_{kind}", "", "", kind, "", "", DEMO) for kind in holding),
        tiers=tuple(Tier(f"级{number}", start, DEMO) for number, start in enumerate(starts)),
        basis=DEMO, claims=(),
    )  # fmt: skip


def _indicator(draw: st.DrawFn, number: int, kinds: Sequence[str]) -> Indicator:
    measure = draw(st.sampled_from(MEASURES))
    levels = draw(st.dictionaries(st.integers(1, 12), st.integers(1, 200), min_size=1)) if measure == "best" else {}
    return Indicator(
        f"rule{number}", "", "", draw(st.integers(0, 5)) > 0, tuple(kinds), measure, draw(st.sampled_from(WINDOWS)), 0,
        draw(st.integers(1, 60)), draw(st.integers(1, 300)), "",
        tuple(Level(level, "", points) for level, points in levels.items()), "", "", None, DEMO,
    )  # fmt: skip


def _clean(draw: st.DrawFn, kinds: Sequence[str]) -> Indicator:
    return Indicator(
        "clean", "", "", draw(st.sampled_from([True])), tuple(kinds), "clean_years", 0, draw(st.integers(1, 10)),
        draw(st.integers(1, 40)), draw(st.integers(1, 200)), "", (), "", "", None, DEMO,
    )  # fmt: skip


def people(seed: int, as_of: date, count: int = 50) -> dict[int, Person]:
    """Give so many people: some without rows, some not adult yet, the others on every edge there is."""
    random = Random(seed)  # noqa: S311  made-up people, the same for the same seed
    edges = [shift(as_of, -months) + timedelta(days=by) for months in WINDOWS[1:] for by in (-1, 0, 1)]
    edges += [as_of + timedelta(days=by) for by in (-1, 0, 1, 40)] + [date(2024, 2, 29), date(2028, 2, 29)]
    births = [as_of, as_of + timedelta(days=1), shift(as_of, -12), date(2024, 2, 29), date(1990, 5, 1)]
    births += [as_of - timedelta(days=365 * years) for years in (1, 4)]
    return {
        subject * 7 - 90: Person(
            random.choice(births),
            tuple(_fact(random, edges, as_of) for _ in range(random.choice((0, 1, 5, 20, 60)))),
        )
        for subject in range(count)
    }


def _fact(random: Random, edges: Sequence[date], as_of: date) -> Fact:
    kind = random.choice(POSITIVE + NEGATIVE * 2)
    day = random.choice(edges) if random.random() < 0.6 else as_of - timedelta(days=random.randrange(-40, 4_000))
    start = until = None
    if kind in NEGATIVE:
        start = random.choice((day, day + timedelta(days=30), as_of, as_of + timedelta(days=1), None))
        until = random.choice((None, as_of, as_of + timedelta(days=1), as_of - timedelta(days=400), None))
    return Fact(
        kind, random.choice(("", "a", "b")), first(day) if random.random() < 0.5 else day, random.randrange(9),
        random.choice((None, *range(14))), None, start, until, random.choice(STATUSES), (),
    )  # fmt: skip


def tables(people: Mapping[int, Person]) -> tuple[pa.Table, pa.Table]:
    """Give the records and the register of these people as the two files hold them."""
    records = [
        (subject, *(getattr(fact, name) for name in list(plan.RECORDS)[1:]))
        for subject, person in people.items()
        for fact in person.facts
    ]
    columns = [list(column) for column in zip(*records, strict=True)] or [[] for _ in plan.RECORDS]
    register = [list(people), [person.adult_on for person in people.values()]]
    return pa.table(columns, schema=schema(plan.RECORDS)), pa.table(register, schema=schema(plan.REGISTER))


def evaluated(card: Scorecard, people: Mapping[int, Person], as_of: date) -> list[dict[str, object]]:
    """Give what the evaluator says of each adult, by subject."""
    evaluator = evaluate.compile(card)
    return [
        {"subject": subject, **evaluator(person.facts, person.adult_on, as_of).columns()}
        for subject, person in sorted(people.items())
        if person.adult_on <= as_of
    ]


def shipped_cases() -> dict[date, dict[int, Person]]:
    """Give the people of all shipped case files by the day on which their points are counted."""
    found: dict[date, dict[int, Person]] = {}
    for number, file in enumerate(sorted((POLICY / "cases").glob("*.toml"))):
        asked: list[tuple[date, Person]] = []

        def watch(
            facts: Iterable[Fact], adult_on: date, as_of: date, asked: list[tuple[date, Person]] = asked
        ) -> evaluate.Evaluation:
            rows = tuple(facts)
            asked.append((as_of, Person(adult_on, rows)))
            return evaluator()(rows, adult_on, as_of)

        rules = cases.Rules(card(), watch, book(), reader())
        cases.run(file.read_text(encoding="utf-8"), file.name, rules)
        as_of, person = asked[0]  # what follows are the explanation's what-ifs
        found.setdefault(as_of, {})[number] = person
    return found
