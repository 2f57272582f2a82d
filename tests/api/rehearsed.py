"""A draft on its way through a rehearsal, as tests walk it."""

from datetime import date, timedelta
from typing import Any

from api.releases import rehearsing
from core import clock
from core.settings import ROOT
from tests.api.shopworld import Shop

CARD = (ROOT / "policy" / "scorecard" / "2026-01-01.toml").read_text()
STRICTER = CARD.replace('name = "银"\nfrom = 120', 'name = "银"\nfrom = 125')
KINDER = CARD.replace('name = "银"\nfrom = 120', 'name = "银"\nfrom = 115')
LATER = clock.today() + timedelta(days=8)


async def drafted(office: Shop, body: str = STRICTER, *, on: date = LATER, **more: Any) -> Any:
    """A draft of a scorecard."""
    said = {"kind": "scorecard", "name": f"{on}.toml", "body": body, "effective_on": on.isoformat(), **more}
    answer = await office.callers["s_drafter"].request("POST", "/v1/staff/releases", json=said)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def rehearsed(office: Shop, release: Any) -> Any:
    """Its rehearsal, done."""
    answer = await office.callers["s_drafter"].request("POST", f"/v1/staff/releases/{release['id']}/rehearsals")
    assert answer.status_code == 202, answer.text
    while await rehearsing.once(office.house):
        pass
    return (await office.callers["s_approver"].request("GET", f"/v1/staff/rehearsals/{answer.json()['id']}")).json()


async def approved(office: Shop, release: Any, seen: str | None, by: str = "s_approver") -> Any:
    """The answer to an approval by somebody who names a report."""
    body = {} if seen is None else {"rehearsal": seen}
    return await office.callers[by].request("POST", f"/v1/staff/releases/{release['id']}/approve", json=body)
