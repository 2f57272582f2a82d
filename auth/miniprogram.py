"""WeChat's side of a mini-program login: `code2session` and the telephone number.

WeChat answers 200 with `text/plain` to everything, errors too, so bytes are decoded whatever the header says and
`errcode` alone counts. Promises: the `session_key` is never read, let alone kept; the secret, which `code2session`
wants in the address, is in no log line and no error; `errmsg` is nobody's business. A code that does not hold is
`invalid_grant`, a WeChat that cannot answer is 503, what WeChat says against our own registration is our fault: 500.
"""

import asyncio
import logging
import re
import time
from typing import TypeVar

import httpx2
import msgspec
import structlog

from auth.accounts import Came
from auth.refusals import InvalidGrant, Refusal
from core import outbound
from core.errors import Problem, TooMany, Unavailable

API = "https://api.weixin.qq.com"
_TIMEOUT = 5
_A_MINUTE = 60
_SPENT_CODE = {40029, 40163}
_BUSY = {-1, 45009}
_OLD_TOKEN = {40001, 40014, 42001}
_DIGITS = re.compile(r"[0-9]{5,15}")
_log = structlog.get_logger("osmanthus.wechat")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # its lines hold whole addresses, and this one holds our secret


Shape = TypeVar("Shape")


class HighRisk(Refusal):
    """WeChat holds this user for a risk and lets nobody in by this account now (40226)."""

    code = "access_denied"
    status = 403
    title = "WeChat refuses this account"


class WeChatDown(Unavailable):
    """WeChat does not answer, or answers with what is none."""

    code = "wechat_unavailable"
    title = "WeChat does not answer"


class Misregistered(Problem):
    """WeChat does not know us as we are configured; the operator must look (the log has the errcode)."""

    code = "wechat_misconfigured"
    title = "The login by WeChat is not set up rightly"


class _Answer(msgspec.Struct, frozen=True):
    errcode: int = 0


class _Session(msgspec.Struct, frozen=True):
    openid: str
    unionid: str | None = None


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


class _Watermark(msgspec.Struct, frozen=True):
    appid: str


class _PhoneInfo(msgspec.Struct, frozen=True, rename="camel"):
    pure_phone_number: str
    country_code: str
    watermark: _Watermark


class _Phone(msgspec.Struct, frozen=True):
    phone_info: _PhoneInfo


class MiniProgram:
    """One mini-program of ours at WeChat; remembers its access token while it lives."""

    def __init__(self, appid: str, secret: str, *, api: str = API) -> None:
        """`api` is another origin in tests."""
        self.appid = appid
        self._secret = secret
        self._api = api
        self._token: tuple[str, float] | None = None

    async def session(self, js_code: str) -> Came:
        """Who logged in, by the one-use code of `wx.login`. Raises InvalidGrant, HighRisk, TooMany, WeChatDown."""
        asked = {"appid": self.appid, "secret": self._secret, "js_code": js_code, "grant_type": "authorization_code"}
        found = _read(await self._ask("GET", "/sns/jscode2session", params=asked), _Session)
        if not found.openid:
            raise WeChatDown
        return Came(f"wechat:{self.appid}", found.openid, found.unionid)

    async def phone(self, code: str) -> str:
        """The number that WeChat verified, by the one-use code of the phone button; beyond +86 with its country."""
        try:
            body = await self._phone(code)
        except _TokenOver:
            self._token = None
            body = await self._phone_at_last(code)
        found = _read(body, _Phone).phone_info
        if found.watermark.appid != self.appid:
            raise InvalidGrant("The phone code is of another mini-program.")
        if not _DIGITS.fullmatch(found.country_code + found.pure_phone_number):
            raise WeChatDown
        home = found.country_code == "86"
        return found.pure_phone_number if home else f"+{found.country_code}{found.pure_phone_number}"

    async def _phone(self, code: str) -> bytes:
        token = await self._access_token()
        place = "/wxa/business/getuserphonenumber"
        return await self._ask("POST", place, params={"access_token": token}, json={"code": code})

    async def _phone_at_last(self, code: str) -> bytes:
        """Once more, with a new token."""
        try:
            return await self._phone(code)
        except _TokenOver:
            pass
        raise Misregistered

    async def _access_token(self) -> str:
        """The token of this mini-program; the stable kind, which other processes' requests do not end."""
        if self._token is None or time.monotonic() > self._token[1]:
            asked = {"grant_type": "client_credential", "appid": self.appid, "secret": self._secret}
            given = _read(await self._ask("POST", "/cgi-bin/stable_token", json=asked), _Token)
            self._token = (given.access_token, time.monotonic() + given.expires_in - 2 * _A_MINUTE)
        return self._token[0]

    async def _ask(
        self, method: str, path: str, *, params: dict[str, str] | None = None, json: dict[str, str] | None = None
    ) -> bytes:
        """The bytes of an answer without an error. What went wrong is told without the request, which holds secrets."""
        try:
            client = httpx2.AsyncClient(verify=outbound.trusted(chosen=True), timeout=_TIMEOUT)
            async with asyncio.timeout(_TIMEOUT), client as http:
                answer = await http.request(method, f"{self._api}{path}", params=params, json=json)
        except (httpx2.HTTPError, TimeoutError) as error:
            _log.warning("no answer", path=path, kind=type(error).__name__)
            answer = None
        if answer is None or answer.status_code != int(httpx2.codes.OK):
            raise WeChatDown
        _must_be_well(_read(answer.content, _Answer).errcode, path)
        return answer.content


class _TokenOver(Exception):
    """The access token ended before its time."""


def _must_be_well(errcode: int, path: str) -> None:
    if errcode == 0:
        return
    if errcode in _SPENT_CODE:
        raise InvalidGrant("The WeChat code is used, expired or of another mini-program; get a new one.")
    if errcode == 40226:  # noqa: PLR2004  (documented under this number alone)
        raise HighRisk("WeChat refuses this account for now; log in another way or go to a counter.")
    if errcode == 45011:  # noqa: PLR2004  (the same)
        raise TooMany("WeChat takes no more logins of this person for a minute.", retry_after=_A_MINUTE)
    if errcode in _OLD_TOKEN and path.startswith("/wxa/"):
        raise _TokenOver
    _log.error("refused", path=path, errcode=errcode)
    raise WeChatDown if errcode in _BUSY else Misregistered


def _read(body: bytes, shape: type[Shape]) -> Shape:
    """The members that we want of an answer; others are not even read."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise WeChatDown
