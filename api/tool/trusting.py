"""`osmanthus trust`: the list of cities that are recognised, drafted, signed by two persons, taken in.

The signers' private keys are files of theirs, on machines of theirs: nothing here sends or keeps one.
"""

import argparse
import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 86_400


class Actions(Protocol):
    """What argparse's `add_subparsers` returns, as far as it is used here."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002  (argparse's own word)
        """Add one command."""
        ...


def add(actions: Actions) -> None:
    """The commands of the trust list."""
    trust = actions.add_parser("trust", help="which cities are recognised, by which keys").add_subparsers(
        metavar="ACTION", required=True
    )
    key = trust.add_parser("key", help="make a signer's key; prints the public one")
    key.add_argument("kid", help="how the signers' file calls it, e.g. root-2026-a")
    key.add_argument("--out", type=Path, required=True, help="the private key (mode 0600), for its signer alone")
    draft = trust.add_parser("draft", help="a list without signatures, for its signers to look at")
    draft.add_argument("cities", type=Path, help="JSON: a list of {sub, jwks, about}; see docs/recognition.md")
    draft.add_argument("--out", type=Path, required=True)
    draft.add_argument("--issuer", required=True, help="who publishes it, e.g. https://league.example")
    draft.add_argument("--seq", type=int, required=True, help="its number: higher than that of any list before")
    sign = trust.add_parser("sign", help="add a signature, after reading aloud what it says")
    sign.add_argument("file", type=Path)
    sign.add_argument("--key", type=Path, required=True, help="the signer's private key")
    take = trust.add_parser("import", help="take in a list that enough signers signed")
    take.add_argument("file", type=Path)
    shown = trust.add_parser("show", help="the list in force")
    for one, run in ((key, _key), (draft, _draft), (sign, _sign), (take, _import), (shown, _show)):
        one.set_defaults(run=run)


def _key(chosen: argparse.Namespace) -> None:
    from joserfc.jwk import ECKey

    made = ECKey.generate_key("P-256", {"kid": chosen.kid}, private=True)
    with os.fdopen(os.open(chosen.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(made.as_dict(private=True), file)
    print(json.dumps(made.as_dict(private=False)))


def _draft(chosen: argparse.Namespace) -> None:
    import msgspec

    from core import clock
    from incentives.recognition import trust

    cities = msgspec.json.decode(chosen.cities.read_bytes(), type=tuple[trust.Entry, ...])
    now = int(clock.wall().timestamp())
    body = trust.Body(chosen.issuer, now, now + trust.DAYS * DAY, chosen.seq, cities)
    chosen.out.write_bytes(trust.sign(body, []))
    _tell(body)


def _sign(chosen: argparse.Namespace) -> None:
    from joserfc.jwk import ECKey

    from incentives.recognition import trust

    raw, key = chosen.file.read_bytes(), ECKey.import_key(json.loads(chosen.key.read_text(encoding="utf-8")))
    _tell(trust.unread(raw))
    chosen.file.write_bytes(trust.cosign(raw, str(key.kid), signing(key)))
    print(f"signed by {key.kid}")


def _import(chosen: argparse.Namespace) -> None:
    async def once() -> None:
        from api.tool import keys
        from incentives.visitors import lists, rootkeys

        raw = chosen.file.read_bytes()
        async with keys.at_home() as house, house.doors.work("jobs") as session:
            roots = await rootkeys.read(house.settings.trust_signers)
            _tell((await lists.take(session, raw, roots)).body)

    asyncio.run(once())


def _show(_chosen: argparse.Namespace) -> int:
    async def once() -> int:
        from api.tool import keys
        from incentives.recognition import trust
        from incentives.visitors import lists

        async with keys.at_home() as house, house.doors.work("jobs") as session:
            raw = await lists.newest(session)
        if raw is None:
            print("No list was taken in: nobody is recognised.")
            return 1
        _tell(trust.unread(raw))
        return 0

    return asyncio.run(once())


def signing(key: Any) -> "Callable[[bytes], bytes]":
    """What signs bytes by ES256 with a P-256 key."""
    from joserfc.jws import JWSRegistry

    def sign(message: bytes) -> bytes:
        return JWSRegistry.algorithms["ES256"].sign(message, key)

    return sign


def _tell(body: Any) -> None:
    """What a list says, for the eyes of its signers."""
    until = datetime.fromtimestamp(body.exp, UTC)
    print(f"list {body.seq} of {body.iss}, until {until:%Y-%m-%d %H:%M} UTC")
    for city in body.cities:
        kids = ", ".join(str(key.get("kid")) for key in city.jwks.keys)
        print(f"  {city.about.city} {city.about.name}  {city.sub}  keys {kids}")
        print(f"    status lists below {', '.join(city.about.status_origins)}")
