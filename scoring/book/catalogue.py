"""The catalogue as frozen values: which kinds of record may be taken, from whom, with which fields, for how long.

Pure. An item outside the catalogue may not be used as public credit information, and a kind without an indicator in
force is not taken (PIPL art. 6). The check of one source line against it is in `scoring.book.lines`.
"""

import hashlib
from datetime import date
from functools import lru_cache

import msgspec

from core.months import shift
from core.policyfile import Document
from scoring.book import basis, cataloguefile, schemes
from scoring.book.basis import Basis, Claim
from scoring.book.classes import CAREER_SOURCES, is_occupational
from scoring.book.kinds import Group, Kind, LevelTable, Quality
from scoring.book.schemes import Scheme


class Catalogue(msgspec.Struct, frozen=True):
    """The whole catalogue; `digest` is the SHA-256 of the file's bytes, `headers` maps Chinese column names to ours.

    `occupational` kinds are a class of their own, with a consent of its own: they are not among `kinds`, so that no
    line, record, indicator or deduction of points can be of one.
    """

    version: str
    valid_from: date
    digest: str
    adult_age: int
    prohibited: tuple[str, ...]
    groups: tuple[Group, ...]
    schemes: tuple[Scheme, ...]
    tables: tuple[LevelTable, ...]
    kinds: dict[str, Kind]
    occupational: dict[str, Kind]
    basis: Basis
    claims: tuple[Claim, ...]
    headers: dict[str, str]
    quality: Quality

    def career(self) -> "Catalogue":
        """Give the catalogue of the occupational class: the same but for its kinds."""
        return msgspec.structs.replace(self, kinds=self.occupational, occupational={})

    def adult_on(self, born: date) -> date:
        """Give the first day of adulthood; a birthday on 29 February falls on the 28th in common years."""
        return shift(born, 12 * self.adult_age)

    def enabled(self) -> frozenset[str]:
        """Give the codes of the kinds that the catalogue lets in."""
        return frozenset(kind.code for kind in self.kinds.values() if kind.enabled)

    def kinds_of(self, group: str) -> frozenset[str]:
        """Give the enabled kinds that a group of sources may send."""
        return frozenset(kind.code for kind in self.kinds.values() if kind.group == group and kind.enabled)

    def level_name(self, kind: str, level: int | None) -> str:
        """Name a level in Chinese, empty when the kind has none."""
        table = next((one for one in self.tables if one.id == self.kinds[kind].level_table), None)
        if table is None or level is None:
            return ""
        row = [row for row in table.rows if row.level <= level][-1]
        return f"{row.name}{level - row.level}级" if table.plus else row.name

    def label(self, kind: str, occurred_on: date, quantity: int, level: int | None) -> str:
        """Say in one line of Chinese what a record is, from its plain columns alone."""
        return self.kinds[kind].label.format(
            month=f"{occurred_on:%Y-%m}",
            day=occurred_on.isoformat(),
            quantity=quantity,
            level=self.level_name(kind, level),
        )


@lru_cache(maxsize=4)
def load(text: str, file: str, *, draft: bool = False) -> Catalogue:
    """Read a catalogue; raises `policyfile.Faulty` with every fault found, each with its line.

    `draft`: one that is still to be published, of which all is asked that is asked today.
    """
    document = Document(text, file)
    root = document.root
    claims: list[Claim] = []
    groups = tuple(cataloguefile.group(table) for table in root.tables("group", least=1))
    tables = tuple(cataloguefile.levels(table) for table in root.tables("levels"))
    names = frozenset(group.id for group in groups), frozenset(table.id for table in tables)
    kinds = [cataloguefile.kind(table, names, claims) for table in root.tables("kind", least=1)]
    career = [cataloguefile.kind(table, (CAREER_SOURCES, names[1]), claims) for table in root.tables("occupational")]
    for name, found in (("kind", kinds), ("occupational", career)):
        if len({kind.code for kind in found}) < len(found):
            root.fault("A kind is listed twice.", "Each code stands once.", name)
        if any(is_occupational(kind.code) != (name == "occupational") for kind in found):
            root.fault("Codes that begin with O are occupational, and no others.", "Move it, or rename it.", name)
    catalogue = Catalogue(
        version=root.text("version"),
        valid_from=root.day("valid_from"),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        adult_age=cataloguefile.adult_age(root.table("adult_age"), claims),
        prohibited=root.words("prohibited"),
        groups=groups,
        schemes=schemes.read(root.tables("scheme"), draft=draft),
        tables=tables,
        kinds={kind.code: kind for kind in kinds},
        occupational={kind.code: kind for kind in career},
        basis=basis.read(root),
        claims=tuple(claims),
        headers=cataloguefile.headers(root, kinds),
        quality=cataloguefile.quality(root),
    )
    root.close()
    document.close()
    return catalogue
