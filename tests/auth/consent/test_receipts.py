"""A receipt holds the whole record of ISO/IEC TS 27560, says what happened, and anybody can check it offline."""

import base64
import hashlib
import json
import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger, receipts, rows
from auth.consent.events import Act
from auth.consent.receipts import Receipt
from auth.consent.rows import Consent
from core import clock, db, ids
from core.keys import Keyring
from tests.conftest import PREFIX
from tests.scoringworld import processing

MANDATORY = {
    "schema_version", "record_id", "pii_principal_id", "privacy_notice", "language", "purpose", "pii_information",
    "pii_controllers", "storage_locations", "retention_period", "jurisdiction", "recipient_third_parties",
    "withdrawal_method", "parties", "events",
}  # fmt: skip
OF_PARTIES = {"party_id", "party_name", "party_address", "party_contact", "party_type", "party_role"}
OF_EVENTS = {"event_time", "validity_duration", "entity_id", "event_type", "event_state"}
ACT = Act(channel="page", acr=3, auth_time=clock.wall(), evidence={"screen": "join.html", "ticks": ["library"]})


async def _give(session: AsyncSession, ring: Keyring, citizen: uuid.UUID, purpose: str = "score") -> Consent:
    return await ledger.give(
        session,
        ring,
        citizen_id=citizen,
        purpose=purpose,
        notice_version=1,
        notice_digest="ab" * 32,
        expires_on=clock.today() + timedelta(days=100),
        processing=processing(purpose),
        source_digests={"utilities": citizen.bytes * 2, "library": citizen.bytes * 2} if purpose == "score" else None,
        shared=purpose.startswith("share:"),
        act=ACT,
    )


def opened(ring: Keyring, receipt: str) -> dict[str, Any]:
    """What is signed, by the public key and by plain JSON alone."""
    with pytest.warns(SecurityWarning, match="RFC 9864"):
        found = jws.deserialize_compact(receipt, ring.ed25519("rcpt-1"), algorithms=["EdDSA"])
    return json.loads(found.payload)


class TestRecord:
    """The record inside."""

    async def test_every_mandatory_field_is_there(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """ISO/IEC TS 27560: header, processing, parties, events; none of them empty but the recipients."""
        record = opened(ring, (await _give(citizen_session, ring, somebody)).receipt)["record"]
        assert set(record) >= MANDATORY
        assert [name for name in MANDATORY - {"recipient_third_parties", "pii_information"} if not record[name]] == []
        assert all(set(party) == OF_PARTIES for party in record["parties"])
        assert all(set(event) >= OF_EVENTS for event in record["events"])

    async def test_its_hash_can_be_recomputed_without_our_code(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """SHA-256 over sorted JSON without blanks (RFC 8785); another record has another hash."""
        body = opened(ring, (await _give(citizen_session, ring, somebody)).receipt)
        plain = json.dumps(body["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(plain.encode()).hexdigest() == body["record_hash"]
        assert hashlib.sha256(plain.replace("score", "other").encode()).hexdigest() != body["record_hash"]

    async def test_it_is_what_the_published_schema_says(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """Read strictly; a receipt without a mandatory field is none."""
        body = opened(ring, (await _give(citizen_session, ring, somebody)).receipt)
        assert msgspec.convert(body, Receipt).record.purpose.code == "score"
        required = receipts.schema()["$defs"]["Record"]["required"]
        assert set(required) >= MANDATORY
        del body["record"]["jurisdiction"]
        with pytest.raises(msgspec.ValidationError, match="jurisdiction"):
            msgspec.convert(body, Receipt)

    async def test_how_it_was_agreed_to_is_kept(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """Channel, assurance, the time of the login, the screen and its ticks."""
        kept = opened(ring, (await _give(citizen_session, ring, somebody)).receipt)["record"]["additions"]
        assert (kept["channel"], kept["acr"], kept["sources"]) == ("page", 3, ["library", "utilities"])
        assert kept["ui_evidence"] == {"screen": "join.html", "ticks": ["library"]}

    async def test_it_names_nobody(self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID) -> None:
        """Not even by our own id."""
        citizen = somebody
        text = json.dumps(opened(ring, (await _give(citizen_session, ring, citizen)).receipt))
        assert str(citizen) not in text
        assert ids.show("cz", citizen) not in text

    async def test_the_recipients_copy_lacks_what_is_the_citizens(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """The partner sees the record and its own pairwise id, not the login nor the screen."""
        given = await _give(citizen_session, ring, somebody, "share:a/library.deposit-free")
        assert given.processing is not None
        assert given.subject is not None
        theirs = receipts.for_recipient(ring, rows.record_of(given, given.processing), at=given.given_at)
        record = opened(ring, theirs)["record"]
        assert "additions" not in record
        assert record["pii_principal_id"] == ids.show("su", given.subject)
        assert record["events"][0]["event_type"] == "separate"


class TestReissue:
    """A new receipt at every change of state."""

    async def test_each_change_is_signed_anew_and_the_older_ones_stay(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """Given, a source dropped, withdrawn, erased: four receipts, each with all events so far."""
        citizen = somebody
        given = await _give(citizen_session, ring, citizen)
        mine = {"citizen_id": citizen, "consent_id": given.id}
        await ledger.drop_source(citizen_session, ring, **mine, source="library", core=["utilities"])
        await ledger.withdraw(citizen_session, ring, **mine)
        await ledger.erased(citizen_session, ring, citizen_id=citizen, purpose="score")
        last = await ledger.get(citizen_session, **mine)
        states = ["given", "source_dropped", "withdrawn", "erased"]
        assert [state for state, _, _ in last.receipts] == states
        for turn, (_, _, receipt) in enumerate(last.receipts):
            happened = [event["event_state"] for event in opened(ring, receipt)["record"]["events"]]
            assert happened == states[: turn + 1]
        assert last.receipt == last.receipts[-1][2]
        assert opened(ring, last.receipt)["record"]["additions"]["sources"] == ["utilities"]

    async def test_a_renewal_names_what_it_takes_the_place_of(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """The older consent is superseded, and its own last receipt says so."""
        citizen = somebody
        first = await _give(citizen_session, ring, citizen)
        second = await _give(citizen_session, ring, citizen)
        older = await ledger.get(citizen_session, citizen_id=citizen, consent_id=first.id)
        assert (older.state, older.receipts[-1][0]) == ("superseded", "superseded")
        record = opened(ring, second.receipt)["record"]
        assert record["events"][0]["event_state"] == "renewed"
        assert record["additions"]["supersedes"] == ids.show("co", first.id)

    async def test_an_altered_receipt_is_refused(
        self, citizen_session: AsyncSession, ring: Keyring, somebody: uuid.UUID
    ) -> None:
        """One changed letter and the signature is wrong."""
        head, body, signature = (await _give(citizen_session, ring, somebody)).receipt.split(".")
        text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"P100D", b"P900D")
        assert b"P900D" in text
        forged = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
        with pytest.warns(SecurityWarning), pytest.raises(Exception, match="bad_signature"):
            jws.deserialize_compact(f"{head}.{forged}.{signature}", ring.ed25519("rcpt-1"), algorithms=["EdDSA"])


class TestAppendOnly:
    """Nobody rewrites what happened."""

    async def test_no_door_changes_an_event(self, owner_session: AsyncSession) -> None:
        """Insert and select at most, whatever the door."""
        may = "has_table_privilege(:role, 'auth.consent_event', 'update, delete, truncate')"
        columns = "has_any_column_privilege(:role, 'auth.consent_event', 'update')"
        for role in [db.role(PREFIX, door) for door in db.DOORS] + [f"{PREFIX}_gate"]:
            assert await owner_session.scalar(text(f"select {may} or {columns}"), {"role": role}) is False, role
