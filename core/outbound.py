"""One request to an address that somebody registered, so that it reaches that address and nothing else.

Promises: https only, but for loopback in a sandbox; no redirect is followed and no proxy asked; the host is looked up
once, what must not be reached (this machine, link-local, multicast) is refused, and the connection goes to the very
address that was checked, with the certificate checked against the name, so a name that changes its mind meanwhile gains
nothing; the answer is bounded in bytes, the whole in seconds. Private networks are out of reach for `public` requests,
a merchant's, alone: bureaus are in one. What was sent and what came is nobody's to log.
"""

import asyncio
import ipaddress
import logging
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import SplitResult, urlsplit

import httpx2
import msgspec

from core import ndjson
from core.errors import FieldError, Invalid, TooLarge, Unavailable

logging.getLogger("httpx2").setLevel(logging.WARNING)  # its lines hold whole addresses

_LONGEST = 200
_NUMBER = re.compile(r"[0-9]{1,6}")
_NEVER = ("unspecified", "multicast", "reserved", "link_local")
# Public by their own number, and yet another address, perhaps a private one, is inside: 6to4, Teredo, NAT64.
_WRAPPERS = tuple(ipaddress.ip_network(one) for one in ("2002::/16", "2001::/32", "64:ff9b::/96"))


class BadAddress(Invalid):
    """An address that may not be registered."""

    code = "bad_address"
    title = "This address cannot be used"


class NotReached(Unavailable):
    """The other side did not answer as agreed: away, too slow, too much, or another status."""

    code = "not_reached"
    title = "The other side did not answer"


class Answer(msgspec.Struct, frozen=True):
    """A status and the bytes as they come; `retry_after` is that header, in seconds, where it is a number.

    `headers`: their names in lower case.
    """

    status: int
    chunks: AsyncIterator[bytes]
    retry_after: int | None = None
    headers: Mapping[str, str] = {}


def check(address: str, *, sandbox: bool, member: str = "address") -> str:
    """The address, if it may be registered; `member` is what the request calls it. Raises BadAddress."""
    parts = _split(address)
    loopback = sandbox and parts is not None and parts.scheme == "http" and _is_loopback(parts.hostname or "")
    if parts is None or not (loopback or (parts.scheme == "https" and parts.hostname)):
        wanted = "An https address without user, query and fragment, at most 200 characters."
        raise BadAddress(errors=[FieldError(f"/{member}", "bad_address", wanted)])
    return address


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    odd = parts.username or parts.password or parts.query or parts.fragment or "\\" in address
    return None if odd or len(address) > _LONGEST or not address.isascii() or not address.isprintable() else parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def post(
    address: str,
    *,
    body: bytes | AsyncIterator[bytes],
    headers: Mapping[str, str],
    sandbox: bool,
    most: int,
    seconds: float,
    public: bool = False,
    get: str | None = None,
) -> AsyncGenerator[Answer]:
    """Send `body`; the answer's bytes are read inside the block. Raises BadAddress, NotReached.

    `public`: to an address of the public internet alone. `get`: look, and send nothing; it is the query, perhaps empty.

    In the block only reading the bytes raises NotReached: the reader's own faults stay what they are.
    """
    parts = urlsplit(check(address, sandbox=sandbox))
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    over = asyncio.get_running_loop().time() + seconds
    client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=seconds, verify=trusted())
    async with client:
        async with _theirs(over):
            reached = await _look_up(host, port, sandbox=sandbox, public=public)
            target = httpx2.URL(address).copy_with(host=reached, query=get.encode() if get else None)
            told = {**headers, "Host": parts.netloc, "Accept-Encoding": "identity"}
            method, sent = ("POST", body) if get is None else ("GET", None)
            more = {"sni_hostname": host}
            request = client.build_request(method, target, content=sent, headers=told, extensions=more)
            answer = await client.send(request, stream=True)
        try:
            said = answer.headers.get("retry-after", "")
            pause = int(said) if _NUMBER.fullmatch(said) else None
            yield Answer(answer.status_code, _chunks(answer, most, over), pause, dict(answer.headers))
        finally:
            await answer.aclose()


@asynccontextmanager
async def _theirs(over: float) -> AsyncGenerator[None]:
    """What goes wrong in here is the other side's. Raises NotReached."""
    try:
        async with asyncio.timeout_at(over):
            yield
    except (httpx2.HTTPError, OSError, TimeoutError, TooLarge) as error:
        raise NotReached("The other side did not answer as agreed.") from error


async def _chunks(answer: httpx2.Response, most: int, over: float) -> AsyncIterator[bytes]:
    """The bytes as they come; what the reader does between them is no fault of the other side."""
    body = ndjson.bounded(answer.aiter_raw(), limit=most)
    while True:
        async with _theirs(over):
            chunk = await anext(body, None)
        if chunk is None:
            return
        yield chunk


@cache
def trusted(*, chosen: bool = False) -> ssl.SSLContext:
    """The machine's certificate authorities, read once: reading them costs more than a request.

    `chosen`: those of SSL_CERT_FILE, where the operator set it; for a provider whom the operator chose, too.
    """
    return httpx2.create_ssl_context(trust_env=chosen)


async def _look_up(host: str, port: int, *, sandbox: bool, public: bool) -> str:
    """The one address to connect to. Raises NotReached for one that must not be reached."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    reached = ipaddress.ip_address(str(found[0][4][0]))
    if reached.is_loopback and sandbox:
        return str(reached)
    inner = getattr(reached, "ipv4_mapped", None) or reached
    hidden = public and (not inner.is_global or any(inner in wrapper for wrapper in _WRAPPERS))
    if hidden or inner.is_loopback or any(getattr(inner, f"is_{word}") for word in _NEVER):
        raise NotReached("The registered name leads to an address that may not be reached.")
    return str(reached)
