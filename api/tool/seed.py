"""Seeds the demo city by driving the public API over real HTTP: publish, log in, consent, push, withdraw.

Only the registration of clients is an operator's act on the database. What cannot be reached through the API does not
get into the city.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from api.releases import rulebook_files
from api.tool import demo_orders, registration
from api.tool.caller import signed
from api.tool.citizen_app import signed_in
from api.tool.demo_city import CARDS, CITIZEN_CLIENT, CLIENTS, COUNTER, PASSWORD, Person, entries, people
from core import clock
from core.settings import Settings
from incentives.book import perkfile

Progress = Callable[[str, int, int], None]
Kit = dict[str, Any]
Step = Callable[[Kit], Awaitable[None]]
_ASSESSMENTS = "/v1/staff/impact-assessments"
_LONGEST = timedelta(days=365)


class SeedingFailedError(Exception):
    """A step of the seeding was answered with an error; the message quotes it."""


def _must(answer: httpx2.Response) -> httpx2.Response:
    if not answer.is_success:
        message = f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text}"
        raise SeedingFailedError(message)
    return answer


async def run(settings: Settings, *, progress: Progress) -> Kit:
    """Make the city; its kit (see docs). `progress(label, done, total)` is told of each step. SeedingFailedError."""
    everybody = people(clock.today())
    steps: list[tuple[str, Step]] = [
        ("assessing the impact", partial(_assess, settings)),
        ("publishing the rule book", partial(_publish, settings.policy_dir)),
        *((f"{one.name} joins", _joins(one)) for one in everybody if one.joins),
        ("bureaus send records", _push),
        *((f"{one.name} objects", _objects(one)) for one in everybody if one.note == "open_dispute"),
        *((f"{one.name} declares", _declares(one)) for one in everybody if one.note == "declared"),
        *((f"{one.name} leaves", _leaves(one)) for one in everybody if one.leaves),
        ("the card company registers cards", _cards),
        ("partners open orders", demo_orders.seed),
    ]
    progress("registering clients", 0, len(steps))
    kit = await _register(settings)
    for done, (label, step) in enumerate(steps):
        progress(label, done, len(steps))
        await step(kit)
    progress("ready", len(steps), len(steps))
    return kit


async def _register(settings: Settings) -> dict[str, Any]:
    redirect = f"{settings.base_url}/app/callback"
    clients: dict[str, Any] = {}
    for one in CLIENTS:
        clients[one.client_id] = await registration.add(
            settings,
            client_id=one.client_id,
            role=one.role,
            name=one.name,
            scopes=one.scopes,
            kinds=one.kinds,
            perks=one.perks,
            redirect_uris=[f"https://{one.client_id}.example/back"] if one.role == "partner" else [],
            contact="电话 0000-54321（示范）" if one.role == "partner" else "",
        )
    await registration.add(
        settings,
        client_id=CITIZEN_CLIENT,
        role="citizen",
        name="桂花分市民应用（示范）",
        scopes=["me"],
        redirect_uris=[redirect],
    )
    return {
        "base_url": settings.base_url,
        "issuer": settings.base_url,
        "clients": clients,
        "citizen_client": {"client_id": CITIZEN_CLIENT, "redirect_uri": redirect, "scope": "me"},
        "citizens": entries(clock.today()),
    }


async def _assess(settings: Settings, kit: Kit) -> None:
    """Weigh first what is to go live: the city, its perks, everybody connected (made-up documents)."""
    perks_of = [
        perk.id
        for file in rulebook_files.shipped(settings.policy_dir)
        if file.kind == "perks"
        for perk in perkfile.load(file.body, file.name)
    ]
    subjects = [("city", settings.city_code), *(("perk", one) for one in perks_of)]
    subjects += [("partner", one.client_id) for one in CLIENTS if one.role != "staff"]
    drafter, approver = signed(kit, "staff-drafter"), signed(kit, "staff-approver")
    async with httpx2.AsyncClient(base_url=kit["base_url"], timeout=60) as http:
        for kind, subject in subjects:
            body = {
                "subject_kind": kind,
                "subject": subject,
                "document": hashlib.sha256(f"{kind} {subject}".encode()).hexdigest(),
                "risks": "示范：合作方可得知一人是否达到一个门槛。",
                "measures": "示范：只答「可享受」或「标准路径」；逐次记录，本人可见。",
                "valid_until": (clock.today() + 3 * _LONGEST).isoformat(),
            }
            drafted = _must(await http.post(_ASSESSMENTS, json=body, auth=drafter)).json()
            decide = f"{_ASSESSMENTS}/{drafted['id']}/decide"
            _must(await http.post(decide, json={"approved": True}, auth=approver))


async def _publish(book: Path, kit: Kit) -> None:
    """Draft every shipped file as one clerk and approve it as another."""
    today = clock.today().isoformat()
    drafter, approver = signed(kit, "staff-drafter"), signed(kit, "staff-approver")
    async with httpx2.AsyncClient(base_url=kit["base_url"], timeout=60) as http:
        for file in rulebook_files.shipped(book):
            body = {"kind": file.kind, "name": file.name, "body": file.body, "effective_on": today}
            drafted = _must(await http.post("/v1/staff/releases", json=body, auth=drafter)).json()
            _must(await http.post(f"/v1/staff/releases/{drafted['id']}/approve", auth=approver))


async def _cards(kit: Kit) -> None:
    """A small stock: a gate may then be tried by hand (docs/citycard.md)."""
    lines = "".join(json.dumps({"card_no": number}) + "\n" for number in CARDS)
    async with httpx2.AsyncClient(base_url=kit["base_url"], auth=signed(kit, "city-card"), timeout=60) as http:
        headers = {"Content-Type": "application/x-ndjson"}
        _must(await http.post("/v1/citycard/cards", content=lines.encode(), headers=headers))


def _joins(person: Person) -> Step:
    async def join(kit: Kit) -> None:
        async with _me(kit, person) as me:
            for purpose in ("score", *(f"share:{one}" for one in person.shares)):
                notice = _must(await me.get(f"/v1/rules/notices/{purpose.partition(':')[0]}/1")).json()
                body = {
                    "purpose": purpose,
                    "notice": {"version": notice["version"], "digest": notice["digest"]},
                    "optional_sources": notice["optional_sources"],
                    "expires_on": (clock.today() + _LONGEST).isoformat(),
                }
                _must(await me.post("/v1/me/consents", json=body))

    return join


@asynccontextmanager
async def _me(kit: Kit, person: Person) -> AsyncGenerator[httpx2.AsyncClient]:
    """`/v1/me` of a person: by their app, or at a counter for who has a card and no telephone."""
    if person.login is not None:
        async with signed_in(kit["base_url"], kit["citizen_client"], login=person.login, password=PASSWORD) as me:
            yield me
        return
    office = signed(kit, COUNTER)
    card = {"card_no": person.card_no, "pin": person.pin}
    read = {"name": person.name, "number": person.id_number}
    came = {"clerk": "0001", "face_compared": True, "id_card": read, "card": card}
    asked = {"clerk": "0001", "purpose": "consent", "holder": card}
    async with httpx2.AsyncClient(base_url=kit["base_url"], auth=office, timeout=60) as http:
        _must(await http.post("/v1/staff/people", json=came))
        opened = _must(await http.post("/v1/staff/assisted-sessions", json=asked)).json()
        async with httpx2.AsyncClient(
            base_url=kit["base_url"], auth=office.holding(opened["access_token"]), timeout=60
        ) as me:
            yield me
        _must(await http.delete(f"/v1/staff/assisted-sessions/{opened['id']}"))


def _objects(person: Person) -> Step:
    async def object_(kit: Kit) -> None:
        async with _me(kit, person) as me:
            held = _must(await me.get("/v1/me/records", params={"kind": "N01"})).json()["records"]
            body = {"record": held[0]["id"], "reason": "not_true", "words": "当天我不在现场，店铺已转让他人。"}
            _must(await me.post("/v1/me/disputes", json=body, headers={"Idempotency-Key": "demo-objection"}))

    return object_


def _declares(person: Person) -> Step:
    async def declare(kit: Kit) -> None:
        async with _me(kit, person) as me:
            pledge = _must(await me.get("/v1/rules/promises")).json()["declaration"]["pledge"]["version"]
            body = {
                "kind": "P14",
                "source": "civic",
                "title": "示范市优秀志愿者",
                "happened_on": (clock.today() - timedelta(days=60)).isoformat(),
                "evidence": "证书在市文明办备案，编号 2026-0118。",
                "pledge": pledge,
            }
            _must(await me.post("/v1/me/declarations", json=body, headers={"Idempotency-Key": "demo-declaration"}))

    return declare


def _leaves(person: Person) -> Step:
    async def leave(kit: Kit) -> None:
        async with _me(kit, person) as me:
            for one in _must(await me.get("/v1/me/consents")).json()["consents"]:
                if one["state"] == "given":
                    _must(await me.delete(f"/v1/me/consents/{one['id']}"))

    return leave


async def _push(kit: Kit) -> None:
    """Each bureau sends what it knows, about everybody; the house keeps what was consented to."""
    lines: dict[str, list[bytes]] = {}
    for person in people(clock.today()):
        for source, records in person.records.items():
            lines.setdefault(source, []).extend(
                json.dumps({"version": 1, "id_number": person.id_number, **one}, ensure_ascii=False).encode()
                for one in records
            )
    async with httpx2.AsyncClient(base_url=kit["base_url"], timeout=60) as http:
        for source, some in lines.items():
            answer = await http.post(
                "/v1/source/records",
                content=b"\n".join(some) + b"\n",
                headers={"Content-Type": "application/x-ndjson"},
                auth=signed(kit, source),
            )
            if rejected := _must(answer).json()["rejected"]:
                message = f"{source}: {rejected[0]}"
                raise SeedingFailedError(message)
