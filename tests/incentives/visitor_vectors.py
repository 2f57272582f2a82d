"""Writes `docs/gate/visitors.json`: `python -m tests.incentives.visitor_vectors`, after a change of the form.

The signatures differ each time (ES256 draws a number), so the test reads the file and does not compare it.
"""

import json
import tempfile
from pathlib import Path

from incentives.recognition import statuslist
from tests.incentives import gates
from tests.incentives.recognition.test_presentation import ATTACKS
from tests.incentives.recognition.wallet import HERE, NONCE, NOW, PLACE, Wallet
from tests.incentives.test_visitor_gate import ROOTS, Morning

SHOWN = {"one predicate": ("over_120",), "a predicate and the city": ("over_110", "city"), "nothing": ()}
LONG = {"too long", "too many disclosures", "not text", "nothing", "a day that is none"}


def made() -> dict[str, object]:
    """A morning of a gate, a visitor, and whom to turn away."""
    with tempfile.TemporaryDirectory() as folder:
        morning = Morning(Path(folder))
        morning.revoked = {7: statuslist.INVALID, 8: statuslist.SUSPENDED}
        signers = {kid: root.as_dict(private=False) for kid, root in ROOTS.items()}
        trust = {"signers": signers, "needed": 2, "list": json.loads(morning.trust())}
        token = morning.statuses().decode()
    wallet = Wallet()
    good = [{"what": what, "text": wallet.show(*names), "says": _says(names)} for what, names in SHOWN.items()]
    bad = [{"what": what, "text": ATTACKS[what](wallet), "says": None} for what in ATTACKS if what not in LONG]
    return {
        "now": NOW,
        "question": {"audience": HERE, "nonce": NONCE},
        "trust": trust,
        "statuses": {"uri": PLACE.uri, "token": token, "not_valid": morning.revoked},
        "presentations": [*good, *bad],
    }


def _says(names: tuple[str, ...]) -> dict[str, object]:
    reached = [name for name in names if name.startswith("over_")]
    return {"reached": reached, "facts": {"city": "990100"} if "city" in names else {}, "index": PLACE.index}


if __name__ == "__main__":
    gates.VISITORS.write_text(json.dumps(made(), indent=1) + "\n")
