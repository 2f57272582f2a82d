"""The tea house: `/counter`, a page on a shop's own telephone that scans a code and shows a tick.

The telephone is opened once by a link (`api.partner.counters`) and then holds a host-only cookie, whose hash alone is
stored. It can ask about one perk at one terminal and give itself back; it never sees anything about a person, nor who
it was. The day's tally keeps itself. Whatever fails, the page says the same: the ordinary way, which is always right.
"""

import hashlib
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.response import Redirect
from msgspec import UNSET

from api import cookies, deps, problems
from api.deps import HttpRequest
from api.pages import english, frame, lending
from api.pages.lending import Lent
from api.partner import desk
from api.partner.desk import Desk
from api.partner.eligibility import Told, tell
from core import clock, ids
from core.errors import Unauthenticated
from incentives import counters
from incentives.book import perks
from incentives.counters import Counter
from incentives.eligibility import Question

_LONGEST = 256
# What a clerk reads about the perk or the code; a personal cause has no words.
_REASONS = {
    "code_expired": "这个码过期了，请顾客重新出示一次。",
    "code_used": "这个码已经用过，请顾客重新出示一次。",
    "code_not_for_you": "这个码是给别的店或别的便利的，请顾客选对再出示。",
    "amount_over_cap": "金额超过了这项便利的上限。",
    "budget_spent": "这项便利今天的名额用完了。",
    "perk_closed": "这项便利现在暂停。",
    "perk_unknown": "这项便利没有开通。",
    "terminal_unknown": "这个柜台没有登记。",
}
_CAMERA = {"Permissions-Policy": "camera=(self), geolocation=(), microphone=()"}


class Verdict(msgspec.Struct, frozen=True):
    """What the clerk sees: never a word about the person. Amounts in fen, None where no deposit is asked here."""

    decision_id: str
    granted: bool
    waived: int | None
    payable: int | None
    route: str
    why: str


class Standing:
    """A counter at this request: its desk, its cookie's secret, itself. Raises Unauthenticated where there is none."""

    def __init__(self, here: Desk, secret: str, counter: Counter) -> None:
        """`secret` is the cookie's value."""
        self.here, self.secret, self.counter = here, secret, counter

    @property
    def csrf(self) -> str:
        """What its forms must bring along; who has not the cookie cannot know it."""
        return hashlib.sha256(f"csrf {self.secret}".encode()).hexdigest()


@get("/counter")
async def see(request: HttpRequest) -> Response[str]:
    """The counter, ready for the next customer; without one, where a link opens it."""
    try:
        standing = await _standing(request)
    except Unauthenticated:
        return frame.page(request, "counter_open.html", missed=False)
    return await _page(request, standing)


@post("/counter/open", status_code=200)
async def open_it(request: HttpRequest) -> Response[Any]:
    """Use a link: this telephone is the counter from now on."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise cookies.ForeignRequest("Open the link itself.")
    here, form = await desk.of(request), await request.form()
    opened = await counters.open_by(here.gate, secret=str(form.get("secret", "")).strip())
    if opened is None:
        return frame.page(request, "counter_open.html", status=410, missed=True)
    secret, ends_at = opened
    settings = deps.house(request).settings
    left = int((ends_at - clock.wall()).total_seconds())
    kept = cookies.cookie(settings, cookies.counter_name(settings), secret, max_age=left)
    return Redirect("/counter", status_code=303, cookies=[kept])


@post("/counter/check", status_code=200)
async def check(request: HttpRequest) -> Response[str]:
    """Ask about the code that was scanned or typed; the same form sent again is the same question."""
    standing = await _standing(request)
    form, counter, here = await request.form(), standing.counter, standing.here
    code = str(form.get("code", "")).strip()[:_LONGEST]
    question = Question(counter.perk_id, code=code, amount=counter.deposit, terminal=counter.terminal)
    await here.limits.count(partner=counter.partner_id, asked=[(here.gate.digest(question), counter.terminal)])
    key = counter.key(str(form.get("key", ""))[:64])
    verdict = await here.gate.check(question, token=counter.token, key=key)
    perk = None
    if verdict.release_id is not None and verdict.reason != "perk_unknown":
        perk = await here.perk(verdict.release_id, counter.perk_id, token=counter.token)
    return await _page(request, standing, told=_verdict(tell(verdict, perk, question)))


@post("/counter/orders", status_code=200)
async def lend(request: HttpRequest) -> Response[str]:
    """Keep an order for what was just granted, and let it begin: the goods are out."""
    standing = await _standing(request)
    decision = str((await request.form()).get("decision", ""))[:64]
    lent = await lending.lend(standing.here.gate, standing.counter, decision_id=decision)
    return await _page(request, standing, lent=lent)


@post("/counter/orders/back", status_code=200)
async def take_back(request: HttpRequest) -> Response[str]:
    """The goods are back, and nothing is owed."""
    standing = await _standing(request)
    order_id = str((await request.form()).get("order", ""))[:64]
    await lending.take_back(standing.here.gate, standing.counter, order_id=order_id)
    return await _page(request, standing)


@post("/counter/leave", status_code=200)
async def leave(request: HttpRequest) -> Response[Any]:
    """Give the counter back: this telephone can do nothing from now on."""
    standing = await _standing(request)
    await counters.hand_back(standing.here.gate, session=standing.secret)
    settings = deps.house(request).settings
    gone = cookies.cookie(settings, cookies.counter_name(settings), "", max_age=0)
    return Redirect("/counter", status_code=303, cookies=[gone])


async def _standing(request: HttpRequest) -> Standing:
    """Whose telephone this is; a form must bring the counter's own token."""
    settings = deps.house(request).settings
    secret = request.cookies.get(cookies.counter_name(settings), "")
    here = await desk.of(request)
    counter = await counters.of(here.gate, session=secret) if secret else None
    if counter is None:
        raise Unauthenticated("Open the counter by its link.")
    standing = Standing(here, secret, counter)
    if request.method not in cookies.SAFE:
        await cookies.must_be_same_site(request, settings, standing.csrf)
    return standing


async def _page(
    request: HttpRequest, standing: Standing, *, told: Verdict | None = None, lent: Lent | None = None
) -> Response[str]:
    """The counter with the answer or the order just kept, if there is one, what is out, and the day so far."""
    counter, here = standing.counter, standing.here
    granted, waived, name, named = 0, 0, "", dict[str, str]()
    for release_id, often in (await counters.granted_today(here.gate, session=standing.secret)).items():
        perk = await here.perk(release_id, counter.perk_id, token=counter.token)
        granted += often
        if counter.deposit is not None:
            waived += often * perks.terms(perk, counter.deposit).waived_amount
    for one in await here.gate.perks(token=counter.token):
        if one.newest and one.perk_id == counter.perk_id:
            perk = await here.perk(one.release_id, counter.perk_id, token=counter.token)
            name, named = perk.name, {perk.name: english.called(perk.english)}
    return frame.page(
        request, "counter.html", headers=_CAMERA, counter=counter, csrf=standing.csrf, key=ids.random().hex, perk=name,
        named=named, told=told, lent=lent, out=await lending.out(here.gate, counter), granted=granted, waived=waived,
    )  # fmt: skip


def _verdict(told: Told) -> Verdict:
    return Verdict(
        told.decision_id,
        told.result == "granted",
        None if told.waived_amount is UNSET else told.waived_amount,
        None if told.payable_deposit is UNSET else told.payable_deposit,
        "" if told.terms is None else told.terms.standard_route,
        "" if told.reason is UNSET else _REASONS.get(told.reason, ""),
    )


def _answer(request: HttpRequest, error: Exception) -> Response[Any]:
    """Something stopped us: back to the start without a counter, else the ordinary way, with the API's status."""
    problem = problems.translate(error)
    said = problems.answer(request, error)
    if isinstance(problem, Unauthenticated):
        return Redirect("/counter", status_code=303)
    held = {name: value for name, value in said.headers.items() if name.lower() == "retry-after"}
    return frame.page(request, "counter_unable.html", status=problem.status, headers=held)


handlers = [
    Router(
        path="/",
        route_handlers=[see, open_it, check, lend, take_back, leave],
        exception_handlers={Exception: _answer},
        include_in_schema=False,
    )
]
