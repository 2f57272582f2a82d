"""`osmanthus`, the tool. A command exits 0 only when it did what it says; a fault is one sentence on standard error.

Heavy modules load inside the command that needs them, so that `--help` is instant.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from api.tool import batch, commands, library, reading, rulework, trusting


class Actions(Protocol):
    """What argparse's `add_subparsers` returns, as far as it is used here."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002  (argparse's own word)
        """Add one command."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except KeyboardInterrupt:
        print("osmanthus: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if not _is_expected(error):
            raise
        print(f"osmanthus: {error}", file=sys.stderr)
        return commands.FAILED


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="osmanthus", description="Opt-in personal credit points for a city, with perks.")
    actions = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    demo = actions.add_parser("demo", help="a whole demo city on 127.0.0.1, made the first time")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--reset", action="store_true", help="forget the city and make it anew")
    demo.add_argument("--home", type=Path, help="where it keeps what it knows, instead of var/")
    demo.add_argument("--cities", type=int, default=1, choices=(1, 2, 3), help="so many, that recognise one another")
    demo.add_argument("--visit", action="store_true", help="with --cities: play a visit, print what held, and stop")
    demo.set_defaults(run=commands.demo)

    serve = actions.add_parser("serve", help="the server, with the settings of the environment")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--workers", type=int, default=1)
    serve.set_defaults(run=commands.serve)

    worker = actions.add_parser("worker", help="the jobs: daily pass, expiry, sweeping")
    worker.set_defaults(run=commands.worker)

    migrate = actions.add_parser("migrate", help="bring the database up to date and give the doors their passwords")
    migrate.set_defaults(run=commands.migrate)

    doctor = actions.add_parser("doctor", help="look at everything that a start needs and say what to do")
    doctor.add_argument("--port", type=int, default=8000)
    doctor.set_defaults(run=commands.doctor)

    _add_policy(actions)
    _add_score(actions)
    _add_client(actions)
    _add_source(actions)
    _add_keys(actions)
    _add_audit(actions)
    library.add(actions)
    trusting.add(actions)
    _add_call(actions)
    return top


def _add_policy(actions: Actions) -> None:
    policy = actions.add_parser("policy", help="the rule book").add_subparsers(metavar="ACTION", required=True)
    check = policy.add_parser("check", help="explain every fault of the rule book with file and line")
    check.add_argument("directory", nargs="?", type=Path, help="default: the shipped policy/")
    check.set_defaults(run=commands.policy_check)
    diff = policy.add_parser("diff", help="what changes from one scorecard or perks file to another, by value")
    diff.add_argument("old", type=Path)
    diff.add_argument("new", type=Path)
    diff.set_defaults(run=rulework.diff)
    publish = policy.add_parser("publish", help="make a draft of a file; somebody else approves it")
    publish.add_argument("what", metavar="FILE")
    publish.set_defaults(run=rulework.publish)
    rehearse = policy.add_parser("rehearse", help="what a draft would change for everybody, in counts")
    rehearse.add_argument("what", metavar="RELEASE|FILE", help="a draft's id (rl_...), or a file to draft first")
    rehearse.add_argument("--html", type=Path, metavar="FILE", help="write the report's page there")
    rehearse.set_defaults(run=rulework.rehearse)
    for one in (publish, rehearse):
        one.add_argument("--as", dest="client", required=True, help="a staff client of the kit")
        one.add_argument("--kit", type=Path, default=Path("var/demo/kit.json"))
        one.add_argument("--kind", help="default: by the file's folder")
        one.add_argument("--effective-on", type=date.fromisoformat, metavar="DATE", help="default: in 8 days")
    explain = policy.add_parser("explain", help="how a case comes to its points (docs/rules.zh.md)")
    explain.add_argument("case", type=Path, help="a case file, for example policy/cases/persona-retiree.toml")
    explain.set_defaults(run=reading.case)


def _add_score(actions: Actions) -> None:
    score = actions.add_parser("score", help="points").add_subparsers(metavar="ACTION", required=True)
    explain = score.add_parser("explain", help="what the rules make of a file of source lines about one person")
    explain.add_argument("lines", type=Path, help="NDJSON as for POST /v1/source/records")
    explain.add_argument("--born", type=date.fromisoformat, required=True, metavar="DATE")
    explain.add_argument("--as-of", type=date.fromisoformat, required=True, metavar="DATE")
    explain.add_argument("--scorecard", type=Path, metavar="FILE", help="default: the newest shipped one of that day")
    explain.set_defaults(run=commands.score_explain)
    nightly = score.add_parser("nightly", help="today's pass over everyone, or what is left of it; the worker's own")
    nightly.set_defaults(run=commands.score_nightly)

    city = score.add_parser("batch", help="score a whole city from Parquet files; may be killed and run again")
    city.add_argument("--records", type=Path, required=True, metavar="PATH", help="a file, a folder or a pattern")
    city.add_argument("--register", type=Path, required=True, metavar="PATH", help="who is to be scored; the same")
    city.add_argument("--as-of", type=date.fromisoformat, required=True, metavar="DATE")
    city.add_argument("--scorecard", type=Path, required=True, metavar="FILE")
    city.add_argument("--engine", choices=("duckdb", "polars", "spark"), default="polars")
    city.add_argument("--spark-remote", default="", metavar="URL", help="sc://host:port; default: a Spark of its own")
    city.add_argument("--out", type=Path, required=True, metavar="FILE")
    city.add_argument("--rows", type=int, default=0, metavar="N", help="rows of one range; less is less memory")
    city.set_defaults(run=batch.score)


def _add_client(actions: Actions) -> None:
    client = actions.add_parser("client", help="registered clients").add_subparsers(metavar="ACTION", required=True)
    add = client.add_parser("add", help="register a client; prints its private key once")
    add.add_argument("client_id")
    add.add_argument("--role", required=True, choices=("partner", "source", "citycard", "staff", "citizen"))
    add.add_argument("--name", required=True, help="the organisation, as citizens read it")
    repeatable = {
        "scope": "what it may do",
        "kind": "record kinds that a source sends",
        "perk": "perks that a partner grants",
        "redirect-uri": "where a citizens' app, or a partner that asks citizens for a standing consent, gets codes",
        "purpose": "what a partner may ask citizens for; by default one for each of its perks",
    }
    for option, text in repeatable.items():
        add.add_argument(f"--{option}", action="append", default=[], help=f"{text}; repeat for more")
    add.add_argument("--contact", default="", help="how citizens reach a partner; they read it before they agree")
    add.add_argument("--introspects", action="store_true", help="it may ask about every client's tokens (RFC 7662)")
    add.add_argument("--assessment", metavar="PIA", help="its live impact assessment (pia_...); without it: not live")
    add.add_argument("--jwk", type=Path, help="its public key; without it a P-256 key is made and printed")
    add.set_defaults(run=commands.client_add)


def _add_source(actions: Actions) -> None:
    source = actions.add_parser("source", help="source bureaus").add_subparsers(metavar="ACTION", required=True)
    drop = source.add_parser("drop", help="take a file that a bureau handed over; prints the receipt")
    what = drop.add_mutually_exclusive_group(required=True)
    what.add_argument("file", type=Path, nargs="?", help="*.csv, *.parquet or *.ndjson, .gz allowed")
    what.add_argument("--watch", type=Path, metavar="DIR", help="take what is laid down in this folder, until stopped")
    drop.add_argument("--marked", action="store_true", help="with --watch: only files with NAME.done beside them")
    drop.add_argument("--source", required=True, metavar="ID", help="the bureau's client id")
    drop.set_defaults(run=_source_drop)


def _source_drop(chosen: argparse.Namespace) -> None:
    from api.tool import dropping, dropwatch
    from core import settings

    if chosen.watch is not None:
        dropwatch.run(settings.read(), chosen.watch, chosen.source, marked=chosen.marked)
        return
    dropping.run(settings.read(), chosen.file, chosen.source)


def _add_keys(actions: Actions) -> None:
    keys = actions.add_parser("keys", help="the epoch keys; see docs/keys.md").add_subparsers(
        metavar="ACTION", required=True
    )
    shown = keys.add_parser("list", help="which epochs live, what hangs on each, which were destroyed")
    shown.set_defaults(run=commands.keys_list)
    rotate = keys.add_parser("rotate", help="begin a new epoch and move everything to it")
    rotate.set_defaults(run=commands.keys_rotate)
    destroy = keys.add_parser("destroy", help="destroy an epoch for good; refuses while anything hangs on it")
    destroy.add_argument("epoch", type=int)
    destroy.set_defaults(run=commands.keys_destroy)
    dump = keys.add_parser("dump", help="wrapped keys, erasure list and ends of consents; at least daily")
    dump.add_argument("file", type=Path)
    dump.set_defaults(run=commands.keys_dump)
    restore = keys.add_parser("restore", help="after a database was restored, before any door opens")
    restore.add_argument("file", type=Path, help="the newest dump")
    restore.set_defaults(run=commands.keys_restore)


def _add_audit(actions: Actions) -> None:
    audit = actions.add_parser("audit", help="the sealed log").add_subparsers(metavar="ACTION", required=True)
    verify = audit.add_parser("verify", help="find what was altered, removed, put in or moved, and say where")
    verify.add_argument("--heads", type=Path, metavar="FILE", help="signed heads; default: OSMANTHUS_LOG_HEADS")
    verify.set_defaults(run=commands.audit_verify)


def _add_call(actions: Actions) -> None:
    call = actions.add_parser("call", help="one signed request as a client of the kit")
    call.add_argument("method")
    call.add_argument("path", help="e.g. /v1/partner/perks")
    call.add_argument("body", nargs="?", help="JSON, or @FILE, or @- for standard input; NDJSON files end in .ndjson")
    call.add_argument("--as", dest="client", required=True, help="a client of the kit, or a citizen by login")
    call.add_argument("--kit", type=Path, default=Path("var/demo/kit.json"))
    call.add_argument("--idempotency-key")
    call.add_argument("--pick", help="print one member of the answer alone, e.g. code or webhook.id, for a script")
    call.set_defaults(run=commands.call)


def _is_expected(error: Exception) -> bool:
    """Whether the message is written for the person at the terminal; anything else is a fault of ours and is raised."""
    from api.tool.caller import NoAnswerError, TokenRefusedError
    from api.tool.citizen_app import LostOnTheWayError
    from api.tool.demo import CannotStartError
    from api.tool.seed import SeedingFailedError
    from core.errors import Problem
    from core.pgerrors import is_unavailable
    from core.postgres.launcher import EmbeddedUnavailable
    from core.settings import SettingMissing
    from incentives.recognition.trust import Distrusted

    about_us = (
        CannotStartError,
        EmbeddedUnavailable,
        SeedingFailedError,
        SettingMissing,
        Distrusted,
        rulework.NotOursError,
    )
    about_them = (NoAnswerError, TokenRefusedError, LostOnTheWayError, Problem)
    about_input = (FileNotFoundError, ValueError)  # a file that is not there, JSON that is none
    return isinstance(error, (*about_us, *about_them, *about_input)) or is_unavailable(error)


if __name__ == "__main__":
    sys.exit(main())
