"""Decision receipts: anybody can check them, nobody can alter them, the same answer has the same bytes."""

from datetime import UTC, datetime

import msgspec
import pytest
from joserfc import jwa, jws  # noqa: F401  (jwa registers the algorithms)
from joserfc.errors import BadSignatureError, SecurityWarning
from joserfc.jwk import OKPKey

from core.keys import Keyring
from incentives import receipts


class Answer(msgspec.Struct, frozen=True):
    """An answer with an absent member."""

    decision_id: str
    valid_until: datetime
    reason: str | msgspec.UnsetType = msgspec.UNSET


ANSWER = Answer("dc_1", datetime(2026, 11, 22, 8, 0, tzinfo=UTC))


def made(ring: Keyring, answer: Answer = ANSWER, partner: str = "p") -> str:
    """A receipt."""
    return receipts.sign(receipts.signer(ring), answer, issuer="https://credit.example.city", partner=partner, issued=1)


class TestSign:
    """Signing."""

    def test_it_holds_the_answer_and_verifies_with_the_public_key(self, ring: Keyring) -> None:
        """By another library, with nothing but the published half of the key."""
        public = OKPKey.import_key(ring.ed25519("rcpt-1").as_dict(private=False))
        with pytest.warns(SecurityWarning, match="EdDSA"):
            found = jws.deserialize_compact(made(ring), public, algorithms=["EdDSA"])
        assert found.headers() == {"alg": "EdDSA", "kid": "rcpt-1", "typ": "decision-receipt+jwt"}
        assert msgspec.json.decode(found.payload) == {
            "iss": "https://credit.example.city", "aud": "p", "iat": 1, "decision_id": "dc_1",
            "valid_until": "2026-11-22T08:00:00Z",
        }  # fmt: skip

    def test_the_same_answer_has_the_same_bytes(self, ring: Keyring) -> None:
        """So a repeat needs no stored receipt; another partner's differs."""
        assert made(ring) == made(ring)
        assert made(ring) != made(ring, partner="other")

    def test_an_altered_one_does_not_verify(self, ring: Keyring) -> None:
        """The claims of one receipt under the signature of another are refused."""
        header, _, signature = made(ring).split(".")
        claims = made(ring, Answer("dc_2", ANSWER.valid_until)).split(".")[1]
        with pytest.raises(BadSignatureError), pytest.warns(SecurityWarning, match="EdDSA"):
            jws.deserialize_compact(f"{header}.{claims}.{signature}", ring.ed25519("rcpt-1"), algorithms=["EdDSA"])


class TestAnswered:
    """An answer with its receipt, as one text."""

    def test_it_is_the_answer_and_the_same_receipt(self, ring: Keyring) -> None:
        """What is sent is the signed members, then the receipt that `sign` makes of them; absent ones stay absent."""
        issuer = "https://credit.example.city"
        sent = receipts.answered(receipts.signer(ring), ANSWER, issuer=issuer, partner="p", issued=1)
        members = {"decision_id": "dc_1", "valid_until": "2026-11-22T08:00:00Z", "receipt": made(ring)}
        assert sent == msgspec.json.encode(members)
