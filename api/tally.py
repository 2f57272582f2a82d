"""How many requests each route answered, and how fast: plain numbers, made into metrics when somebody asks.

A counter of the metrics' library locks and looks labels up for each request; these are counted on the event loop alone.
"""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BOUNDS = Histogram.DEFAULT_BUCKETS  # seconds; the last is infinite
_NAMES = [*map(str, _BOUNDS[:-1]), "+Inf"]


class Answers(Collector):
    """The counts of a process; `collect` is the library's word for reading them."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._answers: dict[tuple[str, str, int], int] = {}
        self._spent: dict[tuple[str, str], tuple[list[int], list[float]]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        one = method, route, status
        self._answers[one] = self._answers.get(one, 0) + 1
        if (held := self._spent.get((method, route))) is None:
            held = self._spent[method, route] = ([0] * len(_BOUNDS), [0.0])
        held[0][bisect_left(_BOUNDS, seconds)] += 1
        held[1][0] += seconds

    def collect(self) -> Iterator[Metric]:
        """`osmanthus_requests_total` and `osmanthus_request_seconds`."""
        counted = CounterMetricFamily("osmanthus_requests", "Requests", labels=["method", "route", "status"])
        for (method, route, status), many in list(self._answers.items()):
            counted.add_metric([method, route, str(status)], many)
        yield counted
        spent = HistogramMetricFamily("osmanthus_request_seconds", "Time to the answer", labels=["method", "route"])
        for (method, route), (buckets, total) in list(self._spent.items()):
            up_to = [sum(buckets[: place + 1]) for place in range(len(_BOUNDS))]
            spent.add_metric([method, route], list(zip(_NAMES, up_to, strict=True)), total[0])
        yield spent
