"""A hundred thousand presentations that were tampered with: none counts, nothing breaks, no memory is kept."""

import gc
from collections.abc import Callable

import psutil
import pytest

from tests.incentives.recognition import mutations

pytestmark = pytest.mark.interop

ROUNDS = 100_000
MOST = 48 << 20


def test_none_counts(record_testsuite_property: Callable[[str, object], None]) -> None:
    """Half of them by somebody in between: none counts. The holder's say what the city said, and memory stays."""
    mutations.judge(seed=1, rounds=ROUNDS // 10)  # the caches are full, and the interpreter has what it keeps
    gc.collect()
    before = psutil.Process().memory_info().rss
    counted = mutations.judge(seed=2, rounds=ROUNDS)
    gc.collect()
    grown = psutil.Process().memory_info().rss - before
    assert counted["tampered"] == 0
    assert grown < MOST
    record_testsuite_property("presentations", f"{ROUNDS:,}: counted {counted}, {grown / 1e6:,.1f} MB more memory")
