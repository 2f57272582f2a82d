"""What each command of `osmanthus` does, given its parsed options. Returns the exit status, None for success.

Heavy modules load inside the command that needs them, so that `--help` is instant.
"""

import argparse
import asyncio
import gc
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

    from core.settings import Settings

FAILED, MISUSED = 1, 2


def demo(chosen: argparse.Namespace) -> int | None:
    """Serve the demo city, or several that recognise one another, until interrupted."""
    from api.tool import demo

    if chosen.cities > 1:
        from api.tool.league import box

        return box.run(chosen.port, chosen.cities, reset=chosen.reset, visit=chosen.visit)

    def serve(house: "Settings", ground: demo.Ground, listener: "socket.socket") -> None:
        from api.tool import demo_server  # loads the front of house, once port and database are ours

        demo_server.run(house, ground, listener)

    demo.run(chosen.port, reset=chosen.reset, serve=serve, home=chosen.home or demo.VAR)
    return None


def serve(chosen: argparse.Namespace) -> None:
    """Serve with the settings of the environment, in as many processes as asked."""
    gc.disable()  # until `api.app.create` has made what stays
    import uvicorn

    from api import wire
    from api.identity import idp
    from api.requests import KEPT_ALIVE
    from core import settings

    known = settings.read()  # and say what is missing before any process starts
    idp.must_listen_on_loopback(known, chosen.host)
    trusted = known.trusted_proxies
    uvicorn.run(
        "api.app:create", factory=True, host=chosen.host, port=chosen.port, workers=chosen.workers, http=wire.Protocol,
        log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=10,
        proxy_headers=bool(trusted), forwarded_allow_ips=trusted, timeout_keep_alive=KEPT_ALIVE,
    )  # fmt: skip


def worker(_chosen: argparse.Namespace) -> None:
    """Do the jobs until interrupted."""
    gc.disable()  # until all that stays is loaded
    from api import app
    from api.worker import jobs
    from core import settings

    async def work() -> None:
        house = app.make_house(settings.read())
        await app.read_civil_offset(house)
        try:
            async with app.following(house):
                await jobs.run(house)
        finally:
            await asyncio.gather(house.short.close(), house.doors.close())

    app.log_to_stderr()
    app.leave_what_stays()
    asyncio.run(work())


def migrate(_chosen: argparse.Namespace) -> None:
    """Make the first epoch keys if there are none, upgrade the schema, arm the doors."""
    from core import db, settings
    from core.epochs import make_epochs
    from core.keys import Keyring
    from core.postgres import migrate

    house = settings.read()
    make_epochs(house.epochs_file)
    asyncio.run(migrate.upgrade(house.database_url, role_prefix=house.role_prefix, sandbox=house.sandbox))
    asyncio.run(db.arm(house.database_url, Keyring(house.master_key, house.epochs_file), house.role_prefix))
    print(f"The schema is at {migrate.head()}; the doors have their passwords.")


def doctor(chosen: argparse.Namespace) -> int:
    """Print every finding; fails when one needs mending."""
    from api.tool import doctor

    async def look() -> int:
        faults = 0
        async for finding in doctor.examine(chosen.port):
            print(f"{'ok   ' if finding.well else 'FAULT'}  {finding.seen}")
            if not finding.well:
                faults += 1
                print(f"       -> {finding.advice}")
        return FAILED if faults else 0

    return asyncio.run(look())


def audit_verify(chosen: argparse.Namespace) -> int:
    """Judge the sealed log; fails when anything was altered, removed, put in or moved."""
    from api.tool import auditing
    from core import settings

    return 0 if asyncio.run(auditing.verify(settings.read(), chosen.heads)) else FAILED


def client_add(chosen: argparse.Namespace) -> None:
    """Register a client and print its entry for a kit, private key included."""
    from api.tool import registration
    from core import settings

    entry = asyncio.run(registration.add(settings.read(), **_options(chosen)))
    if not entry.get("live", True):
        print(
            "No impact assessment (--assessment pia_...): NOT LIVE outside a sandbox. It is registered disabled;",
            file=sys.stderr,
        )
        print("assess it, then two of the office enable it: POST /v1/staff/clients/ID/enable.", file=sys.stderr)
    print(json.dumps(entry, ensure_ascii=False, indent=1))


def _options(chosen: argparse.Namespace) -> dict[str, Any]:
    """What `client add` was given, by the names of `registration.add`."""
    return {
        "client_id": chosen.client_id, "role": chosen.role, "name": chosen.name, "scopes": chosen.scope,
        "kinds": chosen.kind, "perks": chosen.perk, "redirect_uris": chosen.redirect_uri,
        "purposes": chosen.purpose or None, "introspects": chosen.introspects, "contact": chosen.contact,
        "jwk": json.loads(chosen.jwk.read_text()) if chosen.jwk else None,
        "assessment": chosen.assessment,
    }  # fmt: skip


def keys_list(_chosen: argparse.Namespace) -> None:
    """Print the epochs."""
    from api.tool import keys

    asyncio.run(keys.show())


def keys_rotate(_chosen: argparse.Namespace) -> None:
    """Begin an epoch and move everything to it."""
    from api.tool import keys

    asyncio.run(keys.rotate())


def keys_destroy(chosen: argparse.Namespace) -> None:
    """Destroy an epoch."""
    from api.tool import keys

    asyncio.run(keys.destroy(chosen.epoch))


def keys_dump(chosen: argparse.Namespace) -> None:
    """Write the dump that a restore needs at its newest."""
    from api.tool import keys

    asyncio.run(keys.dump(chosen.file))


def keys_restore(chosen: argparse.Namespace) -> None:
    """Bring a restored database to the newest keys."""
    from api.tool import keys

    asyncio.run(keys.restore(chosen.file))


def call(chosen: argparse.Namespace) -> int:
    """Send one signed request; its status goes to standard error, its body, or one member of it, to standard output."""
    from api.tool import calling

    return calling.call(chosen)


def policy_check(chosen: argparse.Namespace) -> int:
    """Print every fault of the rule book with file, line and advice, else what it holds; fails when there is one."""
    from auth import notices
    from core import settings
    from incentives import policycheck

    directory = chosen.directory or settings.ROOT / "policy"
    if not directory.is_dir():
        message = f"{directory} is no directory."
        raise FileNotFoundError(message)
    report = policycheck.check(policycheck.read(directory), notices.load)
    for fault in report.faults:
        print(fault)
    for line in report.summary if not report.faults else (f"{len(report.faults)} faults",):
        print(line, file=sys.stderr)
    return FAILED if report.faults else 0


def score_nightly(_chosen: argparse.Namespace) -> int:
    """Make today's pass over everyone, or what is left of it."""
    from api.tool import nightly
    from core import settings

    return asyncio.run(nightly.make(settings.read()))


def score_explain(chosen: argparse.Namespace) -> int:
    """Print the score that a file of lines makes, as the API shows it; fails when a line was not taken."""
    import msgspec

    from api.tool import explaining
    from core import settings

    policy = settings.ROOT / "policy"
    found = explaining.lines(
        chosen.lines, born=chosen.born, as_of=chosen.as_of, policy=policy, card_file=chosen.scorecard
    )
    print(msgspec.json.format(msgspec.json.encode(found.view), indent=1).decode())
    for number, line in found.rejected.items():
        print(f"{chosen.lines}:{number}: {line.code}: {line.detail}", file=sys.stderr)
    return FAILED if found.rejected else 0
