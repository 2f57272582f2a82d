"""A stand-in for WeChat's server, with every trap that its documentation and its developers tell of.

Status 200 and `text/plain` for everything, one-use codes, errors by `errcode`, members that nobody asked for, a
`session_key` and an `errmsg` with things that must go nowhere.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests import eavesdropping

APPID = "wx0123456789abcdef"
SECRET = "wechat-secret-that-no-log-may-hold"
SESSION_KEY = "c2Vzc2lvbi1rZXktdGhhdC1nb2VzLW5vd2hlcmU="
ERRMSG = "errmsg-that-nobody-may-see rid: 1234"


class WeChat:
    """What WeChat knows, and how it behaves next."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, str]] = {}
        self.phones: dict[str, dict[str, Any]] = {}
        self.used: set[str] = set()
        self.errors: dict[str, int] = {}
        self.raw: dict[str, bytes] = {}
        self.slow: set[str] = set()
        self.status = 200
        self.token = "at-1"
        self.origin = ""
        self.seen: list[str] = []

    def login(self, openid: str, unionid: str | None = None) -> str:
        """A fresh `wx.login` code of this person."""
        code = secrets.token_hex(8)
        eavesdropping.somebody(openid)
        self.people[code] = {"openid": openid, **({"unionid": unionid} if unionid else {})}
        return code

    def phone(self, number: str, *, country: str = "86", appid: str = APPID) -> str:
        """A fresh code of the phone button."""
        code = secrets.token_hex(8)
        eavesdropping.somebody(number)
        self.phones[code] = {
            "phoneNumber": number if country == "86" else f"+{country} {number}",
            "purePhoneNumber": number,
            "countryCode": country,
            "watermark": {"timestamp": 1, "appid": appid},
        }
        return code

    def failing(self, errcode: int) -> str:
        """A code that is answered with this error."""
        code = f"fails-{errcode}"
        self.errors[code] = errcode
        return code

    def saying(self, body: bytes) -> str:
        """A code that is answered with these bytes."""
        code = secrets.token_hex(8)
        self.raw[code] = body
        return code

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The body of an answer."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        sent = json.loads(body) if body else {}
        self.seen.append(parts.path)
        if parts.path == "/cgi-bin/stable_token":
            right = (method, sent.get("appid"), sent.get("secret")) == ("POST", APPID, SECRET)
            return _json(access_token=self.token, expires_in=7200) if right else _error(40125)
        if parts.path == "/sns/jscode2session":
            if (query.get("appid"), query.get("grant_type")) != (APPID, "authorization_code"):
                return _error(40013)
            return self._of(query["js_code"]) if query.get("secret") == SECRET else _error(40125)
        if query.get("access_token") != self.token:
            return _error(40001)
        return self._of(sent["code"])

    def _of(self, code: str) -> bytes:
        if code in self.raw:
            return self.raw[code]
        if code in self.errors:
            return _error(self.errors[code])
        if code in self.used:
            return _error(40163)
        self.used.add(code)
        if code in self.people:
            return _json(**self.people[code], session_key=SESSION_KEY, errcode=0, errmsg="ok", something_new=[1])
        return _json(errcode=0, errmsg="ok", phone_info=self.phones[code]) if code in self.phones else _error(40029)


def _json(**members: Any) -> bytes:
    return json.dumps(members).encode()


def _error(errcode: int) -> bytes:
    return _json(errcode=errcode, errmsg=ERRMSG)


@asynccontextmanager
async def wechat() -> AsyncIterator[WeChat]:
    """A stand-in that listens on loopback for the length of a block."""
    here = WeChat()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            length = next(
                (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0
            )
            body = await reader.readexactly(length)
            if any(code in target or code.encode() in body for code in here.slow):
                await reader.read()  # until the other side gives up
                return
            said = here.answer(method, target, body)
            lines = f"HTTP/1.1 {here.status} OK\r\nContent-Type: text/plain\r\nContent-Length: {len(said)}\r\n"
            writer.write(f"{lines}Connection: close\r\n\r\n".encode() + said)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield here
