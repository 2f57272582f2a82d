"""Orders of the demo city, in every state that a merchant meets: opened and moved through the API, as a partner does.

Their holders are test citizens of the sandbox, so nobody who can log in finds an order that is not theirs.
"""

from typing import Any

import httpx2

from api.tool.caller import signed

_ORDERS = "/v1/partner/orders"
_CHARGE = {"items": [{"name": "超时费", "amount": 300}]}
# Partner, perk, test citizen, and what the partner does then.
ORDERS: tuple[tuple[str, str, str, tuple[tuple[str, dict[str, Any] | None], ...]], ...] = (
    ("guixing-bikes", "rental.deposit-free", "granted", ()),
    ("guixing-bikes", "rental.deposit-free", "granted", (("start", None),)),
    ("guixing-bikes", "rental.deposit-free", "granted", (("start", None), ("return", {}))),
    ("guixing-bikes", "rental.deposit-free", "granted", (("start", None), ("return", {}), ("settle", _CHARGE))),
    ("guixing-bikes", "rental.deposit-free", "granted", (("cancel", None),)),
    ("guixing-bikes", "rental.deposit-free", "below", ()),
    ("city-library", "library.deposit-free", "granted", (("start", None),)),
    ("city-library", "library.deposit-free", "granted", (("start", None), ("return", {}), ("settle", {"items": []}))),
)
_DEPOSIT = 20_000


class OrderFailedError(Exception):
    """A step was answered with an error; the message quotes it."""


async def seed(kit: dict[str, Any]) -> None:
    """Open them all, and take each where it belongs. Raises OrderFailedError."""
    for number, (partner, perk, citizen, steps) in enumerate(ORDERS, 1):
        client = signed(kit, partner)
        async with httpx2.AsyncClient(base_url=kit["base_url"], auth=client, timeout=60) as http:
            code = await _post(http, "/v1/sandbox/codes", {"perk": perk, "citizen": citizen}, "")
            body = {"out_order_no": f"DEMO-{number:03d}", "perk": perk, "deposit": _DEPOSIT}
            holder = {"holder": {"code": code["code"]}}
            order = await _post(http, _ORDERS, body | holder, f"demo-{number}")
            for action, given in steps:
                await _post(http, f"{_ORDERS}/{order['order_id']}/{action}", given, f"demo-{number}-{action}")


async def _post(http: httpx2.AsyncClient, path: str, body: dict[str, Any] | None, key: str) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await http.post(path, json=body, headers=headers)
    if not answer.is_success:
        message = f"POST {path} answered {answer.status_code}: {answer.text}"
        raise OrderFailedError(message)
    return answer.json()
