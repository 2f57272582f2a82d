"""Paper: a consent's receipt in large print on A5, with a QR code, and the page on which anybody checks one.

The QR code holds the address of that page with the signed slip behind `#`: a browser keeps that part to itself, so no
server's log sees it.
"""

from typing import Any

import segno
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards, slips
from api.citizen import door
from api.deps import House, HttpRequest
from api.pages import frame, names, words
from auth.consent import ledger, terms
from core import clock, ids


@get(
    "/v1/me/consents/{consent_id:str}/receipt.html",
    summary="A consent's receipt for printing",
    tags=["citizen"],
    media_type=MediaType.HTML,
)
async def receipt(
    request: HttpRequest,
    consent_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """One A5 page in large print: what was agreed to, until when, how it is withdrawn, and how anybody checks it."""
    one = await ledger.get(session, citizen_id=caller.id, consent_id=ids.read("co", consent_id))
    address = f"{house.settings.base_url}/receipt#{slips.slip(house.ring, one)}"
    groups = await names.sources(session)
    return frame.page(
        request,
        "receipt.html",
        id=ids.show("co", one.id),
        title=await names.purpose(session, one.purpose),
        state=words.CONSENT.get(one.state, one.state),
        given_at=one.given_at,
        until=terms.last_day(one.expires_at),
        ended_at=one.ended_at,
        sources=[groups.get(source, source) for source in one.sources],
        printed=clock.civil(),
        controller=house.settings.controller,
        contact=house.settings.contact,
        at_counter=caller.actor is not None,
        qr=Markup(segno.make_qr(address, error="m").svg_inline(scale=4, border=4)),  # noqa: S704  (made here)
    )


@get("/receipt", include_in_schema=False)
async def check(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """The page that checks a paper, for everybody."""
    return frame.page(request, "receipt_check.html", contact=house.settings.contact)


handlers = [door.behind([receipt]), check]
