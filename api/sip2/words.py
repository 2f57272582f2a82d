"""What a reader reads on the screen of a terminal, in Chinese. Pure.

Somebody else may stand beside the reader: nothing here tells of points, and of a personal cause there is no word.
"""

from collections.abc import Mapping
from datetime import date

CARD_FIRST = "请先刷读者证，再扫信用码。"
REFUSED: Mapping[str, str] = {
    "code_expired": "信用码已过期，请在手机上重新领取。",
    "code_used": "这个信用码已经用过，请在手机上重新领取。",
    "code_not_for_you": "这个信用码不是本馆便利用的，请按普通方式借阅。",
    "budget_spent": "这项便利的名额已用完，请按普通方式借阅。",
    "perk_closed": "这项便利暂未开放，请按普通方式借阅。",
}
_FEN = 100


def granted(name: str, *, measures: Mapping[str, int], waived: int, until: date, basis: str) -> str:
    """What a perk gives, and until when; rules that no city adopted say so."""
    parts = [
        *([f"可借{measures['items']}册"] if "items" in measures else []),
        *([f"借期{measures['days']}天"] if "days" in measures else []),
        *([f"免押金{_yuan(waived)}元"] if waived else []),
    ]
    said = f"{name}：{'、'.join(parts) or '已生效'}，有效至{until.year}年{until.month}月{until.day}日。"
    return said + (f"（{basis}）" if basis.startswith("示范") else "")


def _yuan(fen: int) -> str:
    return f"{fen // _FEN}" if fen % _FEN == 0 else f"{fen // _FEN}.{fen % _FEN:02d}"
