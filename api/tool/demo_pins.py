"""Who signs the demo's trust list: two made-up persons, whose keys are beside its other secrets."""

import json
from pathlib import Path

from joserfc.jwk import ECKey

_NAMES = ("root-1", "root-2")


def pins(folder: Path) -> Path:
    """The file of signers in a demo's folder, made with its two keys at the first start."""
    file, secret = folder / "trust-signers.json", folder / "trust-keys.json"
    if not (file.exists() and secret.exists()):
        keys = [ECKey.generate_key("P-256", {"kid": name}, private=True) for name in _NAMES]
        secret.touch(mode=0o600)
        secret.write_text(json.dumps([key.as_dict(private=True) for key in keys]), encoding="utf-8")
        public = {"needed": len(_NAMES), "keys": [key.as_dict(private=False) for key in keys]}
        file.write_text(json.dumps(public), encoding="utf-8")
    return file
