"""A visit, played: somebody of one city goes to another, and what should hold is tried and written down.

`report` prints a line for each claim. Promises: a claim that did not hold, or broke, is said, and the answer is False.
Does not promise more than it tries.
"""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from api.tool.league.cities import TICKET, TRANSIT
from api.tool.league.running import League, Running
from api.tool.league.visit import Visit, citizen
from api.tool.league.wallet import Copy, Wallet

FARE, ENTRY = 300, 8_000
_MOMENT = 2.5
_OK, _AWAY = 200, 503
_PERSONAL = {"decision_id", "valid_until", "receipt"}
_HIGH, _LOW = "high", "clean_no_records"
Say = Callable[[str], None]
Claim = tuple[str, Callable[[Visit], Awaitable[bool]]]


async def transit(visit: Visit) -> bool:
    """The ordinary reduction, on the host's own terms."""
    await visit.draw(_HIGH, visit.wallet)
    told = await visit.use("metro", TRANSIT, FARE)
    return bool(told["result"] == "granted" and told["waived_amount"] > 0)


async def tourism(visit: Visit) -> bool:
    """Another merchant, another copy."""
    return (await visit.use("old-town", TICKET, ENTRY))["result"] == "granted"


async def modest(visit: Visit) -> bool:
    """Who reached the first step at home has what the first step is worth here, and no more."""
    await visit.draw(_LOW, visit.modest)
    lesser = await visit.use("metro", TRANSIT, FARE, wallet=visit.modest)
    greater = await visit.use("old-town", TICKET, ENTRY, wallet=visit.modest)
    return (lesser["result"], greater["result"]) == ("granted", "standard_route")


async def once(visit: Visit) -> bool:
    """The copy that was shown at the metro is shown again."""
    used = next(copy for copy in visit.wallet.copies if copy.used)
    return (await visit.use("metro", TRANSIT, FARE, copy=used))["result"] == "standard_route"


async def alike(visit: Visit) -> bool:
    """A used copy, too little, nothing at all: but for ids, times and receipt the merchant gets the same bytes."""
    used = next(copy for copy in visit.wallet.copies if copy.used)
    empty = Copy(used.key, f"{used.issued}~")
    heard = [
        await visit.use("old-town", TICKET, ENTRY, copy=used),
        await visit.use("old-town", TICKET, ENTRY, wallet=visit.modest),
        await visit.use("old-town", TICKET, ENTRY, copy=empty),
    ]
    return len({_impersonal(one) for one in heard}) == 1


async def cut(visit: Visit) -> bool:
    """Home is cut off and the host has not asked it for a while: 503, to be tried again, and nothing decided."""
    await _turn(visit, visit.host)  # a host that has just started knows no status list
    visit.home.cut()
    try:
        question = await visit.ask("metro", TRANSIT, FARE)
        copy = visit.wallet.fresh()
        taken = await visit.wallet.answer(question["uri"], copy=copy)
        heard = await visit.see("metro", question)
    finally:
        visit.home.heal()
    await asyncio.sleep(_MOMENT)
    again = await visit.wallet.answer(question["uri"], copy=copy)
    after = await visit.see("metro", question)
    away = (taken.status_code, heard.status_code) == (_AWAY, _AWAY)
    return away and again.status_code == _OK and after.json()["result"] == "granted"


async def cached(visit: Visit) -> bool:
    """Home is cut off again, minutes after it was heard: what it said is good for its five minutes."""
    visit.home.cut()
    try:
        return (await visit.use("metro", TRANSIT, FARE))["result"] == "granted"
    finally:
        visit.home.heal()


async def rotated(visit: Visit) -> bool:
    """Home signs by another key, which the list names beside the old one: what was given before counts, and the new."""
    visit.home.serial += 1
    await _turn(visit, visit.home)
    old = await visit.use("metro", TRANSIT, FARE)
    await visit.draw(_HIGH, visit.modest)
    new = await visit.use("metro", TRANSIT, FARE, copy=visit.modest.copies[-1])
    kids = {json.loads(_decoded(copy.issued))["kid"] for copy in (visit.wallet.copies[0], visit.modest.copies[-1])}
    return (old["result"], new["result"]) == ("granted", "granted") and len(kids) == 2  # noqa: PLR2004  (two keys)


async def unlisted(visit: Visit) -> bool:
    """A city that changes its key and tells nobody is not believed until the list says so."""
    visit.home.serial += 1
    await visit.home.stop()
    await visit.home.start(visit.league.signers)
    wallet = Wallet(visit.http)
    await visit.draw(_HIGH, wallet)
    before = await visit.use("metro", TRANSIT, FARE, wallet=wallet)
    await visit.league.agree()
    after = await visit.use("metro", TRANSIT, FARE, wallet=wallet)
    visit.wallet.copies = wallet.copies
    return (before["result"], after["result"]) == ("standard_route", "granted")


async def rolled_back(visit: Visit) -> bool:
    """An older list, and one that a single person signed, are laid before the host: it stays with what it has."""
    held = await visit.league.in_force(visit.host)
    for raw in (await visit.league.draft(seq=1), await visit.league.draft(signed_by=1)):
        visit.league.lay(visit.host, raw)
        await asyncio.sleep(_MOMENT)
        if await visit.league.in_force(visit.host) != held:
            return False
    return True


async def revoked(visit: Visit) -> bool:
    """The holder takes the consent back at home: at the host's next fetch no copy counts."""
    async with citizen(visit.home, _HIGH) as me:
        for one in (await me.get("/v1/me/consents")).json()["consents"]:
            if one["purpose"] == f"recognise:{visit.host.city.code}" and one["state"] == "given":
                await me.delete(f"/v1/me/consents/{one['id']}")
    await _turn(visit, visit.host)  # it asks anew; without that it would within five minutes
    return (await visit.use("metro", TRANSIT, FARE))["result"] == "standard_route"


async def back(visit: Visit) -> bool:
    """A citizen of the host shows the home city what the host attests: recognition goes both ways, by its own map."""
    there = Visit(visit.league, visit.http)
    there.home, there.host = visit.host, visit.home
    await there.draw(_HIGH, there.wallet)
    first = await there.use("metro", TRANSIT, FARE)
    second = await there.use("old-town", TICKET, ENTRY)
    return (first["result"], second["result"]) == ("granted", "granted")


CLAIMS: tuple[Claim, ...] = (
    ("a visitor has the transit perk", transit),
    ("and the tourism perk, at another merchant, by another copy", tourism),
    ("each step of home's scale is worth what the map says, no more", modest),
    ("a copy is good once", once),
    ("a merchant cannot tell why somebody has the standard route", alike),
    ("home is cut off: 503, never a false no; healed, the same copy counts", cut),
    ("cut off again: what home said is good for five minutes", cached),
    ("keys turn: old and new credentials count", rotated),
    ("a key that the trust list does not name counts for nothing", unlisted),
    ("an older trust list, or one of a single signer, is refused", rolled_back),
    ("home's citizens are recognised by the host's map, the host's by home's", back),
    ("whoever takes the consent back is refused at the next fetch", revoked),
)


async def report(league: League, say: Say) -> bool:
    """Try every claim in order and print what held; whether all did."""
    all_held = True
    say(f"\n  {league.cities[0].city.name} -> {league.cities[1].city.name}")
    async with httpx2.AsyncClient(timeout=30) as http:
        visit = Visit(league, http)
        for words, claim in CLAIMS:
            begun = time.monotonic()
            held, why = await _tried(claim, visit)
            all_held = all_held and held
            say(f"  {'held  ' if held else 'BROKEN'}  {time.monotonic() - begun:5.1f} s  {words}{why}")
    say(f"\n  {'Everything held.' if all_held else 'Not everything held.'}\n")
    return all_held


async def _tried(claim: Callable[[Visit], Awaitable[bool]], visit: Visit) -> tuple[bool, str]:
    try:
        return await claim(visit), ""
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what the report is for)
        return False, f": {type(error).__name__}: {error}"


async def _turn(visit: Visit, one: Running) -> None:
    """Restart a city: with the keys of its serial, and nothing in memory."""
    await one.stop()
    await one.start(visit.league.signers)
    await visit.league.agree()


def _impersonal(answer: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in answer.items() if name not in _PERSONAL})


def _decoded(token: str) -> bytes:
    head = token.partition(".")[0]
    return urlsafe_b64decode(head + "=" * (-len(head) % 4))
