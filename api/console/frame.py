"""What every page of the console has: its navigation."""

from typing import Any

from litestar import Response

from api import workpages
from api.deps import HttpRequest
from api.seated import Seated

CHECK, ORDERS = "eligibility:check", "orders:write"
_NAV = (
    ("/console", "钥匙与便利", None),
    ("/console/log", "查询与订单", CHECK),
    ("/console/webhooks", "回调", ORDERS),
    ("/console/statements", "日对账", CHECK),
)
_SANDBOX = ("/console/sandbox", "沙箱", CHECK)


def page(request: HttpRequest, template: str, caller: Seated, **more: Any) -> Response[str]:
    """A page of the console; the sandbox's only where this deployment is one."""
    nav = (*_NAV, _SANDBOX) if workpages.is_sandbox(request) else _NAV
    return workpages.page(request, f"console/{template}", caller, nav, **more)
