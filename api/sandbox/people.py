"""Test citizens, made at the moment they are asked for: synthetic, new each time, by the ways that everybody goes.

They arrive, consent and are written about through the same rooms as anybody; only who proves their name is the sandbox.
ID numbers begin with 990000, a region that does not exist. Promises that nobody else's test meets them. Does not
promise that a scorecard of one's own makes the same points: where it does not, OutOfReach says so.
"""

import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import date, timedelta

import msgspec

from api.citizen import agreement, notices
from api.citizen.agreement import Give, Shown
from api.deps import House
from api.sandbox import points
from api.sandbox.points import Sent
from auth import citizens, digestkeys, sessions
from auth.assurance import REAL_NAME
from auth.consent import ledger
from auth.consent.events import BY_CLOCK
from auth.consent.rows import Consent
from auth.realname import Proved
from core import clock, idnumber
from core.errors import Conflict
from incentives.book.perks import Perk
from scoring import ingest, records, rulebook, standing
from scoring.ingest import Source
from scoring.rights import disputes
from scoring.rights.objections import Said

_FIRST, _DAYS = date(1960, 1, 1), 14_000  # born until 1998: old enough for five clean years
_LIVES = timedelta(days=300)
_BELOW = {"just_below", "below"}


class OutOfReach(Conflict):
    """This sandbox cannot make such a person."""

    code = "out_of_reach"
    title = "This sandbox cannot make this test citizen"


class Person(msgspec.Struct, frozen=True):
    """A test citizen with a session of their own: `proof` opens the citizen door for them."""

    id: uuid.UUID
    id_number: str
    proof: bytes


async def make(house: House, citizen: str, perk: Perk) -> Person:
    """Make the test citizen of this name for a perk. Raises OutOfReach."""
    person = await _arrive(house)
    if citizen == "not_enrolled":
        return person
    given = await _consent(house, person, "score")
    await _send(house, person, _records(citizen, perk.threshold - await _higher(house)))
    if citizen == "open_dispute":
        await _object(house, person)
    await _look(house, person, citizen, perk)
    if citizen in {"withdrew", "consent_expired"}:
        await _end(house, given, expired=citizen == "consent_expired", proof=person.proof)
    return person


async def share(house: House, person: Person, *, partner: str, perk: str, ends: bool) -> uuid.UUID:
    """Let a partner ask about a perk, and take that back again if it `ends`; the pairwise subject."""
    given = await _consent(house, person, f"share:{partner}/{perk}")
    if ends:
        async with house.doors.work("citizen", proof=person.proof) as session:
            await agreement.end(session, house, citizen_id=person.id, consent_id=given.id)
    if given.subject is None:
        raise ValueError("a consent to share has a pairwise subject")
    return given.subject


async def _consent(house: House, person: Person, purpose: str) -> Consent:
    """Give a consent under the notice in force."""
    async with house.doors.work("citizen", proof=person.proof) as session:
        notice = await notices.in_force(session, purpose)
        asked = Give(
            purpose=purpose, notice=Shown(notice.version, notice.digest), screen="sandbox",
            optional_sources=notice.optional_sources, expires_on=clock.today() + _LIVES,
        )  # fmt: skip
        return await agreement.record(session, house, citizen_id=person.id, asked=asked)


async def _arrive(house: House) -> Person:
    """Somebody new, with a name, an ID number and a session."""
    number = _number()
    async with house.doors.work("auth") as session:
        while await citizens.find(session, house.ring, id_number=number) is not None:
            number = _number()
        proved = Proved("sandbox", secrets.token_hex(16), "沙盒测试", number, clock.wall())
        citizen_id = await citizens.arrive(session, house.ring, proved=proved)
    return Person(citizen_id, number, await session_of(house, citizen_id))


async def session_of(house: House, citizen_id: uuid.UUID) -> bytes:
    """Log a citizen of this sandbox in; the proof that opens the citizen door for them."""
    async with house.doors.work("auth") as session:
        value, _ = await sessions.begin(
            session, citizen_id=citizen_id, acr=REAL_NAME, auth_time=clock.wall(), device="沙盒"
        )
    return hashlib.sha256(value.encode()).digest()


def _number() -> str:
    born = _FIRST + timedelta(days=secrets.randbelow(_DAYS))
    return idnumber.complete(f"990000{born:%Y%m%d}{secrets.randbelow(1000):03d}")


async def _higher(house: House) -> int:
    """How much higher the scale of the scorecard in force begins than the shipped one's (tenths)."""
    async with house.doors.work("scorer") as session:
        return (await rulebook.current(session, on=clock.today())).scorecard.base - points.BASE


def _records(citizen: str, threshold: int) -> Sent:
    """What the bureaus know of them; `threshold` is on the shipped scale. Raises OutOfReach."""
    today, tag = clock.today(), secrets.token_hex(5)
    sent = points.records(_mix(citizen, threshold), today, tag)
    if citizen == "held":
        return sent | {"enforcement": points.held(today, tag)}
    if citizen == "open_dispute":
        return sent | {"enforcement": points.penalised(today, tag)}
    return sent


def _mix(citizen: str, threshold: int) -> points.Mix:
    """The records of somebody at the threshold, or so far below it. Raises OutOfReach."""
    wanted = {"just_below": (threshold - 1,), "below": range(threshold - 50, threshold - 100, -1)}
    at_least = max(threshold, points.CLEAN)
    for tenths in wanted.get(citizen, range(at_least, at_least + 50)):
        if (found := points.mix(tenths)) is not None:
            return found
    raise OutOfReach("No records that a sandbox sends make the points that this perk asks for.")


async def _send(house: House, person: Person, sent: Sent) -> None:
    """Have the bureaus send it. Raises OutOfReach for a bureau that this sandbox does not know."""
    async with house.doors.work("scorer") as session:
        keys = await digestkeys.of(session, house.ring, sent)
    if absent := sorted(sent.keys() - keys.keys()):
        detail = f"Register the sources {', '.join(absent)} in this sandbox first: `osmanthus client add`."
        raise OutOfReach(detail)
    for name, some in sent.items():
        kinds = frozenset(str(one["kind"]) for one in some)
        body = b"".join(
            msgspec.json.encode({"version": 1, "id_number": person.id_number, **one}) + b"\n" for one in some
        )
        await ingest.receive(house.doors, source=Source(name, kinds, keys[name]), body=_whole(body))


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _object(house: House, person: Person) -> None:
    async with house.doors.work("citizen", proof=person.proof) as session:
        (penalty,) = await records.of(session, house.ring, citizen_id=person.id, kind="N01", limit=1)
        await disputes.open(
            session, house.ring, citizen_id=person.id, record_id=penalty.id, reason="not_true",
            said=Said("沙盒中的示范异议。", ""),
        )  # fmt: skip


async def _look(house: House, person: Person, citizen: str, perk: Perk) -> None:
    """Raise OutOfReach unless the scorecard in force makes of them what was meant."""
    async with house.doors.work("citizen", proof=person.proof) as session:
        found, _ = await standing.of(session, house.ring, citizen_id=person.id, as_of=clock.today())
    meant = found.points < perk.threshold if citizen in _BELOW else found.points >= perk.threshold
    if not meant or found.held is not (citizen == "held"):
        raise OutOfReach("The scorecard in force makes other points of the records that a sandbox sends.")


async def _end(house: House, given: Consent, *, expired: bool, proof: bytes) -> None:
    """End the consent to points: by the citizen, or as the clock would."""
    async with house.doors.work("citizen", proof=proof) as session:
        if expired:
            await ledger.end(session, house.ring, given, "expired", act=BY_CLOCK)
        else:
            await agreement.end(session, house, citizen_id=given.citizen_id, consent_id=given.id)
