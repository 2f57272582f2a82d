"""Lines that a bureau might send about a made-up person, without identity. Pure.

The organisations, accounts and documents do not exist; the forms are those of the contract.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

Line = dict[str, Any]


def months_back(today: date, count: int) -> Iterator[date]:
    """Give the first days of the `count` calendar months before today's, newest first."""
    day = today.replace(day=1)
    for _ in range(count):
        day = (day - timedelta(days=1)).replace(day=1)
        yield day


def bills(kind: str, account: str, today: date, count: int) -> list[Line]:
    """Give bills or rents kept in the last so many months."""
    return [_bill(kind, account, month) for month in months_back(today, count)]


def _bill(kind: str, account: str, month: date) -> Line:
    return {
        "ref": f"{account}-{month:%Y%m}",
        "kind": kind,
        "occurred_on": f"{month:%Y-%m}-20",
        "fields": {"contract" if kind == "P21" else "account": account, "period": f"{month:%Y-%m}", "on_time": True},
    }


def loan(number: str, month: date) -> Line:
    """Give a book that came back in time."""
    fields = {"loan": number, "due_on": f"{month:%Y-%m}-25", "returned_on": f"{month:%Y-%m}-18"}
    return {"ref": number, "kind": "P04", "occurred_on": fields["returned_on"], "fields": fields}


def service(ref: str, day: date, hours: int) -> Line:
    """Give a day's volunteer service; eight hours of a day count."""
    fields = {"project": "桂花巷社区服务", "hours": hours, "organisation": "91350100M000100Y43"}
    return {"ref": ref, "kind": "P08", "occurred_on": day.isoformat(), "fields": fields}


def honour(kind: str, ref: str, day: date, level: str) -> Line:
    """Give a civic honour (P14) or a confirmed act of bravery (P13)."""
    paper = {"no": "示文明〔2026〕3号", "authority": "示范市精神文明建设委员会", "effective_on": day.isoformat()}
    fields = {"title": "示范市道德模范", "level": level}
    return {"ref": ref, "kind": kind, "occurred_on": day.isoformat(), "document": paper, "fields": fields}


def penalty(no: str, day: date) -> Line:
    """Give a general penalty in force since a day."""
    return {
        "ref": f"CF-{no}",
        "kind": "N01",
        "occurred_on": (day - timedelta(days=20)).isoformat(),
        "document": {
            "no": f"示城罚〔{day.year}〕{no}号",
            "authority": "示范市城市管理局",
            "effective_on": day.isoformat(),
        },
        "notice": {"no": f"示城告〔{day.year}〕{no}号", "served_on": (day - timedelta(days=7)).isoformat()},
        "fields": {
            "class": "罚款",
            "clause": "《城市市容和环境卫生管理条例》第三十四条",
            "severity": "general",
            "procedure": "ordinary",
        },
    }


def listing(no: str, day: date) -> Line:
    """Give an entry in the list of judgment defaulters, open."""
    return {
        "ref": f"SX-{no}",
        "kind": "N03",
        "occurred_on": day.isoformat(),
        "document": {"no": f"（{day.year}）示执{no}号", "authority": "示范市人民法院", "effective_on": day.isoformat()},
        "notice": {"no": f"（{day.year}）示执通{no}号", "served_on": day.isoformat()},
        "fields": {"case": f"（{day.year}）示执{no}号", "listed_on": day.isoformat()},
    }
