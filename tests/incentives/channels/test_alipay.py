"""Alipay's protocol: money as text, what is signed, what is believed, what an answer means."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from incentives.channels import alipay, numbers
from incentives.channels.account import BadAccounts, parse
from incentives.channels.words import Call, Heard
from tests import alipayserver
from tests.alipayserver import Gateway
from tests.rsakeys import private, public

NUMBER = "or_0123456789abcdefghjkmnpqrs"
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LOOK = numbers.look("alipay", NUMBER, at=NOW)


def heard(said: dict[str, Any], *, key: str = "alipay", call: Call = LOOK, name: str = "") -> Heard:
    """What a signed answer says."""
    text = json.dumps(said, ensure_ascii=False)
    sign = b64encode(private(key)[0].sign(text.encode(), PKCS1v15(), SHA256())).decode()
    member = name or "alipay_fund_auth_operation_detail_query_response"
    body = f'{{"{member}":{text},"sign":"{sign}"}}'.encode()
    return alipay.hear(alipayserver.account(), call, 200, {}, body, now=NOW)


class TestMoney:
    """Yuan with two decimals."""

    @given(st.integers(0, 10**9))
    def test_fen_there_and_back(self, amount: int) -> None:
        """What is written is read as the same."""
        assert alipay.fen(alipay.yuan(amount)) == amount

    @pytest.mark.parametrize("text", ["", "-1", "1.234", "1,00", "一", "1e3", "1."])
    def test_what_is_no_amount_is_none(self, text: str) -> None:
        """Nothing is rounded or guessed."""
        with pytest.raises(ValueError):
            alipay.fen(text)


class TestSigned:
    """What is believed."""

    def test_only_what_alipay_signed(self) -> None:
        """Another key, another member, no signature, another status."""
        well = {"code": "10000", "order_status": "CLOSED"}
        assert heard(well).known is not None
        assert heard(well, key="merchant").outcome == "unknown"
        assert heard(well, name="error_response").outcome == "unknown"
        for body in (b"", b"{}", b'{"sign": 1}', b"\xff"):
            assert alipay.hear(alipayserver.account(), LOOK, 200, {}, body, now=NOW).outcome == "unknown"

    def test_a_notice_is_for_this_account_and_signed(self) -> None:
        """Charges name their order, too."""
        body = Gateway().notice("", "trade_status_sync", out_trade_no=f"{NUMBER}-pay0")
        found = alipay.read_notice(alipayserver.account(), body)
        assert found is not None
        assert found.number == NUMBER
        assert alipay.read_notice(alipayserver.account(app="another"), body) is None
        assert alipay.read_notice(alipayserver.account(), body.replace(b"pay0", b"pay1")) is None


class TestHear:
    """Answers."""

    @pytest.mark.parametrize(
        ("code", "sub_code", "outcome"),
        [
            ("40004", "AUTH_ORDER_NOT_EXIST", "absent"), ("40004", "SYSTEM_ERROR", "unknown"),
            ("40004", "ILLEGAL_ARGUMENT", "ours"), ("40004", "SOMETHING", "illegal"),
            ("40002", "isv.invalid-signature", "ours"), ("20000", "isp.unknow-error", "unknown"),
        ],
    )  # fmt: skip
    def test_codes_mean_what_they_mean(self, code: str, sub_code: str, outcome: str) -> None:
        """What is not sure is unknown."""
        assert heard({"code": code, "sub_code": sub_code}).outcome == outcome

    def test_a_state_that_nobody_knows_is_unknown(self) -> None:
        """States as documented, and nothing guessed."""
        assert heard({"code": "10000", "order_status": "SOMETHING_NEW"}).outcome == "unknown"
        assert heard({"code": "10000", "order_status": "AUTHORIZED", "amount": "lots"}).outcome == "unknown"


class TestLaunch:
    """What the payer's telephone starts the freeze with."""

    def test_it_is_the_same_for_the_same_order(self) -> None:
        """Launched twice, it is one freeze; it holds the waiver's kind and nothing about the payer."""
        call = Call("create", NUMBER, f"{NUMBER}-freeze", NOW, amount=10000, until=NOW + timedelta(minutes=15))
        first = alipay.launch(alipayserver.account(), call)
        assert first == alipay.launch(alipayserver.account(), call)
        gateway = Gateway()
        assert gateway.launch(first)
        assert not gateway.launch(first)
        assert gateway.freezes == [NUMBER]
        assert clock.wall() > NOW


class TestAccounts:
    """`account.parse`."""

    def test_a_whole_account_is_read_and_half_a_one_is_not(self) -> None:
        """Named is what is missing, never what is there."""
        key, theirs = private("merchant")[1], public("alipay")
        whole = (
            '[[account]]\npartner="p"\nperk="k"\nchannel="alipay"\nmerchant="m"\napp="a"\nservice="s"\ntitle="t"\n'
            f'key="""{key}"""\n[account.theirs]\nalipay="""{theirs}"""\n'
        )
        (found,) = parse(whole)
        assert (found.name, "PRIVATE" in repr(found)) == ("p/k at alipay", False)
        wrong = {
            "twice": whole + whole, "title": whole.replace('title="t"', f'title="{"x" * 21}"'),
            "RSA key": whole.replace(key, "secret-key"), "no TOML": whole + "=",
            "one key": whole.replace("\nalipay=", "\nx="), "key_serial": whole.replace("alipay", "wechat"),
            "unknown field": whole.replace('app="a"', 'app="a"\nodd="secret"'),
        }  # fmt: skip
        for said, text in wrong.items():
            with pytest.raises(BadAccounts, match=said) as caught:
                parse(text)
            assert "secret" not in str(caught.value).replace("`secret`", "")
