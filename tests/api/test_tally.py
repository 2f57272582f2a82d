"""Requests counted in plain numbers are told as the metrics' library would have told its own."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from api.tally import Answers

SEEN = [("GET", "/a", 200, 0.003), ("GET", "/a", 200, 0.005), ("GET", "/a", 404, 0.3), ("POST", "(none)", 500, 99.0)]


def told(registry: CollectorRegistry) -> list[str]:
    """The lines with numbers, but for when a series began, which is ours alone to leave out."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if not line.startswith("#") and "_created{" not in line)


def test_it_is_what_the_library_counts() -> None:
    """The same series, labels, buckets and sums; a time on a bound belongs to that bucket."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    requests = Counter("osmanthus_requests", "-", ["method", "route", "status"], registry=theirs)
    seconds = Histogram("osmanthus_request_seconds", "-", ["method", "route"], registry=theirs)
    answers = Answers()
    ours.register(answers)
    for method, route, status, spent in SEEN:
        answers.note(method, route, status, spent)
        requests.labels(method, route, str(status)).inc()
        seconds.labels(method, route).observe(spent)
    assert told(ours) == told(theirs)
    assert any(line.startswith("osmanthus_requests_total{") and line.endswith(" 2.0") for line in told(ours))
