"""WeChat's answers, read by what they mean and not by how they look."""

import io
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import structlog

from auth import miniprogram
from auth.miniprogram import HighRisk, MiniProgram, Misregistered, WeChatDown
from auth.refusals import InvalidGrant
from core.errors import Problem, TooMany
from tests.wechatserver import APPID, ERRMSG, SECRET, SESSION_KEY, WeChat, wechat

FAILURES = [
    (40029, InvalidGrant, "invalid_grant", 400),
    (40163, InvalidGrant, "invalid_grant", 400),
    (40226, HighRisk, "access_denied", 403),
    (45011, TooMany, "too_many_requests", 429),
    (-1, WeChatDown, "wechat_unavailable", 503),
    (45009, WeChatDown, "wechat_unavailable", 503),
    (40013, Misregistered, "wechat_misconfigured", 500),
    (40125, Misregistered, "wechat_misconfigured", 500),
    (41008, Misregistered, "wechat_misconfigured", 500),
]


@pytest_asyncio.fixture(scope="module")
async def there() -> AsyncIterator[WeChat]:
    """A stand-in for these tests."""
    async with wechat() as running:
        yield running


def ours(there: WeChat) -> MiniProgram:
    """Our mini-program at the stand-in."""
    return MiniProgram(APPID, SECRET, api=there.origin)


class TestSession:
    """`code2session`."""

    async def test_a_person(self, there: WeChat) -> None:
        """Provider with app id, openid, unionid as alias; text/plain and extra members do not matter."""
        came = await ours(there).session(there.login("o-1", "u-1"))
        assert (came.provider, came.subject, came.alias) == (f"wechat:{APPID}", "o-1", "u-1")
        assert (await ours(there).session(there.login("o-2"))).alias is None

    async def test_a_code_is_good_once(self, there: WeChat) -> None:
        """The same code again is invalid_grant."""
        code = there.login("o-1")
        await ours(there).session(code)
        with pytest.raises(InvalidGrant):
            await ours(there).session(code)

    @pytest.mark.parametrize(("errcode", "kind", "code", "status"), FAILURES)
    async def test_errors(self, there: WeChat, errcode: int, kind: type[Problem], code: str, status: int) -> None:
        """Each errcode has its own meaning, and neither errmsg nor our secret is repeated."""
        with pytest.raises(kind) as caught:
            await ours(there).session(there.failing(errcode))
        assert (caught.value.code, caught.value.status) == (code, status)
        assert ERRMSG not in caught.value.detail

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"<html>", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"openid": null}', b'{"openid": 7}'),
            *(b'{"openid": ""}', b'{"errcode": "0", "openid": "o-1"}', b'{"openid": "o-1", "unionid": []}'),
        ],
        ids=repr,
    )
    async def test_broken_answers(self, there: WeChat, body: bytes) -> None:
        """What is no answer is a WeChat that is down: 503, never a person."""
        with pytest.raises(WeChatDown):
            await ours(there).session(there.saying(body))

    async def test_a_slow_answer(self, there: WeChat, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody waits longer than the limit."""
        monkeypatch.setattr(miniprogram, "_TIMEOUT", 0.1)
        there.slow.add("hangs")
        with pytest.raises(WeChatDown):
            await ours(there).session("hangs")

    async def test_a_bad_gateway(self, there: WeChat) -> None:
        """A status other than 200 is no answer, whatever it holds; nor is nobody at the address."""
        there.status = 502
        with pytest.raises(WeChatDown):
            await ours(there).session(there.login("o-1"))
        there.status = 200
        with pytest.raises(WeChatDown):
            await MiniProgram(APPID, SECRET, api="http://127.0.0.1:1").session("x")

    async def test_wrongly_configured(self, there: WeChat) -> None:
        """Another secret or app id is our own fault, for the operator to see."""
        for mine in (MiniProgram(APPID, "wrong", api=there.origin), MiniProgram("wx-other", SECRET, api=there.origin)):
            with pytest.raises(Misregistered):
                await mine.session(there.login("o-1"))


class TestPhone:
    """`getuserphonenumber`."""

    async def test_a_number(self, there: WeChat) -> None:
        """At home as it is, from abroad with its country; the access token is fetched once."""
        mine, before = ours(there), there.seen.count("/cgi-bin/stable_token")
        assert await mine.phone(there.phone("13900000001")) == "13900000001"
        assert await mine.phone(there.phone("61234567", country="852")) == "+85261234567"
        assert there.seen.count("/cgi-bin/stable_token") == before + 1

    async def test_of_another_app(self, there: WeChat) -> None:
        """A number whose watermark names another mini-program is not for us."""
        with pytest.raises(InvalidGrant):
            await ours(there).phone(there.phone("13900000001", appid="wx-other"))

    async def test_a_login_code_is_no_phone_code(self, there: WeChat) -> None:
        """The two codes are not interchangeable."""
        with pytest.raises(WeChatDown):
            await ours(there).phone(there.login("o-1"))
        with pytest.raises(WeChatDown):
            await ours(there).session(there.phone("13900000001"))

    async def test_the_access_token_ended_early(self, there: WeChat) -> None:
        """It is fetched anew, once."""
        mine = ours(there)
        await mine.phone(there.phone("13900000001"))
        there.token = "at-2"
        assert await mine.phone(there.phone("13900000002")) == "13900000002"
        with pytest.raises(Misregistered):
            await mine.phone(there.failing(40001))

    @pytest.mark.parametrize("number", ["", "1390000000a", "1" * 20, "１３９００００００００"])
    async def test_no_number(self, there: WeChat, number: str) -> None:
        """Only digits are a number."""
        with pytest.raises(WeChatDown):
            await ours(there).phone(there.phone(number))

    @pytest.mark.parametrize(("errcode", "kind", "code", "status"), FAILURES)
    async def test_errors(self, there: WeChat, errcode: int, kind: type[Problem], code: str, status: int) -> None:
        """As with logins."""
        with pytest.raises(kind) as caught:
            await ours(there).phone(there.failing(errcode))
        assert (caught.value.code, caught.value.status) == (code, status)


class TestSecrets:
    """What must be nowhere."""

    async def test_no_log_line_holds_them(self, there: WeChat) -> None:
        """Neither secret nor session_key nor access token nor errmsg nor code, at the most talkative level."""
        written, root, before = io.StringIO(), logging.getLogger(), structlog.get_config()
        handler, level = logging.StreamHandler(written), root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(written), cache_logger_on_first_use=False)
        code, phone = there.login("o-secret"), there.phone("13900000009")
        mine = ours(there)
        try:
            await mine.session(code)
            await mine.phone(phone)
            for attempt in (code, there.failing(40013), there.failing(-1), there.saying(b"{")):
                with pytest.raises(Problem) as caught:
                    await mine.session(attempt)
                written.write(repr(caught.value))
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            structlog.configure(**before)
        told = written.getvalue()
        assert "40013" in told
        hidden = (SECRET, SESSION_KEY, there.token, ERRMSG, code, phone, "o-secret", "13900000009")
        assert [one for one in hidden if one in told] == []
