"""`/desk/matters/{kind}/{id}`: opening what a citizen wrote, for a reason that they read, and taking the next step.

Nothing is shown before the clerk says why; opening is a form, so that no link from elsewhere opens anything in a
clerk's name. Each step is the API's own call with the clerk whom the login proved.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from api import deps, refused, workpages
from api.deps import House, HttpRequest
from api.desk import charges, frame
from api.desk.home import QUEUES
from api.pages.names import PURPOSES
from api.pages.rights import ABOUT
from api.proofs import insufficient_scope
from api.seated import Seated
from api.staff import disputes, repairs, reviews
from api.staff.orders import Decision
from core.errors import NotFound
from scoring.rights.disputing import DISPUTE, REASONS
from scoring.rights.marks import MATTERS

_SHAPES: Mapping[str, dict[str, type[msgspec.Struct]]] = {
    "disputes": {"steps": disputes.Step, "pending": disputes.Pending},
    "orders": {"decision": Decision},
    "repairs": {"check": repairs.Check, "extend": repairs.Decide, "approve": repairs.Decide, "refuse": repairs.Refuse},
    "reviews": {"answer": reviews.Answer},
    "corrections": {"send": reviews.Send, "answer": reviews.Answer},
}
_OPEN: Mapping[str, Callable[..., Awaitable[Any]]] = {
    "disputes": disputes.one.fn, "repairs": repairs.one_repair.fn, "reviews": reviews.one_review.fn,
    "corrections": reviews.one_correction.fn, "orders": charges.read,
}  # fmt: skip
_STEPS: Mapping[tuple[str, str], Callable[..., Awaitable[Any]]] = {
    ("disputes", "steps"): disputes.step.fn,
    ("disputes", "pending"): disputes.pending.fn,
    ("orders", "decision"): charges.decide,
    ("repairs", "check"): repairs.check.fn,
    ("repairs", "extend"): repairs.extend.fn,
    ("repairs", "approve"): repairs.approve.fn,
    ("repairs", "refuse"): repairs.refuse.fn,
    ("reviews", "answer"): reviews.answer_review.fn,
    ("corrections", "send"): reviews.send_correction.fn,
    ("corrections", "answer"): reviews.answer_correction.fn,
}
_STEP_NAMES = {one.name: one.chinese for one in DISPUTE.events}


@get("/desk/matters/{kind:str}/{matter_id:str}")
async def ask(
    request: HttpRequest,
    kind: FromPath[str],
    matter_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Why do you look? Nothing is read yet."""
    title = await _must_be(request, kind, caller)
    return frame.page(request, "why.html", caller, kind=kind, title=title, matter_id=matter_id, purposes=_purposes())


@post("/desk/matters/{kind:str}/{matter_id:str}", status_code=200)
async def open_one(
    request: HttpRequest, kind: FromPath[str], matter_id: FromPath[str], caller: NamedDependency[Seated]
) -> Response[str]:
    """The matter with its words; its citizen reads who opened it, and why."""
    await _must_be(request, kind, caller)
    house, why = deps.house(request), await frame.purpose(request, frame.MATTER_PURPOSES)
    async with _session(house, kind) as session:
        found = await _OPEN[kind](matter_id, session, house, caller, frame.clerk(caller), why)
        return _page(request, caller, kind, found, why)


@post("/desk/matters/{kind:str}/{matter_id:str}/{step:str}", status_code=200)
async def act(
    request: HttpRequest,
    kind: FromPath[str],
    matter_id: FromPath[str],
    step: FromPath[str],
    caller: NamedDependency[Seated],
) -> Response[str]:
    """Take a step, with reasons where the citizen is to read them."""
    await _must_be(request, kind, caller)
    if (taking := _STEPS.get((kind, step))) is None:
        raise NotFound
    house, why = deps.house(request), await frame.purpose(request, frame.MATTER_PURPOSES)
    who: dict[str, Any] = {"clerk": frame.clerk(caller), "purpose": why}
    if step == "pending" and not (await request.form()).get("matter"):
        who["matter"] = None  # it is over
    sent = charges.sent(request, **who) if kind == "orders" else workpages.sent(request, _SHAPES[kind][step], **who)
    said = await sent
    async with _session(house, kind) as session:
        return _page(request, caller, kind, await taking(matter_id, said, session, house, caller), why, done=True)


def _page(
    request: HttpRequest, caller: Seated, kind: str, found: Any, why: str, *, done: bool = False
) -> Response[str]:
    return frame.page(
        request, f"{'matter' if kind in {'reviews', 'corrections'} else kind}.html", caller, kind=kind,
        title=QUEUES[kind][0], one=found, why=why, why_said=PURPOSES[why], done=done, steps=_steps(kind, found),
        reasons=REASONS, events=_STEP_NAMES, about=ABOUT, state=DISPUTE.chinese, matters=MATTERS,
        charge=charges.told(found) if kind == "orders" else None,
    )  # fmt: skip


def _steps(kind: str, found: Any) -> list[str]:
    """What a clerk may do with a dispute now."""
    return list(DISPUTE.allowed(found.state, by="staff")) if kind == "disputes" else []


def _session(house: House, kind: str) -> Any:
    return house.doors.work(QUEUES[kind][2])


async def _must_be(request: HttpRequest, kind: str, caller: Seated) -> str:
    """The title of a queue that the clerk's scopes open. Raises NotFound, Forbidden."""
    if kind not in QUEUES:
        raise NotFound
    title, scope, _, _ = QUEUES[kind]
    if scope not in caller.scopes:
        await refused.note(request, deps.house(request), caller.client_id, scope)
        raise insufficient_scope(scope)
    return title


def _purposes() -> list[tuple[str, str]]:
    return [(one, PURPOSES[one]) for one in frame.MATTER_PURPOSES]


handlers = [workpages.behind([ask, open_one, act], role="staff")]
