"""A hundred thousand presentations that were tampered with: none counts, nothing breaks, no memory is kept."""

import gc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core import embedded
from core.keys import Keyring
from tests.api import visitworld
from tests.incentives.recognition import mutations

pytestmark = pytest.mark.interop

ROUNDS, OVER_HTTP = 100_000, 1_000
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


async def test_none_counts_over_http(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path: Path
) -> None:
    """Through the wallet's door each is the standard route or a plain no: never granted, never a fault of ours."""
    dice, heard = mutations.Dice(3), Counter[tuple[int, str]]()
    async with visitworld.opened(cluster, city_template, ring, tmp_path) as town:
        for _ in range(OVER_HTTP):
            question = await town.ask()
            text = dice.tamper(town.neighbour.copy(index=1).answer(question))
            told = await town.respond(question, text)
            heard[told.status_code, told.json().get("result", "")] += 1
        question = await town.ask()
        whole = await town.respond(question, town.neighbour.copy(index=2).answer(question))
    assert whole.json()["result"] == "granted"
    assert {status for status, _ in heard} <= {200, 400, 413, 422}
    assert {result for _, result in heard} <= {"standard_route", ""}
