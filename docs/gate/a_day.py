"""A simulator: two gates learn, lose their line for a day, let people through, and come back. For a clone of this city.

    .venv/bin/python docs/gate/a_day.py --as city-card --index 4711 --index 12

It asks the demo city of `make demo` as an operator of `var/demo/kit.json`, and prints what each card paid and what the
city answered. Each gate keeps its usage in a folder of its own; run it again and the same rides are sent again, and
count once. Public domain.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from osmanthus_day import Day, Fetch, Refused

Say = Callable[[str], object]


def day_of(
    gates: Sequence[Day], fetch: Fetch, post: Callable[[bytes], Any], riders: Sequence[int | str], say: Say
) -> int:
    """Learn, ride without a line, come back and upload twice, the last gate first. Returns how many rides there were."""
    for gate in gates:
        gate.learn(fetch)
        say(f"{gate.terminal}: list {gate.list.seq if gate.list else '-'}, now without a line")
    rides = 0
    for gate in gates:
        for rider in riders:
            try:
                paid = gate.card(rider, fare=300) if isinstance(rider, int) else gate.code(rider, fare=300)
            except Refused as no:
                say(f"{gate.terminal}: {no.why}: the ordinary fare")
                continue
            rides += 1
            say(f"{gate.terminal}: pays {paid.fare}, {paid.discount} off")
    for again in (False, True):
        for gate in reversed(gates):
            for line in gate.upload(post, again=again):
                say(f"{gate.terminal}: {line['ride']} was not taken: {line['code']}")
    return rides


def main() -> None:
    """Two gates of the demo city."""
    import httpx2

    from api.tool.caller import signed

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kit", type=Path, default=Path("var/demo/kit.json"))
    asked.add_argument("--as", dest="client", default="city-card")
    asked.add_argument("--perk", default="transit.discount")
    asked.add_argument("--index", type=int, action="append", default=[])
    asked.add_argument("--code", action="append", default=[], help="a credit code, drawn within the last minute")
    asked.add_argument("--folder", type=Path, default=Path("var/gates"))
    chosen = asked.parse_args()
    kit = json.loads(chosen.kit.read_text())
    with httpx2.Client(base_url=kit["base_url"], auth=signed(kit, chosen.client), timeout=60) as http:
        operator = kit["clients"][chosen.client]["client_id"]
        gates = [
            Day(chosen.folder / name, perk=chosen.perk, partner=operator, terminal=name)
            for name in ("gate-1", "gate-2")
        ]
        day_of(gates, *line(http), [*chosen.index, *chosen.code], print)


def line(http: Any) -> tuple[Fetch, Callable[[bytes], Any]]:
    """The two things that a gate needs of a client that signs."""

    def fetch(path: str) -> tuple[Any, bytes]:
        answer = http.get(path).raise_for_status()
        return answer.headers, answer.content

    def post(lines: bytes) -> Any:
        headers = {"Content-Type": "application/x-ndjson"}
        return http.post("/v1/citycard/rides", content=lines, headers=headers).raise_for_status().json()

    return fetch, post


if __name__ == "__main__":
    main()
