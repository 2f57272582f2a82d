"""`osmanthus policy diff|publish|rehearse`: what a change of the rule book is, before anybody approves it.

`publish` and `rehearse` go through the API as a staff client, with what that client may do and no more: a draft, and a
rehearsal of it. There is no command that approves. Heavy modules load inside the command that needs them.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

_AHEAD = timedelta(days=8)
_SIGNS = {"[[perk]]": "perks", "[[tier]]": "scorecard", "\nextension = {": "disputes"}  # by what no other file has
_EFFECTS = {"up": "只会多得", "down": "可能少得", "open": "两种都可能", "words": "只改文字", "days": "不涉及分数"}


class NotOursError(Exception):
    """A file that is none of the rule book's, or an answer that ends the command; said to whoever typed it."""


def diff(chosen: argparse.Namespace) -> None:
    """Print what changes from one scorecard, perks or disputes file to another, value by value, with its basis."""
    from scoring.book import changes

    found = _compared(chosen.old, chosen.new)
    for one in found:
        print(f"{one}　{_EFFECTS[one.effect]}")
    if not found:
        print("没有区别（注释和排版不算）。")
    elif changes.may_lower(found):
        print("可能有人因此少得分或少一项便利：必须提前告知全体参加人。")
    else:
        print("没有人会因此少得分或少一项便利。")


def _compared(old: Path, new: Path) -> tuple[Any, ...]:
    """The changes between two files of one kind. Raises Faulty, NotOursError."""
    from incentives import changes as perk_changes
    from incentives.book import perkfile
    from scoring.book import changes, disputefile, scorecard

    texts = [path.read_text(encoding="utf-8") for path in (old, new)]
    kinds = {next((kind for sign, kind in _SIGNS.items() if sign in text), "") for text in texts}
    if kinds == {"scorecard"}:
        return changes.compare(*(scorecard.load(text, str(path)) for text, path in zip(texts, (old, new), strict=True)))
    if kinds == {"perks"}:
        return perk_changes.compare(
            *(perkfile.load(text, str(path)) for text, path in zip(texts, (old, new), strict=True))
        )
    if kinds == {"disputes"}:
        return disputefile.compare(
            *(disputefile.load(text, str(path)) for text, path in zip(texts, (old, new), strict=True))
        )
    raise NotOursError("Give two scorecards, two files of perks, or two of the clocks of disputes.")


def publish(chosen: argparse.Namespace) -> None:
    """Make a draft of a file, and say who has to do what next."""
    made = asyncio.run(_draft(_kit(chosen), chosen))
    print(made["id"])
    _tell(f"{made['kind']} {made['name']} is a {made['state']} for {made['effective_on']}; it rules nobody.")
    _tell(f"Next: osmanthus policy rehearse {made['id']} --as {chosen.client}, then somebody else approves it")
    _tell(f"(POST /v1/staff/releases/{made['id']}/approve with the report's digest).")


def rehearse(chosen: argparse.Namespace) -> None:
    """Have a draft (its id, or a file to draft first) rehearsed, watch it, and print what comes out."""
    done = asyncio.run(_rehearse(_kit(chosen), chosen))
    report = done["report"]
    for line in _summary(done, report):
        print(line)


async def _draft(kit: Mapping[str, Any], chosen: argparse.Namespace) -> dict[str, Any]:
    from api.releases import rulebook_files
    from core import clock

    path = Path(chosen.what)
    kind = chosen.kind or rulebook_files.kind_of(path)
    if kind is None:
        message = f"{path} is in no folder of the rule book: say what it is with --kind."
        raise NotOursError(message)
    day = chosen.effective_on or clock.today() + _AHEAD
    text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    body = {"kind": kind, "name": path.name, "body": text, "effective_on": day.isoformat()}
    return await _ask(kit, chosen.client, "POST", "/v1/staff/releases", body)


async def _rehearse(kit: Mapping[str, Any], chosen: argparse.Namespace) -> dict[str, Any]:
    from api.tool.progress import Bar

    identity = chosen.what
    if not identity.startswith("rl_"):
        identity = (await _draft(kit, chosen))["id"]
        _tell(f"drafted as {identity}")
    asked = await _ask(kit, chosen.client, "POST", f"/v1/staff/releases/{identity}/rehearsals", {})
    place = f"/v1/staff/rehearsals/{asked['id']}"
    with Bar("Rehearsing") as bar:
        while (now := await _ask(kit, chosen.client, "GET", place))["state"] in {"queued", "running"}:
            bar.step(now["state"], now["done"], now["total"])
            await asyncio.sleep(1)
        bar.step(now["state"], now["done"], now["total"])
    if now["state"] != "done":
        raise NotOursError("The rehearsal failed: the draft does not go with what rules beside it. Check it again.")
    if chosen.html:
        await asyncio.to_thread(chosen.html.write_text, await _page(kit, chosen.client, place), encoding="utf-8")
        _tell(f"the report is in {chosen.html}")
    return now


def _summary(done: Mapping[str, Any], report: Mapping[str, Any]) -> Iterable[str]:
    """The report in a few lines; a star is a hidden number."""
    figures = report["figures"]

    def said(value: int | None) -> str:
        return "*" if value is None else f"{value:,}"

    yield f"参加 {said(figures['people'])} 人，结果有变化 {said(figures['changed'])} 人（* 为少于10人或不公开）"
    points = figures["points"]
    yield f"分数：变少 {said(points['lower'])}，不变 {said(points['same'])}，变多 {said(points['higher'])}"
    before = dict(zip(figures["tiers"]["old"], figures["tiers"]["before"], strict=True))
    for name, after in zip(figures["tiers"]["new"], figures["tiers"]["after"], strict=True):
        yield f"{name}：{said(before.get(name, 0))} → {said(after)}"
    for perk in figures["perks"]:
        yield f"{report['perk_names'][perk['id']]}：新得到 {said(perk['gained'])}，不再有 {said(perk['lost'])}"
    yield "可能有人少得：须提前告知。" if report["may_lower"] else "没有人会少得。"
    yield f"report_digest {done['report_digest']}"


async def _page(kit: Mapping[str, Any], name: str, place: str) -> str:
    """The report's page, its stylesheet named by the server's full address."""
    answer = await _call(kit, name, "GET", f"{place}/page", None)
    return answer.text.replace('="/static/', f'="{kit["base_url"]}/static/')


async def _ask(kit: Mapping[str, Any], name: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    return (await _call(kit, name, method, path, body)).json()


async def _call(kit: Mapping[str, Any], name: str, method: str, path: str, body: object) -> Any:
    """One request; a problem becomes the command's fault, each of its lines told. Raises NotOursError."""
    from api.tool import caller

    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    headers = {} if content is None else {"Content-Type": "application/json"}
    answer = await caller.once(kit, name, method, path, content=content, headers=headers)
    if not answer.is_success:
        problem = answer.json()
        lines = [f"{problem.get('title')}: {problem.get('detail', '')}"]
        lines += [each.get("detail", "") for each in problem.get("errors", [])]
        raise NotOursError("\n".join(lines))
    return answer


def _kit(chosen: argparse.Namespace) -> dict[str, Any]:
    """The kit that signs. Raises NotOursError when it has no such client."""
    kit = json.loads(chosen.kit.read_text(encoding="utf-8"))
    if chosen.client not in kit["clients"]:
        message = f"The kit has no {chosen.client}; it has {', '.join(kit['clients'])}."
        raise NotOursError(message)
    return kit


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
