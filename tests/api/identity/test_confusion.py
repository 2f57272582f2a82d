"""A thousand requests of confused types at each OAuth endpoint: every one is answered, none by a fault of ours.

Seeded: the same thousand each time. What was refused must be refused in the endpoint's own words.
"""

import json
import random
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from auth.assertion import TYPE
from tests.api.identity.app import APP, LIBRARY, World
from tests.api.identity.client import detail
from tests.api.identity.walks import ready

MANY = 1000
FIELDS = (
    "grant_type", "client_id", "client_assertion", "client_assertion_type", "scope", "resource", "code", "redirect_uri",
    "code_verifier", "refresh_token", "token", "token_type_hint", "request_uri", "request", "response_type", "state",
    "code_challenge", "code_challenge_method", "authorization_details", "dpop_jkt", "decision", "csrf", "separate",
    "version", "digest", "expires_on", "nonce", "prompt", "",
)  # fmt: skip
GOOD = (
    "client_credentials", "authorization_code", "refresh_token", "app", "library", "me", "eligibility:check", TYPE, APP,
    LIBRARY, "S256", "code", "A" * 43, "A" * 64, "allow", "yes", "1", "2027-01-01", "x" * 43, "query",
)  # fmt: skip
ODD = (
    "", " ", "\0", "\x00\x01", "\ud7ff", "ü", "𝄞" * 20, "-1", "NaN", "1e999", "[]", "{}", "null", "true", "[" * 500,
    "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", "A" * 5000, "%00", "%", "'; drop table auth.token; --", "{{7*7}}",
    "<script>", "../../etc/passwd", "urn:ietf:params:oauth:request_uri:x", "=" * 64, "-" * 64, "_" * 64, "A" * 63 + "=",
)  # fmt: skip
HEADERS: tuple[tuple[str, str], ...] = (
    ("dpop", "x"), ("dpop", "a.b.c"), ("dpop", "eyJhbGciOiJFUzI1NiJ9.e30.AA"), ("authorization", "Basic eDp5"),
    ("authorization", "DPoP x"), ("authorization", ""), ("x-csrf-token", "x"), ("origin", "null"),
    ("sec-fetch-site", "cross-site"), ("content-encoding", "gzip"),
)  # fmt: skip
KINDS = ("application/x-www-form-urlencoded",) * 8 + ("application/json", "multipart/form-data; boundary=x", "", "x")


def value(chance: random.Random) -> str:
    """A good value, an odd one, or a detail with a member of another type."""
    if chance.random() < 0.15:
        member = chance.choice(list(detail()))
        wrong: Any = chance.choice([None, 1, -1.5, True, [], {}, "x", [[]], "9999-99-99T00:00:00Z", 10**400])
        return json.dumps([detail(**{member: wrong})])
    return chance.choice(GOOD if chance.random() < 0.5 else ODD)


def request(chance: random.Random) -> tuple[bytes, list[tuple[str, str]]]:
    """A body and its headers."""
    pairs = [(chance.choice(FIELDS), value(chance)) for _ in range(chance.randrange(9))]
    body = urlencode(pairs).encode()
    if chance.random() < 0.1:
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(60)))
    elif chance.random() < 0.05:
        body = json.dumps(dict(pairs)).encode()
    headers = [("content-type", chance.choice(KINDS))]
    return body, headers + [chance.choice(HEADERS) for _ in range(chance.randrange(3))]


def proper(answer: httpx2.Response) -> bool:
    """Whether the endpoint said what it means: never a fault, and no inside of ours."""
    return answer.status_code < 500 and not any(sign in answer.text for sign in ("Traceback", "sqlalchemy", "asyncpg"))


class TestPosts:
    """The endpoints for clients."""

    @pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke"])
    async def test_a_thousand(self, world: World, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """No 5xx; every refusal is an OAuth error that nobody stores."""
        monkeypatch.setattr("api.identity.oauth._PUSHES_A_MINUTE", 10**9)
        chance, http = random.Random(f"{path} 2026"), world.browser()  # noqa: S311  (reproducible, no secret)
        for turn in range(MANY):
            body, headers = request(chance)
            answer = await http.post(path, content=body, headers=headers)
            assert proper(answer), (turn, body, headers, answer.text)
            if answer.status_code in {400, 401} and answer.headers["content-type"].startswith("application/json"):
                assert set(answer.json()) == {"error", "error_description"}
                assert answer.headers["cache-control"] == "no-store"

    async def test_signed_confusion(self, world: World) -> None:
        """The same from a partner who is authenticated and proves its key: what lies behind the door holds too."""
        chance, caller = random.Random("signed 2026"), world.caller("library")  # noqa: S311  (reproducible, no secret)
        for path in ("/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke"):
            for _ in range(40):
                form = {chance.choice(FIELDS[4:]): value(chance) for _ in range(chance.randrange(1, 8))}
                usual = {"grant_type": chance.choice(GOOD[:3]), "response_type": "code", "redirect_uri": LIBRARY}
                answer = await caller.post_signed(path, {**usual, **form})
                assert proper(answer), (path, form, answer.text)


class TestAuthorize:
    """The page: a person is logged in."""

    async def test_a_thousand_gets(self, world: World) -> None:
        """No 5xx, and no browser is sent anywhere but to our own pages."""
        chance, browser = random.Random("get 2026"), (await ready(world)).browser  # noqa: S311  (no secret)
        for turn in range(MANY):
            pairs = [(chance.choice(FIELDS), value(chance)) for _ in range(chance.randrange(5))]
            answer = await browser.get(f"/oauth/authorize?{urlencode(pairs)}")
            assert proper(answer), (turn, pairs, answer.text)
            assert answer.headers.get("location", "/").startswith("/")

    async def test_a_thousand_posts(self, world: World) -> None:
        """The same with the session's CSRF token: no 5xx, and never a code."""
        chance, browser = random.Random("post 2026"), (await ready(world)).browser  # noqa: S311  (no secret)
        token = browser.cookies["osm_csrf"]
        for turn in range(MANY):
            body, headers = request(chance)
            answer = await browser.post(
                "/oauth/authorize", content=body, headers=[*headers, ("x-csrf-token", token)]
            )  # fmt: skip
            assert proper(answer), (turn, body, headers, answer.text)
            assert "code=" not in answer.headers.get("location", "")
