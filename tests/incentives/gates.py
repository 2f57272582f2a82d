"""The gate library of `docs/gate`, as somebody who copied the one file has it."""

import importlib.util
from typing import Any

from core.settings import ROOT

FILE = ROOT / "docs/gate/osmanthus_gate.py"
VECTORS = ROOT / "docs/gate/vectors.json"

_SPEC = importlib.util.spec_from_file_location("osmanthus_gate", FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
library: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(library)


def claims(text: str) -> Any:
    """What a code says, by the library."""
    return library.read(text)[0]
