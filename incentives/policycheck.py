"""`policy check`: the whole rule book read as one, every fault with file, line and advice.

Pure but for `read`, which opens the files of a directory. It holds the parts against each other: kinds counted are in
the catalogue, statutes set what cites them, every case gives what it expects, every persona can reach its tier. Of
perks it proves, for all inputs: never below a stranger, monotone in points (`incentives.book.proofs`, as each file is
read), no path from a default to points (`incentives.book.paths`); and none tells a partner more than one bit. A file
that it does not know is a fault, so that nothing goes unchecked.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from core.policyfile import Fault, Faulty, decode
from incentives.book import paths, perkfile
from incentives.book.perks import Perk
from incentives.visitors import mapfile, proofs
from incentives.visitors.maps import Maps
from scoring.book import basis, catalogue, disputefile, promisefile, repairfile, scorecard
from scoring.book.basis import Statute
from scoring.book.catalogue import Catalogue
from scoring.book.disputefile import DisputeRules
from scoring.book.promisefile import PromiseRules
from scoring.book.repairfile import RepairRules
from scoring.book.scorecard import Scorecard
from scoring.points import cases, reach
from scoring.points.reach import Personas

FEWEST_CASES = 40
_MOST_THRESHOLDS = 2

# What is read into the member of its name.
_RIGHTS: dict[str, Callable[[str, str], object]] = {
    "repair.toml": repairfile.load,
    "promises.toml": promisefile.load,
    "disputes.toml": disputefile.load,
}
NoticeReader = Callable[[str, str], object]


class Report(msgspec.Struct, frozen=True):
    """What a check found: `faults` sorted, and `summary`, a line for each part that could be read."""

    faults: tuple[Fault, ...]
    summary: tuple[str, ...]


class _Book(msgspec.Struct):
    """What could be read."""

    statutes: dict[str, Statute] = {}
    catalogue: tuple[str, Catalogue] | None = None
    cards: dict[str, Scorecard] = {}
    perks: list[tuple[str, Perk]] = []
    personas: tuple[str, Personas] | None = None
    repair: tuple[str, RepairRules] | None = None
    promises: tuple[str, PromiseRules] | None = None
    disputes: tuple[str, DisputeRules] | None = None
    recognition: tuple[str, Maps] | None = None
    cases: dict[str, str] = {}
    notices: int = 0


def read(directory: Path) -> dict[str, str]:
    """Read every file under a directory, by its path inside it; raises `policyfile.Faulty` for what is not UTF-8."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    named = [(path.relative_to(directory).as_posix(), path) for path in paths]
    return {name: decode(path.read_bytes(), name) for name, path in named}


def check(files: Mapping[str, str], read_notice: NoticeReader) -> Report:
    """Check a whole rule book; `read_notice(text, file)` is `auth.notices.load`, handed in from the floor that may."""
    faults: list[Fault] = []
    book = _Book()
    for file, text in files.items():
        try:
            faults += _take(book, file, text, read_notice)
        except Faulty as faulty:
            faults += faulty.faults
    claims = [claim for card in book.cards.values() for claim in card.claims]
    claims += book.catalogue[1].claims if book.catalogue else ()
    claims += [claim for part in (book.repair, book.promises, book.disputes) if part for claim in part[1].claims]
    faults += basis.judge(claims, book.statutes) + _kinds(book) + _rights(book) + _limits(book)
    faults += _cases(book) + _perks(book)
    if book.personas:
        for card in book.cards.values():
            faults += reach.faults(card, book.personas[1], book.personas[0])
    return Report(tuple(sorted(set(faults))), tuple(_summary(book)))


def _take(book: _Book, file: str, text: str, read_notice: NoticeReader) -> list[Fault]:
    """Read one file into its place by its path."""
    folder = file.partition("/")[0]
    if file == "statutes.toml":
        book.statutes = basis.load(text, file)
    elif file == "catalogue.toml":
        book.catalogue = file, catalogue.load(text, file, draft=True)
    elif file == "personas.toml":
        book.personas = file, reach.load(text, file)
    elif file in _RIGHTS:
        setattr(book, Path(file).stem, (file, _RIGHTS[file](text, file)))
    elif file == "recognition.toml":
        book.recognition = file, mapfile.load(text, file)
    elif folder == "scorecard":
        book.cards[file] = scorecard.load(text, file)
    elif folder == "perks":
        book.perks += [(file, perk) for perk in perkfile.load(text, file)]
    elif folder == "cases":
        book.cases[file] = text
    elif folder == "notices":
        read_notice(text, file)
        book.notices += 1
    else:
        return [Fault(file, 1, "Nobody reads this file.", "Put it in the right folder, or outside the rule book.")]
    return []


def _kinds(book: _Book) -> list[Fault]:
    """A kind that is counted must be in the catalogue, enabled, and of the right polarity."""
    if book.catalogue is None:
        return [Fault("catalogue.toml", 1, "There is no readable catalogue.", "Write one, or mend its faults first.")]
    known = book.catalogue[1].kinds
    faults: list[Fault] = []
    for file, card in book.cards.items():
        negative = {rule.kind for rule in (*card.deductions, *card.holds)}
        for code in sorted(card.kinds()):
            kind = known.get(code)
            if kind is None or not kind.enabled:
                faults.append(Fault(file, 1, f"{code} is counted but not in force.", "Enable it in catalogue.toml."))
            elif kind.positive == (code in negative):
                faults.append(Fault(file, 1, f"{code} is counted with the wrong sign.", "Compare its polarity."))
    return faults


def _rights(book: _Book) -> list[Fault]:
    """Every deduction can be repaired or says how it ends; what is declared or promised about is in the catalogue."""
    known = book.catalogue[1].kinds if book.catalogue else {}
    faults: list[Fault] = []
    if book.repair:
        file, rules = book.repair
        spoken = rules.kinds.keys() | rules.others.keys()
        wanted = {code for code, kind in known.items() if not kind.positive and kind.enabled}
        advice = "Each deduction in force stands here, once."
        faults += [Fault(file, 1, f"{code}: repair is not settled.", advice) for code in sorted(wanted ^ spoken)]
    if book.promises:
        file, promises = book.promises
        idle = [code for code in promises.declaration.kinds if code not in known or not known[code].enabled]
        faults += [Fault(file, 1, f"{code} is declared but not in force.", "Enable it first.") for code in idle]
    return faults


def _limits(book: _Book) -> list[Fault]:
    """What a scorecard says of the length of a deduction is what the catalogue makes a record's interval of."""
    known = book.catalogue[1].kinds if book.catalogue else {}
    faults: list[Fault] = []
    for file, card in book.cards.items():
        lines = {claim.value: claim.line for claim in card.claims}
        for rule in card.deductions:
            interval = known[rule.kind].interval if rule.kind in known else None
            made = (interval.stop_months, interval.hard_stop_months) if interval else (0, 0)
            for name, said, real in zip(("display", "hard_stop"), (rule.display_months, rule.hard_stop_months), made,
                                        strict=True):  # fmt: skip
                if said and said != real:
                    line = lines.get(f"catalogue.stops_after.{rule.kind}", 1) if name == "display" else 1
                    told = f"`{name}` of {rule.id} is {said} months, the catalogue says {real or 'nothing'}."
                    faults.append(Fault(file, line, told, "Change both, or neither."))
    return faults


def _cases(book: _Book) -> list[Fault]:
    """Run every case by the scorecard that is valid on its day."""
    faults: list[Fault] = []
    if len(book.cases) < FEWEST_CASES:
        faults.append(Fault("cases", 1, f"There are {len(book.cases)} cases.", f"Write at least {FEWEST_CASES}."))
    if book.catalogue is None or not book.cards:
        return faults
    compiled = [cases.rules(card, book.catalogue[1]) for card in book.cards.values()]
    for file, text in book.cases.items():
        try:
            faults += cases.run(text, file, *compiled)
        except Faulty as faulty:
            faults += faulty.faults
    return faults


def _perks(book: _Book) -> list[Fault]:
    """One perk, one threshold; at most two thresholds in all, since any partner may be given every perk."""
    faults: list[Fault] = []
    names = [perk.id for _, perk in book.perks]
    for file, perk in book.perks:
        if names.count(perk.id) > 1:
            faults.append(Fault(file, 1, f"{perk.id} stands in two places.", "A perk has one threshold and one cap."))
    thresholds = {perk.threshold for _, perk in book.perks if not perk.closed}
    if len(thresholds) > _MOST_THRESHOLDS:
        advice = "A partner with all of them could narrow the points down; use two."
        faults.append(Fault("perks", 1, f"Live perks use {len(thresholds)} thresholds.", advice))
    if book.recognition:
        faults += proofs.faults(book.recognition[1], [perk for _, perk in book.perks], book.recognition[0])
    kinds = book.catalogue[1].kinds if book.catalogue else {}
    counted = {code for card in book.cards.values() for code in card.kinds()}
    return faults + paths.faults(book.perks, kinds, counted, book.catalogue[0] if book.catalogue else "catalogue.toml")


def _summary(book: _Book) -> list[str]:
    lines = [f"statutes: {len(book.statutes)}", f"notices: {book.notices}", f"cases: {len(book.cases)}"]
    if book.catalogue:
        kinds = book.catalogue[1].kinds
        lines.append(f"catalogue: {len(kinds)} kinds, {len(book.catalogue[1].enabled())} enabled")
    for file, card in book.cards.items():
        demo = sum(claim.basis.kind == "demo" for claim in card.claims)
        lines.append(f"{file}: {len(card.indicators())} indicators, {demo} of {len(card.claims)} values are demo")
        for persona in book.personas[1].personas if book.personas else ():
            tier = book.personas[1].tier if book.personas else ""
            lines.append(f"{file}: {persona.english} reaches {tier} with {reach.hours(card, persona, tier)} hours")
    for file, perk in book.perks:
        proved = "proved: never below a stranger, never less with more points, no default reaches points"
        lines.append(f"{file}: {perk.id} from {perk.threshold / 10:g}, tells a partner {perk.bits():g} bit; {proved}")
    return lines + (proofs.summary(book.recognition[1], book.recognition[0]) if book.recognition else [])
