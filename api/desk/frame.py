"""What every page of the desk has: its navigation, and why a clerk looks at somebody's matter."""

from typing import Any

from litestar import Response

from api import workpages
from api.deps import HttpRequest
from api.seated import Seated
from core.errors import FieldError, Invalid

RELEASES, CLIENTS, ASSESSMENTS = "staff:releases", "staff:clients", "staff:assessments"
COUNTER = "staff:counter"
CALENDAR = "staff:calendar"
QUALITY, AUDITS, INCIDENTS = "staff:quality", "staff:audits", "staff:incidents"
NAV = (
    ("/desk", "待办", None),
    ("/desk/counter", "窗口代办", COUNTER),
    ("/desk/releases", "规则", RELEASES),
    ("/desk/partners", "合作方", CLIENTS),
    ("/desk/assessments", "影响评估", ASSESSMENTS),
    ("/desk/quality", "来源质量", QUALITY),
    ("/desk/board", "普及与公平", AUDITS),
    ("/desk/audits", "日志检索", AUDITS),
    ("/desk/incidents", "安全事件", INCIDENTS),
    ("/desk/calendar", "工作日", CALENDAR),
)
# What a clerk can give as the reason of a look; the citizen reads it in these words (`api.pages.names`).
MATTER_PURPOSES = ("handling", "supervision", "complaint")
LOG_PURPOSES = ("inspection", "complaint", "breach")


def page(request: HttpRequest, template: str, caller: Seated, **more: Any) -> Response[str]:
    """A page of the desk."""
    return workpages.page(request, f"desk/{template}", caller, NAV, **more)


def clerk(caller: Seated) -> str:
    """The staff number that the login proved."""
    if caller.clerk is None:
        raise ValueError("a desk has a clerk")
    return caller.clerk


async def purpose(request: HttpRequest, known: tuple[str, ...]) -> str:
    """Why, as the form says; one of those that were offered. Raises Invalid."""
    why = str((await request.form()).get("purpose", ""))
    if why not in known:
        raise Invalid("Say why you look.", errors=[FieldError("/purpose", "missing", "Choose one of those offered.")])
    return why
