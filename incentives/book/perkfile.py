"""Reading a file of perks: every fault with its line, and every proof made before anything loads.

Pure. A perk of the financial sector does not load (CIR article 7), nor one of which it is not proved, for all inputs,
that a holder never gets less than a stranger and that more points never bring less. What an older file does not say has
the value that it had then.
"""

import hashlib
import re

from core.policyfile import Document, Table
from incentives.book import admissions, budgets, kinds, places, proofs, rates
from incentives.book.kinds import KINDS, Shape
from incentives.book.perks import (
    AFTER_DEFAULT,
    FIRST,
    HOLD_MINUTES,
    LONGEST_DAYS,
    START_HOURS,
    Measure,
    Perk,
    Price,
)  # fmt: skip
from incentives.book.places import FEN
from incentives.book.rates import HUNDRED
from scoring.book import basis

SECTORS = (
    "library", "rental", "transit", "tourism", "health", "parking", "culture", "sport", "community", "service",
)  # fmt: skip
_POINTS = 2_000
_MOST = 100_000
# What lines may be called in a hospital whose file does not list it: never free words, which could name a diagnosis.
_CLOSED = ("挂号费", "诊查费", "检查费", "化验费", "治疗费", "手术费", "药费", "材料费", "床位费", "护理费", "其他费用")
_NAME = 20
_LONGEST_HOLD = 15 * 24 * 60
_FORBIDDEN = re.compile(r"financ|lend|\bloan|credit.card|insur|\bbank|金融|贷|保险|信用卡")
_NO_BANK = re.compile(r"power[ .-]?bank")


def load(text: str, file: str) -> tuple[Perk, ...]:
    """Read the perks of one file; raises `policyfile.Faulty` with every fault found, each with its line."""
    document = Document(text, file)
    digest = hashlib.sha256(text.encode()).hexdigest()
    perks = read(document.root, digest)
    if len({perk.id for perk in perks}) < len(perks):
        document.root.fault("A perk stands twice.", "A perk has one threshold and one cap; keep one.", "perk")
    document.close()
    return perks


def read(root: Table, digest: str) -> tuple[Perk, ...]:
    """Read the perks of a root table; the schema is drawn from here."""
    perks = tuple(_perk(table, digest) for table in root.tables("perk", least=1))
    root.close()
    return perks


def _perk(table: Table, digest: str) -> Perk:
    kind = table.choice("kind", tuple(KINDS), FIRST)
    shape = KINDS[kind]
    sector, measures = table.choice("sector", SECTORS), _measures(table, shape)
    perk = Perk(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        sector=sector,
        threshold=table.tenths("threshold", 0, _POINTS),
        cap=table.whole("cap", 0, FEN) if shape.money else 0,
        over_cap=table.choice("over_cap", rates.OVER_CAP) if shape.money else "part",
        valid_months=table.whole("valid_months", 1, 12),
        terms=table.text("terms"),
        standard_route=table.text("standard_route"),
        price_rule=table.text("price_rule"),
        pia=table.text("pia"),
        closed=table.flag("closed"),
        terminals=table.words("terminals", ()),
        basis=basis.read(table),
        digest=digest,
        kind=kind,
        field=table.choice("field", tuple(kinds.FIELDS)) if shape.fielded else None,
        how_to_use=table.text("how_to_use", "-") if table.has("how_to_use") else "",
        **(_formula(table) if shape.money else {}),
        measures=measures,
        prices=_prices(table, shape),
        budgets=budgets.read(table, money=shape.money),
        places=places.read(table, shape),
        starts_on=table.day("starts_on") if table.has("starts_on") else None,
        ends_on=table.day("ends_on") if table.has("ends_on") else None,
        **_clocks(table),
        after_default=table.choice("after_default", AFTER_DEFAULT, AFTER_DEFAULT[0]),
        lines=table.words("lines", ()) or (_CLOSED if sector == "health" else ()),
        admission=admissions.read(table, shape, {one.name: one.granted for one in measures}.get("visits")),
    )
    _judge(table, perk)
    table.close()
    return perk


def _formula(table: Table) -> dict[str, int]:
    return {
        "percent": table.whole("percent", 0, HUNDRED, HUNDRED),
        "minus": table.whole("minus", 0, FEN, 0),
        "from_amount": table.whole("from_amount", 0, FEN, 0),
    }


def _clocks(table: Table) -> dict[str, int]:
    return {
        "hold_minutes": table.whole("hold_minutes", 1, _LONGEST_HOLD, HOLD_MINUTES),
        "start_hours": table.whole("start_hours", 1, 720, START_HOURS),
        "longest_days": table.whole("longest_days", 1, 366, LONGEST_DAYS),
    }


def _judge(table: Table, perk: Perk) -> None:
    """What one perk by itself may not be."""
    if _FORBIDDEN.search(_NO_BANK.sub("", f"{perk.id} {perk.name} {perk.english}".lower())):
        table.fault("Points may not serve finance or insurance.", "Take this perk out (CIR article 7).", "id")
    if perk.id.partition(".")[0] != perk.sector:
        table.fault(f"The id does not begin with `{perk.sector}.`", "Name it after its sector.", "id")
    if perk.starts_on and perk.ends_on and perk.ends_on < perk.starts_on:
        table.fault("The perk ends before it begins.", "Correct one of the days.", "ends_on")
    if too_long := [one for one in perk.lines if len(one) > _NAME]:
        table.fault(f"A name of a line is too long: {too_long[0]}.", f"Use at most {_NAME} characters.", "lines")
    for flaw in proofs.flaws(perk):
        where = f" (at `{flaw.place}`)" if flaw.place else ""
        table.fault(f"{flaw.message}{where}", flaw.advice, flaw.key)


def _measures(table: Table, shape: Shape) -> tuple[Measure, ...]:
    """`items = {stranger = 10, granted = 20}`: at least one where the kind has no money to give."""
    found: list[Measure] = []
    for name in shape.measures:
        if table.has(name):
            inner = table.table(name)
            found.append(Measure(name, inner.whole("stranger", 0, _MOST), inner.whole("granted", 0, _MOST)))
            inner.close()
    if not found and not shape.money:
        wanted = f"Write {' or '.join(shape.measures)} = {{stranger = …, granted = …}}."
        table.fault("It does not say what it gives beside what a stranger has.", wanted)
    return tuple(found)


def _prices(table: Table, shape: Shape) -> tuple[Price, ...]:
    """`[[perk.price]]`: the strangers' prices; one at least where the perk is about prices."""
    if not shape.priced:
        return ()
    found: list[Price] = []
    for inner in table.tables("price", least=1):
        found.append(Price(inner.text("item"), inner.whole("stranger", 0, FEN)))
        inner.close()
    return tuple(found)
