"""A log's head as text that anybody can keep: C2SP tlog-checkpoint, a signed note with Ed25519. Pure.

<origin>            who speaks, e.g. osmanthus/990000
<size>              leaves in the tree
<root>              base64
time <RFC 3339>     ours: the civil instant at which it was signed
(empty line)
— <origin> <base64 of key id (4) and signature (64)>
"""

import base64
import binascii
import hashlib
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_ID_BYTES = 4
_TIME = "time "


class BadCheckpoint(Exception):
    """The text is no checkpoint, or its signature does not hold; the message says which."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A head: the tree of `size` leaves has `root`; `at` is the civil instant of signing."""

    origin: str
    size: int
    root: bytes
    at: datetime


def key_id(name: str, public: bytes) -> bytes:
    """The first four bytes of SHA-256 over name, line feed, algorithm and key (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_BYTES]


def sign(head: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed note over a head."""
    body = _body(head)
    stamped = key_id(head.origin, key.public_key().public_bytes_raw()) + key.sign(body.encode())
    return f"{body}\n— {head.origin} {base64.b64encode(stamped).decode()}\n"


def _body(head: Checkpoint) -> str:
    root = base64.b64encode(head.root).decode()
    return f"{head.origin}\n{head.size}\n{root}\n{_TIME}{head.at.isoformat()}\n"


def verify(note: str, key: Ed25519PublicKey) -> Checkpoint:
    """The head of a note that carries a signature by `key`; other signatures are passed over. Raises BadCheckpoint."""
    body, gap, signatures = note.partition("\n\n")
    head = _read(body + "\n") if gap else None
    if head is None:
        raise BadCheckpoint("this is no checkpoint")
    wanted = key_id(head.origin, key.public_bytes_raw())
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, stamped = rest.partition(" ")
        signature = _decoded(stamped)
        if mark == "—" and name == head.origin and signature[:_ID_BYTES] == wanted:
            try:
                key.verify(signature[_ID_BYTES:], (body + "\n").encode())
            except InvalidSignature as error:
                raise BadCheckpoint("the signature does not hold") from error
            return head
    raise BadCheckpoint("there is no signature by the log's key")


def _read(body: str) -> Checkpoint | None:
    lines = body.splitlines()
    try:
        origin, size, root, time = lines
        head = Checkpoint(origin, int(size), _decoded(root), datetime.fromisoformat(time.removeprefix(_TIME)))
    except ValueError:
        return None
    return head if _body(head) == body else None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
