"""Once a day: what is strange about what sources send is told to the log and to the metrics, for whoever is on duty.

A gauge a source and alert, 1 while it holds; the board (`/v1/staff/quality`) says the same with its figures.
"""

import structlog
from prometheus_client import Gauge

from api.deps import House
from api.requests import registry
from core import clock
from scoring import rulebook
from scoring.feeds import quality

_log = structlog.get_logger("osmanthus.quality")
_alerts = Gauge(
    "osmanthus_feed_alerts", "What is strange about a source's last week", ["source", "what"], registry=registry
)


async def look(house: House) -> int:
    """Tell every alert anew; returns how many there are."""
    today = clock.today()
    async with house.doors.work("scorer") as session:
        rules = (await rulebook.current(session, on=today)).catalogue.quality
        boards = await quality.board(session, today=today, days=1, rules=rules)
    _alerts.clear()
    found = [(board.source, alert) for board in boards for alert in board.alerts]
    for source, alert in found:
        _alerts.labels(source, alert.what).set(1)
        _log.warning("feed alert", source=source, what=alert.what, kind=alert.kind, seen=alert.seen, limit=alert.limit)
    return len(found)
