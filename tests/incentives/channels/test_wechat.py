"""WeChat's protocol: what is signed, what is believed, what an answer means."""

import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from incentives.channels import numbers, wechat
from incentives.channels.course import Known
from incentives.channels.words import Call
from tests import payscoreserver
from tests.payscoreserver import PayScore

NUMBER = "or_0123456789abcdefghjkmnpqrs"
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def create(**more: object) -> Call:
    """A first call."""
    return Call(
        "create", NUMBER, f"{NUMBER}-create", NOW, amount=100, attach="U-1", notify="https://c.example/n", **more
    )  # type: ignore[arg-type]


class TestAsk:
    """Requests."""

    def test_the_same_call_says_the_same_bytes_whenever_it_is_repeated(self) -> None:
        """Re-entry at WeChat wants every parameter as it was, times included."""
        account = payscoreserver.account()
        for call in (create(), Call("complete", NUMBER, "x", NOW, amount=5, ends=NOW), Call("sync", NUMBER, "x", NOW)):
            first, later = (
                wechat.ask(account, call, now=NOW + timedelta(hours=hours), nonce="n").body for hours in (0, 7)
            )
            assert first == later

    def test_nothing_about_a_payer_is_sent(self) -> None:
        """The payer confirms on their telephone, from when the use begins."""
        body = wechat.ask(payscoreserver.account(), create(), now=NOW, nonce="n").body
        assert b"openid" not in body
        assert b'"need_user_confirm":true' in body
        assert b'"start_time":"OnAccept"' in body

    def test_an_end_is_never_in_the_future(self) -> None:
        """Where the civil clock is ahead of the wall's, the wall's counts."""
        call = Call("complete", NUMBER, "x", NOW, amount=5, ends=NOW + timedelta(days=30))
        assert b'"end_time":"20261122120000"' in wechat.ask(payscoreserver.account(), call, now=NOW, nonce="n").body


class TestSigned:
    """What is believed."""

    def test_only_what_wechat_signed_just_now(self) -> None:
        """Another body, serial, time, signature, and the probe of WeChat's that wants to see us refuse."""
        account, (headers, body) = payscoreserver.account(), PayScore().notice(NUMBER)
        now = clock.wall()
        assert wechat.is_signed(account, headers, body, now=now)
        probe = wechat.PROBE + headers["wechatpay-signature"]
        for changed in (
            {"wechatpay-serial": "x"}, {"wechatpay-timestamp": str(int(time.time()) - 1)}, {"wechatpay-nonce": "x"},
            {"wechatpay-timestamp": "soon"}, {"wechatpay-signature": b64encode(b"x" * 256).decode()},
            {"wechatpay-signature": probe},
        ):  # fmt: skip
            assert not wechat.is_signed(account, {**headers, **changed}, body, now=now), changed
        assert not wechat.is_signed(account, headers, body + b" ", now=now)
        assert not wechat.is_signed(account, headers, body, now=now + timedelta(seconds=400))

    def test_a_notice_opens_with_the_right_key_alone(self) -> None:
        """Another merchant's APIv3 key opens nothing; what is no notice is none."""
        _, body = PayScore().notice(NUMBER)
        opened = wechat.open_notice(payscoreserver.account(), body)
        assert opened == wechat.Notice(NUMBER, "PAYSCORE.USER_CONFIRM")
        assert wechat.open_notice(payscoreserver.account(secret="x" * 32), body) is None
        for odd in (b"", b"{}", b'{"event_type": "x", "resource": {"algorithm": "a", "ciphertext": "%", "nonce": ""}}'):
            assert wechat.open_notice(payscoreserver.account(), odd) is None


class TestHear:
    """Answers."""

    @pytest.mark.parametrize(
        ("status", "code", "outcome"),
        [
            (404, 271317510, "absent"), (400, 271302262, "illegal"), (400, 271316598, "illegal"),
            (400, 271300099, "refused"), (400, 271299627, "refused"), (400, 268560785, "refused"),
            (400, 271316656, "ours"), (403, 268503786, "ours"), (401, 270924332, "ours"),
            (500, 271316754, "unknown"), (429, 268435472, "unknown"), (502, 0, "unknown"), (400, 0, "illegal"),
        ],
    )  # fmt: skip
    def test_codes_mean_what_they_mean(self, status: int, code: int, outcome: str) -> None:
        """By the last part of Request-Id, or else by the status."""
        headers = {"request-id": f"08F2-{code}", **PayScore()._signed(b"{}")}
        call = numbers.look("wechat", NUMBER, at=NOW)
        heard = wechat.hear(payscoreserver.account(), call, status, headers, b"{}", now=clock.wall())
        assert heard.outcome == outcome

    def test_what_nobody_signed_moves_nothing(self) -> None:
        """An answer from the line says neither that it is there, nor that it is not."""
        call = numbers.look("wechat", NUMBER, at=NOW)
        for status, body in ((200, b'{"state": "DONE"}'), (404, b"{}")):
            heard = wechat.hear(payscoreserver.account(), call, status, {}, body, now=clock.wall())
            assert heard.outcome == "unknown"

    @pytest.mark.parametrize(
        ("body", "known"),
        [
            (b'{"state": "EXPIRED"}', Known("released")),
            (
                b'{"state": "DONE", "total_amount": 5, "collection": {"paid_amount": 5}}',
                Known("paid", charged=5, paid=5),
            ),
            (b'{"state": "SOMETHING_NEW"}', None),
            (b"nonsense", None),
        ],
    )
    def test_a_state_that_nobody_knows_is_unknown(self, body: bytes, known: Known | None) -> None:
        """States as documented, and nothing guessed."""
        call = numbers.look("wechat", NUMBER, at=NOW)
        headers = PayScore()._signed(body)
        assert wechat.hear(payscoreserver.account(), call, 200, headers, body, now=clock.wall()).known == known
