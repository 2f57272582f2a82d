"""Every sentence of an explained score, for whoever has to look for one.

Pure.
"""

from scoring.points.scoreview import ScoreView


def sentences(view: ScoreView) -> list[str]:
    """Give reasons, what comes next and the ways to the next tier, in the order shown."""
    parts = [one for dimension in view.dimensions for one in dimension.indicators]
    said = [one.reason for one in (*parts, *view.deductions)]
    said += [one.next.text for one in (*parts, *view.deductions) if one.next is not None]
    said += [one.limits for one in view.deductions if one.limits]
    return said + [way.text for way in (view.next_tier.ways if view.next_tier else ())]
