"""May this holder have this perk? One statement on the partner door, one decision, one entry that the holder reads.

Promises: a partner learns granted or standard route and, of personal causes, nothing: every one of them walks the same
statement, writes the same rows and carries the same signature. An impersonal reason (about the perk, the request or the
code) is named. A code is consumed by a unique insert inside the statement, so of racing checks exactly one has it. No
answer without its access row. Does not promise anything about money: a grant waives, it never pays.

`incentives.decide` is the statement (migration 0034): `check_eligibility` asks it one question, `check_eligibilities`
many, and an order its own. It proves the caller by the hash of its live token, so this module never says who is asking.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from core import ids, sealed
from core.errors import Unauthenticated
from incentives import codes, repeats

_CHECK = "select * from incentives.check_eligibility($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
_PERKS = "select * from incentives.perks_of_caller($1)"
_CHECK_ALL = "select * from incentives.check_eligibilities($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
_ENDED = "select * from incentives.ended_shares($1, $2, $3, $4)"
_NOBODY = uuid.UUID(int=0)


class TokenDead(Unauthenticated):
    """The access token was revoked, has expired, or its client may not ask (RFC 6750, section 3.1)."""

    code = "invalid_token"
    title = "The access token is not valid"


class Question(msgspec.Struct, frozen=True):
    """What a partner asks: a perk, a holder by code or by pairwise subject, fen, where, and which plate leaves."""

    perk: str
    code: str | None = None
    subject: str | None = None
    amount: int | None = None
    terminal: str | None = None
    plate: str | None = None

    def presented(self) -> str:
        """The code or subject as it came; it may be anything, an ID number too."""
        return self.code if self.code is not None else self.subject or ""


class Verdict(msgspec.Struct, frozen=True):
    """What was decided. `reason` is impersonal; `release_id` is the release that says the perk's terms, if any."""

    partner_id: str
    decision_id: uuid.UUID
    granted: bool
    reason: str | None
    at: datetime
    valid_until: datetime
    release_id: uuid.UUID | None
    replayed: bool


class Published(msgspec.Struct, frozen=True):
    """A release that says or said a perk's terms; `newest` is the one in force."""

    perk_id: str
    release_id: uuid.UUID
    name: str
    body: str
    newest: bool


class Ended(msgspec.Struct, frozen=True):
    """A standing consent that ended: by the pairwise subject that the partner knows, and the perk."""

    subject: uuid.UUID
    perk: str


class Gate:
    """The raw pool of the partner's or the city card's door, whose `fetch` serves in the order of arrival."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", key: bytes, asks: tuple[str, str] = (_CHECK, _PERKS)
    ) -> None:
        """`pool` keeps no session state between uses; `key` is the deployment's for digests of what is presented."""
        self._pool, self._key, (self._check, self._perks) = pool, key, asks

    def digest(self, question: Question) -> bytes:
        """HMAC-SHA-256 of the presented value, known or not; what limits count and what a repeat must share."""
        return sealed.digest(self._key, question.presented())

    def seal(self, text: str) -> bytes:
        """HMAC-SHA-256 of any text under the same key."""
        return sealed.digest(self._key, text)

    async def fetch(self, query: str, *given: object) -> "list[asyncpg.Record]":
        """The rows of one call of a gate function, which is a transaction of its own."""
        return await self._pool.fetch(query, *given)

    async def check(self, question: Question, *, token: bytes, key: str | None = None) -> Verdict:
        """Decide. `token` is the SHA-256 of the access token's jti, `key` an Idempotency-Key.

        A repeat of a key is answered as the first time until `valid_until` and while the consent lives; after that
        it is a new check. Raises TokenDead and IdempotencyConflict.
        """
        given = {} if key is None else shared_by_repeats(question, self.digest(question))
        if rows := await self.ask(self._check, (token, *arguments(question, key, given)), again=key is not None):
            return told(rows[0], given)
        raise dead()

    async def check_all(self, questions: Sequence[Question], *, token: bytes, key: str | None = None) -> list[Verdict]:
        """Decide many in one statement, each as `check` would decide it alone, in their order; of one code the first.

        A key is the whole list's: what differs anywhere is a conflict, and then nothing is decided.
        """
        given = [{} if key is None else self._shared_in(questions, place) for place in range(len(questions))]
        keys = [None if key is None else f"{key}\n{place}" for place in range(len(questions))]
        columns = zip(*map(arguments, questions, keys, given), strict=True)
        if not (rows := await self.ask(_CHECK_ALL, (token, *map(list, columns)), again=key is not None)):
            raise dead()
        if differ := [place for place, row in enumerate(rows) if row["first_input"] is not None]:
            raise repeats.of_list({at: (rows[at]["first_input"], given[at]) for at in differ})
        return [_verdict(row) for row in rows]

    def _shared_in(self, questions: Sequence[Question], place: int) -> dict[str, object]:
        """What a repeat of a list must share at a place: the question, and how many there are."""
        question = questions[place]
        return {**shared_by_repeats(question, self.digest(question)), "of": len(questions)}

    async def perks(self, *, token: bytes) -> list[Published]:
        """Every release with terms of a perk of the caller, newest first per perk; nothing for a dead token."""
        return [Published(*row) for row in await self.fetch(self._perks, token)]

    async def ended(self, *, token: bytes, day: date, after: uuid.UUID | None, most: int) -> "tuple[date, list[Ended]]":
        """The city's today, and up to `most` standing consents with the caller that ended on `day`, by subject.

        Nothing before the day is over. Each citizen reads in their accesses that the partner was told. TokenDead.
        """
        if not (rows := await self.fetch(_ENDED, token, day, after, most)):
            raise dead()
        found = [Ended(row["subject"], row["perk"]) for row in rows if row["subject"] is not None]
        return rows[0]["today"], sorted(found, key=lambda one: one.subject)

    async def ask(self, statement: str, given: tuple[object, ...], *, again: bool) -> "list[asyncpg.Record]":
        """The rows of a check; none for a dead token or a spent proof. `again`: once more when its key won a race."""
        try:
            return await self.fetch(statement, *given)
        except asyncpg.UniqueViolationError:
            if not again:
                raise
            return await self.ask(statement, given, again=False)  # its key won a race: there is what to repeat


def dead() -> TokenDead:
    """The refusal of a token without a live row."""
    return TokenDead("Ask for a new access token.")


def arguments(question: Question, key: str | None, given: dict[str, object]) -> tuple[object, ...]:
    """What the statement is told of one question."""
    decision = ids.random()
    return (
        question.perk,
        None if question.code is None else codes.digest(question.code),
        None if question.code is not None else subject_id(question.subject or ""),
        question.amount,
        question.terminal,
        key,
        msgspec.json.encode(given).decode(),
        decision,
        ids.show("dc", decision),
        ids.new(),
    )


def told(row: "asyncpg.Record", given: dict[str, object]) -> Verdict:
    """The verdict of a check alone. Raises IdempotencyConflict."""
    if row["first_input"] is not None:
        raise repeats.conflict(row["first_input"], given)
    return _verdict(row)


def _verdict(row: "asyncpg.Record") -> Verdict:
    return Verdict(*(row[name] for name in Verdict.__struct_fields__))


def subject_id(text: str) -> uuid.UUID:
    """The pairwise id behind the text; one that nobody has for what is no id at all, so that the two answer alike."""
    try:
        return ids.read("su", text)
    except ids.NotFound:
        return _NOBODY


def shared_by_repeats(question: Question, holder: bytes) -> dict[str, object]:
    """What a repeat of a key must share; `holder` is the digest of what was presented."""
    given: dict[str, object | None] = {"perk": question.perk, "holder": holder.hex(), "amount": question.amount}
    given |= {"terminal": question.terminal, "plate_digest": question.plate}
    return {name: value for name, value in given.items() if value is not None}
