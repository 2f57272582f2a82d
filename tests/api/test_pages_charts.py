"""The charts: well-formed, silent about nothing, free of inline style, inside their own frame."""

import re
from datetime import date, timedelta
from xml.etree.ElementTree import Element, fromstring

from hypothesis import given
from hypothesis import strategies as st

from api.pages import charts, columns

SHARES = st.floats(0, 200, allow_nan=False)
NAMES = st.text("守诺<&>\"'公益", min_size=1, max_size=6)


def check(markup: str) -> Element:
    """Well-formed, with a title and a description that it is labelled by; no style, no script; nothing outside."""
    drawn = fromstring(markup)  # noqa: S314  (our own)
    assert drawn.attrib["role"] == "img"
    identities = drawn.attrib["aria-labelledby"].split()
    assert [one.attrib["id"] for one in drawn if one.tag in {"title", "desc"}] == identities
    assert not [one for one in drawn.iter() if "style" in one.attrib or one.tag in {"style", "script"}]
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    for one in drawn.iter():
        for name, most in (("x", width), ("cx", width), ("x2", width), ("y", height), ("cy", height), ("y2", height)):
            assert -0.1 <= float(one.attrib.get(name, 0)) <= most + 0.1
        for pair in one.attrib.get("points", "").split():
            x, y = map(float, pair.split(","))
            assert -0.1 <= x <= width + 0.1
            assert -0.1 <= y <= height + 0.1
    return drawn


class TestRadar:
    """The dimensions."""

    @given(st.lists(st.tuples(NAMES, SHARES, st.sampled_from([0.0, 10.0, 25.0])), min_size=3, max_size=8))
    def test_it_stays_inside_and_says_its_figures(self, parts: list[tuple[str, float, float]]) -> None:
        """Any names and points, even beyond a cap or with a cap of nothing."""
        told = check(charts.radar(parts)).find("desc")
        assert told is not None
        assert all(f"{name} {points:.1f} 分" in str(told.text) for name, points, _ in parts)


class TestScale:
    """The points on their scale."""

    @given(SHARES)
    def test_any_points_lie_on_it(self, points: float) -> None:
        """From one end to the other, with a mark for each tier, which the description names."""
        tiers = [("铜", 110.0), ("银", 120.0), ("金", 135.0), ("桂", 150.0)]
        drawn = check(charts.scale(points, 0, 200, tiers))
        assert len(list(drawn.iter("line"))) == len(tiers)
        assert all(f"{name}从 {start:g} 分起" in str(drawn.findtext("desc")) for name, start in tiers)


class TestLine:
    """The points over time."""

    @given(st.lists(st.tuples(st.integers(0, 700), SHARES), min_size=1, max_size=30))
    def test_it_stays_inside_and_keeps_every_change(self, changes: list[tuple[int, float]]) -> None:
        """One dot a change, also when all fall on one day; the description names each."""
        values = sorted((date(2025, 1, 1) + timedelta(days=days), points) for days, points in changes)
        drawn = check(charts.line(values))
        dots = [(one.attrib["cx"], one.attrib["cy"]) for one in drawn.iter("circle")]
        assert len(dots) == len(values)
        assert len(re.findall(r"\d{4}年\d+月\d+日 ", str(drawn.findtext("desc")))) == len(values)

    def test_changes_of_one_day_stand_side_by_side(self) -> None:
        """A first day full of records is no vertical line."""
        drawn = check(charts.line([(date(2026, 11, 22), points) for points in (110.0, 112.0, 118.0)]))
        assert len({one.attrib["cx"] for one in drawn.iter("circle")}) == 3


class TestRows:
    """Two bars for each of many names."""

    def test_a_long_name_is_cut_a_hidden_number_is_a_star_and_words_say_both(self) -> None:
        """Each name has a line of its own; the description has the whole name, and says what is hidden."""
        long = "一项名字很长很长很长的便利的全称"
        drawn = check(columns.rows("perks", "人数", [(long, 12, 30), ("短", None, 5)], unit="人"))
        shown = [one.text or "" for one in drawn.iter() if one.tag.endswith("text")]
        assert long not in shown
        assert shown.count("*") == 1
        said = next(one.text or "" for one in drawn.iter() if one.tag.endswith("desc"))
        assert said.startswith(f"{long}：调整前12人，调整后30人；短：调整前{columns.HIDDEN}")
        heights = [
            one.attrib["y"] for one in drawn.iter() if (one.text or "") == "短" or (one.text or "").endswith("…")
        ]
        assert len(set(heights)) == len(heights) == 2
