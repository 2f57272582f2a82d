"""The door and the frame of pages for people at work: a partner's console, the credit office's desk.

A page is for who sits at a browser (`api.seated`); whoever does not is shown the way in. A problem becomes a page with
the API's own code, cause and status, since who works here knows the API, and what to do next in Chinese.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from litestar import Response, Router
from litestar.di import Provide
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from api import deps, guards, problems
from api.deps import HttpRequest
from api.pages import frame
from api.seated import NobodySeated, Seated, StaleSeat, seated
from core.db import Door
from core.errors import Problem

T = TypeVar("T", bound=msgspec.Struct)
Nav = Sequence[tuple[str, str, str | None]]

_ADVICE = {
    "insufficient_scope": "这一页需要的权限，您的单位没有给您。需要的话，请单位重新开通。",
    "second_person_needed": "起草和批准必须是两个人。请让另一位同事登录后来批准。",
    "already_approved": "已经批准过了，不用再批。",
    "already_decided": "已经有了决定，不用再批。",
    "assessment_missing": "先要有一份有效的影响评估：在“影响评估”一页起草，由第二个人批准。",
    "rehearsal_needed": "先预演这份草案，看过报告，再来批准。",
    "rehearsal_stale": "预演以后规则或人数变了，请重新预演一次。",
    "rehearsal_not_done": "预演还没有做完，过一会儿再看。",
    "too_soon": "可能让人少得分的改动要提前告知，生效日太近。请另起一份草案，推后生效日。",
    "illegal_transition": "这件事已经有了新的进展，这一步现在做不了。请回去看它现在的状态。",
    "csrf_failed": "页面停留太久，或者不是从我们的页面点过来的。什么都没有改变，请回去重新操作。",
    "bad_csv": "文件读不懂：第一行写 day,kind，后面每行一个日期和 off（放假）或 work（调休上班）。哪一行有错见下面。",
    "not_a_year": "和所选的年份对不上：年份不对，一天又放假又上班，或者漏了法定节假日。请改好再传。",
    "account_closed": "这位市民的账户已经因去世关闭，不能再代办。",
    "too_early": "逾期满三十天才能认定，现在还早。",
    "invalid": "填写有误，什么都没有改变。请返回上一页检查后再提交。",
    "assisted_session_over": "这次代办已经结束（最长十五分钟）。还要办，请市民再出示一次卡或一次性码。",
    "holder_not_proved": "没有核对上。请市民看看卡号、密码或一次性码，再试一次；密码错五次，卡锁一天。",
    "insufficient_user_authentication": "请市民再出示一次卡并输密码，或在读卡系统再读一次身份证。",
    "already_disputed": "这条记录已经有一件异议在办，办完才能再提。",
    "not_enrolled": "这位市民还没有加入，没有分数可看。想加入的话，先办“加入”。",
    "minor": "未满十八周岁不能加入。什么都没有记下。",
    "notice_outdated": "告知书刚刚更新了，请重新打开告知书念给市民听。",
    "not_found": "没有找到：可能已经结束，或者不属于您的单位。",
    "no_webhook": "还没有登记回调地址：先用 POST /v1/partner/webhooks 登记一个。",
    "statement_not_ready": "这一天还没有结束：过了零点两分钟再来下载。",
    "too_many_requests": "短时间内操作太多次了，请稍后再试。",
}
_OTHERWISE = "什么都没有改变。请过一会儿再试；还不行，请把下面的编号告诉我们。"


def is_sandbox(request: HttpRequest) -> bool:
    """Whether this deployment is a sandbox."""
    return deps.house(request).settings.sandbox


def page(
    request: HttpRequest, template: str, caller: Seated, nav: Nav, *, headers: dict[str, str] | None = None, **more: Any
) -> Response[str]:
    """A page for who sits there; of `nav` (address, name, scope) what their scopes open is shown."""
    shown = [(address, name) for address, name, scope in nav if scope is None or scope in caller.scopes]
    return frame.page(request, template, headers=headers, caller=caller, csrf=caller.csrf, nav=shown, **more)


async def sent(request: HttpRequest, shape: type[T], **more: object) -> T:
    """What a form sent, as the body of the API's own call; a field left empty is left out. Raises Invalid.

    `more` is what the page knows better than a form: above all who sits there.
    """
    form = await request.form()
    given: dict[str, Any] = {}
    for name in shape.__struct_encode_fields__:
        if values := [one for one in form.getall(name, []) if one != ""]:
            given[name] = values if name in _LISTS else values[0]
    try:
        return msgspec.convert({**given, **more}, shape, strict=False)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error


_LISTS = frozenset({"kinds", "met", "missing"})


def answer(request: HttpRequest, error: Exception) -> Response[Any]:
    """Answer a page's exception: to the way in, or with a page that says what happened."""
    said, problem = problems.answer(request, error), problems.translate(error)
    if isinstance(problem, NobodySeated):
        return Redirect(_way_in(request, problem), status_code=303)
    if isinstance(problem, StaleSeat):
        return Redirect(f"/desk/login?prompt=login&return_to={_back(request)}", status_code=303)
    return frame.page(
        request,
        "work/problem.html",
        status=problem.status,
        problem=problem,
        advice=_ADVICE.get(problem.code, _OTHERWISE),
        faults=_faults(problem),
        home=_home(request.url.path),
        request_id=str(request.scope["state"].get("request_id", "")),
        headers={name: value for name, value in said.headers.items() if name.lower() == "retry-after"},
    )


def _home(path: str) -> str:
    """Where a page of trouble leads back to: the room's first page, or the session that is under way."""
    if path.startswith("/console"):
        return "/console"
    return "/".join(path.split("/")[:4]) if path.startswith("/desk/counter/") else "/desk"


def _faults(problem: Problem) -> list[tuple[str, str]]:
    return [(one.pointer, one.detail) for one in problem.errors]


def _way_in(request: HttpRequest, problem: NobodySeated) -> str:
    return "/console" if problem.role == "partner" else f"/desk/login?return_to={_back(request)}"


def _back(request: HttpRequest) -> str:
    """Where to come back to after logging in: this page, or the page whose form was on its way."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET":
        path = str(request.query_params.get("from", "/desk"))
    return quote(path, safe="")


def behind(
    handlers: Sequence[ControllerRouterHandler], *, role: str, scope: str | None = None, door: Door | None = None
) -> Router:
    """The page handlers, with `caller` given, and `session` on a door where one is named."""
    given = {"caller": Provide(guards.provide_client)}
    if door is not None:
        given["session"] = Provide(deps.work(door))
    return Router(
        path="/",
        route_handlers=handlers,
        guards=[seated(role, scope)],
        dependencies=given,
        exception_handlers={Exception: answer},
        include_in_schema=False,
    )
