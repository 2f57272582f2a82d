"""The demo's trust list: signed by two made-up persons whose keys are beside the demo's other secrets.

Promises: every start of a demo has a list that is good for a week, with the neighbour at the demo's present address.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from api.deps import House
from api.sandbox import neighbour
from api.tool.trusting import DAY, signing
from core import clock
from incentives.recognition import trust
from incentives.recognition.trust import Entry
from incentives.visitors import lists, rootkeys

COPIES = 12
_ISSUER = "https://league.example"


async def refresh(house: House, folder: Path, entries: Sequence[Entry] = ()) -> None:
    """Sign and take in a new list, of the neighbour and `entries`, which replaces the one before."""
    now = int(clock.wall().timestamp())
    secret = json.loads(await asyncio.to_thread((folder / "trust-keys.json").read_text, encoding="utf-8"))
    keys = [ECKey.import_key(one) for one in secret]
    async with house.doors.work("jobs") as session:
        held = await lists.newest(session)
        seq = 1 if held is None else trust.unread(held).seq + 1
        body = trust.Body(_ISSUER, now, now + trust.DAYS * DAY, seq, (neighbour.entry(house), *entries))
        raw = trust.sign(body, [(str(key.kid), signing(key)) for key in keys])
        await lists.take(session, raw, await rootkeys.read(house.settings.trust_signers))


def with_credentials(kit: dict[str, Any], house: House) -> dict[str, Any]:
    """The kit with fresh copies of a credential for its visitor: a copy is shown once, and lives 30 days."""
    citizens = [
        one | {"credentials": neighbour.copies(house, number=COPIES)} if one["note"] == "visitor" else one
        for one in kit["citizens"]
    ]
    return kit | {"citizens": citizens}
