"""The gate libraries of `docs/gate`, as somebody who copied the files has them."""

import importlib.util
import sys
from types import ModuleType
from typing import Any

from core.settings import ROOT

FOLDER = ROOT / "docs/gate"
FILE = FOLDER / "osmanthus_gate.py"
VECTORS = FOLDER / "vectors.json"
VISITORS = FOLDER / "visitors.json"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # the files import one another by name
    spec.loader.exec_module(module)
    return module


library: Any = _load("osmanthus_gate")
lists: Any = _load("osmanthus_list")
usage: Any = _load("osmanthus_usage")
days: Any = _load("osmanthus_day")
vc: Any = _load("osmanthus_vc")
visitors: Any = _load("osmanthus_visitor")
simulator: Any = _load("a_day")


def claims(text: str) -> Any:
    """What a code says, by the library."""
    return library.read(text)[0]
