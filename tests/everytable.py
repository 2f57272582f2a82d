"""Every table of every room: what declares them is found by its name, so that no list of modules forgets one."""

from importlib import import_module

from core.settings import ROOT
from core.tables import metadata

for room in ("core", "auth", "scoring", "incentives"):
    for path in sorted((ROOT / room).rglob("*tables.py")):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))

__all__ = ["metadata"]
