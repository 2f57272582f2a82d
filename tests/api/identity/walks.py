"""Citizens, apps and partners that tests begin with, and what they read off answers."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from api.tool.signing import Signer, fresh_key
from core import clock
from tests.api.identity.app import APP, BASE, LIBRARY, RENTAL, World
from tests.api.identity.client import App, Partner, log_in


def app_of(world: World, client_id: str = "app", redirect_uri: str = APP) -> App:
    """An app with a fresh key, beside a fresh browser."""
    return App(world.browser(), Signer(fresh_key(), client_id=client_id, issuer=BASE), redirect_uri)


async def ready(world: World, login: str = "anna") -> App:
    """An app beside a browser in which somebody is logged in."""
    app = app_of(world)
    await log_in(app.browser, login)
    return app


async def partner(world: World, name: str = "library", login: str | None = "anna") -> Partner:
    """A partner with its registered key, beside a browser in which somebody is logged in."""
    made = Partner(world.browser(), world.signer(name), {"library": LIBRARY, "rental": RENTAL}[name])
    if login is not None:
        await log_in(made.browser, login)
    return made


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of an OAuth error, which nobody stores."""
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


async def me(app: App) -> int:
    """The status of /v1/me with the app's token alone."""
    app.browser.cookies.clear()
    return (await app.caller.get("/v1/me")).status_code


def ahead(monkeypatch: pytest.MonkeyPatch, *signers: Signer, **by: float) -> None:
    """Move protocol time forwards for this test, here and at these signers."""
    now, seconds = clock.wall, timedelta(**by)
    monkeypatch.setattr(clock, "wall", lambda: now() + seconds)
    for signer in signers:
        monkeypatch.setattr(signer, "proof", _by(signer.proof, clock.wall))
        monkeypatch.setattr(signer, "assertion", _asserted(signer.assertion, clock.wall))


def _by(made: Any, wall: Any) -> Any:
    return lambda method, url, **claims: made(method, url, **{"iat": int(wall().timestamp()), **claims})


def _asserted(made: Any, wall: Any) -> Any:
    def assertion(**claims: Any) -> str:
        now = int(wall().timestamp())
        return made(**{"iat": now, "exp": now + 60, **claims})

    return assertion
