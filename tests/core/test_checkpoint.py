"""A head is a signed note that anybody can check, and an altered one does not hold."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core import checkpoint
from core.checkpoint import BadCheckpoint, Checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
HEAD = Checkpoint("osmanthus/990000", 7, bytes(32), datetime(2026, 11, 22, 4, 5, 6, 789, tzinfo=UTC))
# The example of Go's note package, from which C2SP's signed note comes: key, text and signature.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


class TestNote:
    """The form is C2SP's."""

    def test_the_published_example_holds(self) -> None:
        """The key id is made as theirs, and their signature is over the text with its last line feed."""
        name, known, key = NEUMANN.split("+", 2)
        public = base64.b64decode(key)[1:]
        signed = base64.b64decode(SIGNED)
        assert checkpoint.key_id(name, public).hex() == known == signed[:4].hex()
        Ed25519PublicKey.from_public_bytes(public).verify(signed[4:], SAID.encode())

    def test_a_head_is_readable_text(self) -> None:
        """Origin, size, root, time; an empty line; the signature's line."""
        lines = checkpoint.sign(HEAD, KEY).split("\n")
        root = base64.b64encode(bytes(32)).decode()
        assert lines[:5] == ["osmanthus/990000", "7", root, "time 2026-11-22T04:05:06.000789+00:00", ""]
        assert lines[5].startswith("— osmanthus/990000 ")
        assert lines[6:] == [""]


class TestVerify:
    """Reading a head."""

    def test_what_was_signed_comes_back(self) -> None:
        """Also beside a witness's signature, which is not ours to judge."""
        note = checkpoint.sign(HEAD, KEY)
        assert checkpoint.verify(note, PUBLIC) == HEAD
        assert checkpoint.verify(note + "— witness.example AAAAAAAA\n— broken\n", PUBLIC) == HEAD

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ("\n7\n", "\n8\n", "does not hold"),
            ("\n7\n", "\n07\n", "no checkpoint"),
            ("\n7\n", "\nseven\n", "no checkpoint"),
            ("time 2026", "time 2025", "does not hold"),
            ("time ", "tide ", "no checkpoint"),
            ("990000\n7", "990001\n7", "no signature"),
            ("— osm", "- osm", "no signature"),
            ("\n\n", "\n", "no checkpoint"),
            ("\n\n", "\nmore\n\n", "no checkpoint"),
        ],
    )
    def test_an_altered_one_is_refused(self, old: str, new: str, why: str) -> None:
        """Another size, time, name or form."""
        note = checkpoint.sign(HEAD, KEY)
        assert old in note
        with pytest.raises(BadCheckpoint, match=why):
            checkpoint.verify(note.replace(old, new, 1), PUBLIC)

    def test_another_key_is_refused(self) -> None:
        """A head of somebody else's log."""
        stranger = Ed25519PrivateKey.generate()
        with pytest.raises(BadCheckpoint, match="no signature"):
            checkpoint.verify(checkpoint.sign(HEAD, stranger), PUBLIC)
