"""Made-up records, and Hypothesis strategies for them."""

from datetime import date, timedelta

from hypothesis import strategies as st

from scoring.points.facts import RecordRow

AS_OF = date(2026, 11, 22)
ADULT = date(2008, 5, 1)
MONTHLY = ("P01", "P02", "P03", "P04", "P06", "P07", "P12", "P17", "P21", "P22")
NEGATIVE = ("N01", "N02", "N03", "N04", "N05", "N06")
STATUSES = ("active", "disputed", "hidden", "repaired", "revoked")

DAYS = st.dates(date(2005, 1, 1), date(2027, 6, 1))


def positive(
    kind: str, day: date, *, name: str = "p", quantity: int = 1, level: int | None = None, status: str = "active"
) -> RecordRow:
    """Give a positive record."""
    return RecordRow(name, kind, "", day, quantity, level, None, None, None, status)


def negative(
    kind: str, start: date, until: date | None, *, name: str = "n", act: date | None = None, status: str = "active"
) -> RecordRow:
    """Give a deduction that counts from `start` until `until`."""
    return RecordRow(name, kind, "", act or start, 1, None, None, start, until, status)


def _honour(kind: str, levels: tuple[int, ...]) -> st.SearchStrategy[RecordRow]:
    return st.builds(
        RecordRow,
        st.uuids().map(str),
        st.just(kind),
        st.just(""),
        DAYS,
        st.just(1),
        st.sampled_from(levels),
        st.none(),
        st.none(),
        st.none(),
        st.sampled_from(("active", "active", "hidden", "revoked")),
    )


MONTHS = st.builds(
    RecordRow,
    st.uuids().map(str),
    st.sampled_from(MONTHLY),
    st.sampled_from(("", "a", "b")),
    DAYS,
    st.just(1),
    st.none(),
    st.none(),
    st.none(),
    st.none(),
    st.sampled_from(("active", "active", "hidden", "revoked")),
)
HOURS = st.builds(
    RecordRow,
    st.uuids().map(str),
    st.just("P08"),
    st.sampled_from(("", "a", "b")),
    DAYS,
    st.integers(1, 24),
    st.none(),
    st.none(),
    st.none(),
    st.none(),
    st.sampled_from(("active", "active", "hidden", "revoked")),
)
HONOURS = st.one_of(
    _honour("P09", (1, 2, 3, 4, 5, 11, 13, 18, 21, 25)),
    *(_honour(kind, (1, 2, 3, 4)) for kind in ("P13", "P14", "P15")),
    _honour("P16", (1, 2, 3, 4, 5, 6)),
)
POSITIVES = st.one_of(MONTHS, HOURS, HONOURS)


@st.composite
def deductions(draw: st.DrawFn) -> RecordRow:
    """Give a deduction with an interval, open or closed."""
    start = draw(st.dates(date(2018, 1, 1), date(2027, 3, 1)))
    length = draw(st.one_of(st.none(), st.integers(-30, 1500)))
    until = None if length is None else start + timedelta(days=length)
    act = start - timedelta(days=draw(st.integers(0, 2000)))
    kind, status = draw(st.sampled_from(NEGATIVE)), draw(st.sampled_from(("active", *STATUSES)))
    return RecordRow(str(draw(st.uuids())), kind, "", act, 1, None, None, start, until, status)


RECORDS = st.lists(st.one_of(POSITIVES, deductions()), max_size=40)
