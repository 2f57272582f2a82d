"""An outsider's check of the sealed log: python verify_log.py https://credit.example.city heads/ [proof.json ...]

Fetches the newest head, checks its signature, and that it continues every head kept in the folder; then keeps it there.
The log's key is kept with the first head and must stay the same. A proof (GET /v1/me/accesses/{id}/proof, kept as JSON)
is checked too: the entry that it shows is in the log, word for word. Needs cryptography (pip install cryptography) and
nothing else. Exit status 0: all is well.
"""

import base64
import hashlib
import json
import pathlib
import sys
import urllib.request

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BASE, KEPT, PROOFS = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]), sys.argv[3:]


def get(path):
    """The bytes under an address of the city's."""
    return urllib.request.urlopen(BASE + path, timeout=10).read()


def node(left, right):
    """The hash of an inner node (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def read_head(note, key):
    """(size, root) of a signed note (C2SP tlog-checkpoint); stops when the signature does not hold."""
    body, _, signatures = note.partition("\n\n")
    origin, size, root = body.split("\n")[:3]
    named = hashlib.sha256(origin.encode() + b"\n\1" + key).digest()[:4]
    for line in signatures.splitlines():
        signature = base64.b64decode(line.split(" ")[2])
        if signature[:4] == named:
            Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], (body + "\n").encode())
            return int(size), base64.b64decode(root)
    sys.exit("no signature by the log's key")


def climb(place, last, path, first, second):
    """Both roots that a path leads to, from a place on its level (RFC 9162, sections 2.1.3.2 and 2.1.4.2)."""
    for one in path:
        if last == 0:
            sys.exit("the proof is too long")
        if place & 1 or place == last:
            first, second = node(one, first), node(one, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node(second, one)
        place, last = place >> 1, last >> 1
    if last:
        sys.exit("the proof is too short")
    return first, second


def continues(old, new):
    """Stop unless the newer (size, root) continues the older."""
    if old[0] == new[0]:
        if old[1] != new[1]:
            sys.exit(f"there are two heads over {old[0]} entries")
        return
    answer = json.loads(get(f"/v1/rules/log/proof/consistency?old={old[0]}&new={new[0]}"))
    path = [base64.b64decode(one) for one in answer["hashes"]]
    place, last = old[0] - 1, new[0] - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not place:
        path.insert(0, old[1])
    if climb(place, last, path[1:], path[0], path[0]) != (old[1], new[1]):
        sys.exit(f"the log of {new[0]} entries does not continue that of {old[0]}")


def is_there(proof, key):
    """Stop unless the entry is in the log; returns the head that it was proved under."""
    if "checkpoint" not in proof:
        sys.exit(f"no proof, but: {proof.get('detail')}")
    head = read_head(proof["checkpoint"], key)
    leaf = hashlib.sha256(b"\0" + proof["entry"].encode() + base64.b64decode(proof["salt"])).digest()
    path = [base64.b64decode(one) for one in proof["hashes"]]
    if climb(proof["index"], head[0] - 1, path, leaf, leaf)[1] != head[1]:
        sys.exit("the entry is not in the log")
    return head


KEPT.mkdir(exist_ok=True)
pinned = KEPT / "key.txt"
if not pinned.exists():
    keys = json.loads(get("/.well-known/jwks.json"))["keys"]
    pinned.write_text(next(one["x"] for one in keys if one["kid"] == "log-1"))
KEY = base64.urlsafe_b64decode(pinned.read_text() + "=")
note = get("/v1/rules/log/checkpoint").decode()
newest = read_head(note, KEY)
older = [read_head(file.read_text(encoding="utf-8"), KEY) for file in KEPT.glob("*.head")]
older += [is_there(json.load(open(name, encoding="utf-8")), KEY) for name in PROOFS]
for head in older:
    if head[0] > newest[0]:
        sys.exit(f"the log was cut: it had {head[0]} entries and has {newest[0]}")
    continues(head, newest)
(KEPT / f"{newest[0]}.head").write_text(note, encoding="utf-8")
print(f"{newest[0]} entries; continues {len(older)} heads; {len(PROOFS)} entries are in it")
