"""P7: verify a presentation, and issue a copy of a credential, beside npm @sd-jwt/sd-jwt-vc and PyPI sd-jwt.

    .venv/bin/python benchmarks/credentials.py [copies]

Counted: CPU of the one process that does it, milliseconds each, the median of the rounds after the first (Node has
compiled by then). Every presentation is of another holder, so no key is met twice; the city's key is read beforehand
on every side. All check signature, digests and key binding; npm's looks at times too, but not at audience, age, type
and members, as ours does, PyPI's at audience and nonce, but not at times and type; none looks at the status. A copy has
two predicates, three facts and 16 digests (PyPI's draws how many decoys it adds). Answers are checked: all read the
same claims of each presentation, and ours and npm's read what the other has issued.
"""

import json
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from joserfc.jwk import ECKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.signed import Signer, epoch_day
from incentives.recognition import credential, presentation, sdjwt
from incentives.recognition.credential import Attested, Place
from incentives.recognition.presentation import Asked, Shown

PACKAGE = "@sd-jwt/sd-jwt-vc@0.19.0"
SCRIPT = Path(__file__).parent / "peers/sdjwt.mjs"
ROUNDS = 6
CITY, KID, DAY = "https://home.example", "cred-1", date(2026, 11, 22)
ASKED = Asked("https://host.example", "n-0S6_WzA2Mj", epoch_day(DAY) + 40_000)
Given = TypeVar("Given")
Made = TypeVar("Made")
ATTESTED = Attested(frozenset({110, 120}), "990100", DAY, "sc-2026")
KEY = ECKey.generate_key("P-256", {"kid": KID}, private=True)
SIGNER, BINDING = Signer(KEY, credential.TYPE), {"alg": "ES256", "typ": "kb+jwt"}
LIBRARY, LIBRARY_SCRIPT = "sd-jwt==0.10.4", Path(__file__).parent / "peers/sdjwt_pypi.py"
TARGETS = {"verify": 1.0, "issue": 0.4}


def issue(holder: ECKey, index: int) -> str:
    """One copy, as the city issues it."""
    noise = secrets.token_bytes(credential.PLACES * credential.NOISE)
    place, jwk = Place(f"{CITY}/status-lists/1", index), holder.as_dict(private=False)
    return credential.issue(SIGNER, ATTESTED, issuer=CITY, holder=jwk, day=DAY, place=place, noise=noise)


def show(text: str, holder: ECKey) -> str:
    """One predicate and the city, bound to the question."""
    issued, *disclosed, _ = text.split("~")
    shown = [one for one in disclosed if {"over_110", "city"} & set(json.loads(base64(one)))]
    bound = sdjwt.join(issued, shown)
    said = {"iat": ASKED.now, "aud": ASKED.audience, "nonce": ASKED.nonce, "sd_hash": sdjwt.digest(bound)}
    return bound + Signer(holder, BINDING["typ"]).sign(said)


def base64(text: str) -> bytes:
    """Base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(text: str) -> Shown:
    """What ours makes of it."""
    return presentation.read(text, ASKED, lambda _issuer, kid: KEY if kid == KID else None)


def timed(every: Sequence[Given], one: Callable[[Given], Made]) -> tuple[list[float], list[Made]]:
    """Milliseconds of CPU each, a round at a time, and the last answers."""
    spent, answers = list[float](), list[Made]()
    for _ in range(ROUNDS):
        before = time.process_time()
        answers = [one(each) for each in every]
        spent.append((time.process_time() - before) / len(every) * 1e3)
    return spent, answers


def peer(given: dict[str, Any]) -> dict[str, Any]:
    """What the library makes of the same, in a folder of this run."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "package.json").write_text('{"private": true, "type": "module"}')
        shutil.copy(SCRIPT, folder)
        npm, node = shutil.which("npm") or "npm", shutil.which("node") or "node"
        command = [npm, "i", "--no-audit", "--no-fund", "--no-package-lock", "--silent", PACKAGE]
        subprocess.run(command, cwd=folder, check=True)  # noqa: S603  (a fixed list)
        run = [node, SCRIPT.name]
        done = subprocess.run(run, cwd=folder, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  (a fixed list)
        return json.loads(done.stdout)


def library(given: dict[str, Any]) -> dict[str, Any]:
    """What PyPI's makes of the same, in an environment of this run."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin/python")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603  (a fixed list)
        subprocess.run([python, "-m", "pip", "install", "--quiet", LIBRARY], check=True)  # noqa: S603  (as above)
        run = [python, LIBRARY_SCRIPT]
        done = subprocess.run(run, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  (a fixed list)
        return json.loads(done.stdout)


def same(shown: list[Shown], read: list[dict[str, Any]]) -> None:
    """Another library read the same."""
    names = {"over_110", "over_120", *credential.FACTS}
    for mine, payload in zip(shown, read, strict=True):
        said = {name: value for name, value in payload.items() if name in names}
        assert said == {**dict.fromkeys(mine.reached, True), **mine.facts} == {"over_110": True, "city": "990100"}
        assert payload["iss"] == mine.issuer


def checked(shown: list[Shown], copies: list[str], theirs: dict[str, Any], holders: list[ECKey]) -> None:
    """npm's reads the same as ours, and ours reads npm's."""
    same(shown, theirs["read"])
    for text, holder in zip(theirs["credentials"], holders, strict=True):
        assert read(show(text, holder)) == read(show(copies[holders.index(holder)], holder))


def main(copies: int) -> None:
    """Run it all."""
    holders = [ECKey.generate_key("P-256", private=True) for _ in range(copies)]
    issuing, issued = timed(list(enumerate(holders)), lambda one: issue(one[1], one[0]))
    presentations = [show(text, holder) for text, holder in zip(issued, holders, strict=True)]
    reading, shown = timed(presentations, read)
    frame = {"_sd": ["over_110", "over_120", *credential.FACTS], "_sd_decoy": credential.PLACES - 5}
    given = {
        "audience": ASKED.audience,
        "public": KEY.as_dict(private=False),
        "private": KEY.as_dict(private=True),
        "now": ASKED.now,
        "nonce": ASKED.nonce,
        "rounds": ROUNDS,
        "presentations": presentations,
        "claims": [whole(text) for text in issued],
        "frame": frame,
        "header": {"kid": KID, "typ": credential.TYPE},
    }
    theirs, third = peer(given), library(given)
    checked(shown, issued, theirs, holders)
    same(shown, third["read"])
    for what, ours in (("verify", reading), ("issue", issuing)):
        mine, other = (statistics.median(rounds[1:]) for rounds in (ours, theirs[what]))
        others = f"npm {other:.3f}  {other / mine:.1f} x  PyPI {third[what]:.3f}  {third[what] / mine:.1f} x"
        verdict = "reached" if mine <= TARGETS[what] else "MISSED"
        figures = f"ours {mine:.3f} ms CPU (target {TARGETS[what]}: {verdict})"
        print(f"{what:6}  {figures}  {others}")


def whole(text: str) -> dict[str, Any]:
    """The claims of a copy before they are hidden, as the peer is given them."""
    issued, *disclosed, _ = text.split("~")
    claims = json.loads(base64(issued.split(".")[1]))
    del claims["_sd"], claims["_sd_alg"]
    return claims | {name: value for _, name, value in (json.loads(base64(one)) for one in disclosed)}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2] or (1500,)))
