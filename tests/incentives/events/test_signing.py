"""Signatures, against the specification's own example and two other libraries."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey
from standardwebhooks import Webhook, WebhookVerificationError

from core.settings import ROOT
from incentives.events import signing
from incentives.events.signing import Secret


def now() -> datetime:
    """When a message goes out: a receiver takes none that is older than five minutes."""
    return datetime.now(UTC)


SECRETS = st.builds(Secret, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))


class TestHeaders:
    """The headers of one attempt."""

    def test_the_example_of_the_specification(self) -> None:
        """The vector that Standard Webhooks' own libraries test against."""
        secret = Secret(b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), bytes(32))
        told = signing.headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}', [secret]
        )
        assert told["webhook-timestamp"] == "1614265330"
        assert told["webhook-signature"].split()[0] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @settings(max_examples=15)
    @given(st.lists(SECRETS, min_size=1, max_size=2), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
    def test_every_good_secret_verifies(self, secrets: list[Secret], data: dict[str, int]) -> None:
        """`standardwebhooks` by v1 with any of them; JOSE's Ed25519 key and plain Ed25519 by v1a."""
        message = signing.body(kind="order.open", at=now(), data=json.dumps(data))
        told = dict(signing.headers("ev_1", now(), message, secrets))
        for place, secret in enumerate(secrets):
            assert Webhook(secret.shown).verify(message, told)["data"] == data
            signature = b64decode(told["webhook-signature"].split()[2 * place + 1].removeprefix("v1a,"))
            public = b64decode(secret.public.removeprefix("whpk_"))
            signed = f"ev_1.{told['webhook-timestamp']}.".encode() + message
            Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
            x = b64encode(public).decode().rstrip("=").replace("+", "-").replace("/", "_")
            known = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
            known.public_key.verify(signature, signed)

    def test_a_secret_does_not_show_itself(self) -> None:
        """Not even in a trace."""
        assert repr(Secret(b"x" * 32, b"y" * 32)) == "Secret()"


class TestPage:
    """`docs/webhooks.md`."""

    def test_its_ten_lines_verify(self) -> None:
        """The receiver of the page takes a message of ours once, and refuses one that somebody changed."""
        page = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
        code = page.split("```python\n")[1].split("```")[0]
        secret = Secret(bytes(range(32)), bytes(32))
        known: dict[str, Any] = {}
        exec(code.replace("whsec_...", secret.shown), known)  # noqa: S102  (it is ours)
        message = signing.body(kind="order.open", at=now(), data='{"order_id": "or_1", "seq": 2}')
        told = dict(signing.headers("ev_1", now(), message, [secret]))
        assert known["received"](told, message) == known["received"](told, message) == 204
        assert known["seen"] == {"or_1": 2}
        with pytest.raises(WebhookVerificationError):
            known["received"](told, message.replace(b"2", b"3"))
