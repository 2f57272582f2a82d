"""Seeds the demo city by driving the public API over real HTTP: publish, log in, consent, push, withdraw.

Only the registration of clients is an operator's act on the database. What cannot be reached through the API does not
get into the city.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2

from api import rulebook_files
from api.tool import registration
from api.tool.caller import signed
from api.tool.citizen_app import signed_in
from api.tool.demo_city import CITIZEN_CLIENT, CLIENTS, PASSWORD, Person, people
from core import clock
from core.settings import Settings

Progress = Callable[[str, int, int], None]
_KIT_NAMES = {"staff-drafter": "staff_drafter", "staff-approver": "staff_approver"}
_LONGEST = timedelta(days=365)


class SeedingFailedError(Exception):
    """A step of the seeding was answered with an error; the message quotes it."""


def _must(answer: httpx2.Response) -> httpx2.Response:
    if not answer.is_success:
        message = f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text}"
        raise SeedingFailedError(message)
    return answer


async def run(settings: Settings, *, progress: Progress) -> dict[str, Any]:
    """Make the city; its kit (see docs). `progress(label, done, total)` is told of each step. SeedingFailedError."""
    everybody = people(clock.today())
    steps = [
        _publish,
        *(_joins(one) for one in everybody if one.joins),
        _push,
        *(_leaves(one) for one in everybody if one.leaves),
    ]
    progress("registering clients", 0, len(steps) + 1)
    kit = await _register(settings, everybody)
    for done, step in enumerate(steps, start=1):
        progress(getattr(step, "label", step.__name__.strip("_")), done, len(steps) + 1)
        await step(kit)
    progress("ready", len(steps) + 1, len(steps) + 1)
    return kit


async def _register(settings: Settings, everybody: list[Person]) -> dict[str, Any]:
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
        "citizens": [_entry(person) for person in everybody],
    }


def _entry(person: Person) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "login": person.login,
        "password": PASSWORD if person.login else None,
        "name": person.name,
        "id_number": person.id_number,
        "note": person.note,
    }
    return entry | ({"card_no": person.card_no} if person.card_no else {})


async def _publish(kit: dict[str, Any]) -> None:
    """Draft every shipped file as one clerk and approve it as another."""
    today = clock.today().isoformat()
    drafter, approver = signed(kit, "staff-drafter"), signed(kit, "staff-approver")
    async with httpx2.AsyncClient(base_url=kit["base_url"], timeout=60) as http:
        for file in rulebook_files.shipped_files():
            body = {"kind": file.kind, "name": file.name, "body": file.body, "effective_on": today}
            drafted = _must(await http.post("/v1/staff/releases", json=body, auth=drafter)).json()
            _must(await http.post(f"/v1/staff/releases/{drafted['id']}/approve", auth=approver))


def _joins(person: Person) -> Callable[[dict[str, Any]], Any]:
    async def join(kit: dict[str, Any]) -> None:
        async with signed_in(kit["base_url"], kit["citizen_client"], login=person.login or "", password=PASSWORD) as me:
            notice = _must(await me.get("/v1/rules/notices/score/1")).json()
            body = {
                "purpose": "score",
                "notice": {"version": notice["version"], "digest": notice["digest"]},
                "optional_sources": notice["optional_sources"],
                "expires_on": (clock.today() + _LONGEST).isoformat(),
            }
            _must(await me.post("/v1/me/consents", json=body))

    join.label = f"{person.name} joins"  # type: ignore[attr-defined]
    return join


def _leaves(person: Person) -> Callable[[dict[str, Any]], Any]:
    async def leave(kit: dict[str, Any]) -> None:
        async with signed_in(kit["base_url"], kit["citizen_client"], login=person.login or "", password=PASSWORD) as me:
            for one in _must(await me.get("/v1/me/consents")).json()["consents"]:
                if one["state"] == "given":
                    _must(await me.delete(f"/v1/me/consents/{one['id']}"))

    leave.label = f"{person.name} leaves"  # type: ignore[attr-defined]
    return leave


async def _push(kit: dict[str, Any]) -> None:
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
