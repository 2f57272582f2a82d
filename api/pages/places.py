"""Where a citizen can go: one list. The first row stands above every page, the rest below it under 更多.

Pure. A new page adds a line here and is found from everywhere; its words in English are in `english.toml`.
"""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """A page: its address, its name, and the beginnings of the addresses that belong to it."""

    address: str
    name: str
    inside: tuple[str, ...] = ()

    def here(self, path: str) -> str:
        """The value of aria-current for who is at `path`: "page" at it, "true" inside it, else empty."""
        if path == self.address:
            return "page"
        return "true" if path.startswith(self.inside) else ""


MAIN = (
    Place("/", "分数", ("/history", "/whatif", "/changes")),
    Place("/perks", "权益", ("/code", "/orders")),
    Place("/records", "记录", ("/records/",)),
    Place("/accesses", "谁看过"),
    Place("/consents", "同意", ("/consents/",)),
)
MORE = (
    Place("/whatif", "怎样加分"),
    Place("/history", "分数的变化"),
    Place("/points", "分数怎么算", ("/points/",)),
    Place("/changes", "规则变化"),
    Place("/orders", "我的订单"),
    Place("/cards", "我的市民卡"),
    Place("/plates", "我的车牌"),
    Place("/recognition", "异地互认", ("/recognition/",)),
    Place("/reports", "开具报告"),
    Place("/rights", "我的权利"),
    Place("/sessions", "登录与设备"),
    Place("/forms", "纸质表格"),
)
