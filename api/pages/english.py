"""The pages in English, made from the same templates: a catalogue of words, and what puts them in.

The templates are Chinese. When one is loaded for English, each run of words in it (a text, an attribute, a string in an
expression) is looked up in `english/*.toml`; what an expression prints stands as {1}, {2} in the key, so that a
sentence may take another order, and {1:day|days} in the English goes by its number. What comes at run time goes
through `said`: words of ours are looked up, a sentence with something in it by its pattern, and everything else
(reasons, legal texts, names that the city gave) stays Chinese and is marked lang="zh-CN" (WCAG 2.2, 3.1.2).
tests/api/test_pages_english.py walks every template and every module of pages for words that lack.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from api.pages import words
from core import clock

_FOLDER = Path(__file__).parent / "english"
# Paper that is signed or kept has one wording, as the notice has; every other template is in two languages.
PAPER = frozenset({"form.html", "receipt.html"})
_LONGEST = 300  # letters of a sentence of ours with what is in it; longer is somebody's own text
_HAN = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_PIECES = re.compile(
    r"(\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[a-zA-Z/!](?:\{\{.*?\}\}|\{%.*?%\}|[^>{]|\{(?![{%]))*>)", re.DOTALL
)
_LITERAL = re.compile(r"""(["'])((?:(?!\1)[^\\\n])*)\1""")
_HOLE = re.compile(r"\{\d+\}")
_FILLED = re.compile(r"\{(\d+)(?::([^|{}]*)\|([^{}]*))?\}")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_READ = frozenset({"alt", "aria-label", "placeholder", "title"})
_INNER = re.compile(r"(\{%.*?%\}|\{\{.*?\}\})", re.DOTALL)
_PLAIN = re.compile(r"<(/?)(title|option|textarea)\b")


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, str]:
    """Chinese -> English, of every file."""
    found: dict[str, str] = {}
    for file in sorted(_FOLDER.glob("*.toml")):
        found |= tomllib.loads(file.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Sentences with holes, the longest first, as what they look like at run time."""
    holed = sorted((key for key in catalogue() if _HOLE.search(key)), key=len, reverse=True)
    return [(re.compile("(.+?)".join(map(re.escape, _HOLE.split(key)))), catalogue()[key]) for key in holed]


def lookup(text: str, names: Mapping[str, str] | None = None) -> str | None:
    """The English of a text of ours or of one of these `names`, None when there is none."""
    return _looked_up(text, names or {}, {})


def _looked_up(text: str, names: Mapping[str, str], seen: dict[str, str | None]) -> str | None:
    """As `lookup`; `seen` keeps each part's answer, so that somebody's many commas cost no time."""
    if text not in seen:
        seen[text] = None
        known = catalogue().get(text) or names.get(text)
        if known is not None or not is_chinese(text):
            seen[text] = text if known is None else known
        elif len(text) <= _LONGEST:
            seen[text] = _by_pattern(text, names, seen)
    return seen[text]


def _by_pattern(text: str, names: Mapping[str, str], seen: dict[str, str | None]) -> str | None:
    """By the first sentence with holes that fits and whose inside is known, too."""
    for pattern, english in _patterns():
        if found := pattern.fullmatch(text):
            inside: list[str] = []
            for part in found.groups():
                if (said := _looked_up(part, names, seen)) is None:
                    break
                inside.append(said)
            else:
                return _filled(english, inside)
    return None


def _filled(english: str, parts: Sequence[str]) -> str:
    """Each {1} takes its part; {1:day|days} the one word beside a 1, the other beside any other number."""
    return _FILLED.sub(lambda hole: _counted(hole, parts[int(hole[1]) - 1]), english)


def _counted(hole: re.Match[str], part: str) -> str:
    if hole[3] is None:
        return part
    if part.startswith("{{"):  # a template's expression: its number is known when the page is made
        return f'{{{{ "{hole[2]}" if {part[2:-2].strip()} | string == "1" else "{hole[3]}" }}}}'
    return hole[2] if part == "1" else hole[3]


def is_chinese(text: str) -> bool:
    """Whether a text has a Chinese letter or mark."""
    return _HAN.search(text) is not None


def said(value: object, names: Mapping[str, str] | None = None) -> object:
    """What an expression prints between tags: in English, or marked as Chinese."""
    if not isinstance(value, str) or isinstance(value, Markup) or not is_chinese(value):
        return value
    english = lookup(value, names)
    return english if english is not None else Markup('<span lang="zh-CN">{}</span>').format(value)


def plainly(value: object, names: Mapping[str, str] | None = None) -> object:
    """What an expression prints where no element can stand: an attribute, a title, an option."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    english = lookup(value, names)
    return value if english is None else english


def called(name: str) -> str:
    """The rule book's own English of what it names, as a heading has it."""
    return name[:1].upper() + name[1:]


def template_in_english(source: str, miss: Callable[[str], None]) -> str:
    """A template in English; `miss` is told each run that the catalogue does not have."""
    plain = False
    made: list[str] = []
    run: list[str] = []
    for piece in _PIECES.split(source):
        if piece.startswith("{{") or (piece and not piece.startswith(("{#", "{%", "<"))):
            run.append(piece)
            continue
        made.append(_words(run, "plainly" if plain else "said", miss))
        run = []
        if piece.startswith("<"):
            for closing, _ in _PLAIN.findall(piece):
                plain = not closing
            made.append(_ATTRIBUTE.sub(lambda found: f'{found[1]}="{_attribute(found[1], found[2], miss)}"', piece))
        else:
            made.append(_literals(piece, miss))
    return "".join([*made, _words(run, "said", miss)])


def _attribute(name: str, value: str, miss: Callable[[str], None]) -> str:
    """An attribute's value, its statements kept; of one that is read out, what it prints, too."""
    if not is_chinese(value) and name not in _READ:
        return value
    made: list[str] = []
    run: list[str] = []
    for piece in _INNER.split(value):
        if piece.startswith("{%"):
            made += [_words(run, "plainly", miss), _literals(piece, miss)]
            run = []
        else:
            run.append(piece)
    return "".join([*made, _words(run, "plainly", miss)])


def _words(run: list[str], filter_: str, miss: Callable[[str], None]) -> str:
    """A run of words and expressions in English; as it was, when the catalogue does not have it."""
    expressions = [f"{{{{ ({_literals(one[2:-2], miss).strip()}) | {filter_} }}}}" for one in run if one[:2] == "{{"]
    holes: Iterator[int] = iter(range(1, len(run) + 1))
    whole = "".join(f"{{{next(holes)}}}" if one[:2] == "{{" else one for one in run)
    key = whole.strip()
    if is_chinese(key) and key not in catalogue():
        miss(key)
    before, _, after = whole.partition(key) if key else (whole, "", "")
    return before + _filled(catalogue().get(key, key), expressions) + after


def _literals(code: str, miss: Callable[[str], None]) -> str:
    """The strings of an expression or a statement in English."""

    def english(found: re.Match[str]) -> str:
        text = found[2]
        if not is_chinese(text):
            return found[0]
        if text not in catalogue():
            miss(text)
        return f'"{escape(catalogue().get(text, text))}"'

    return _LITERAL.sub(english, code)


class Loader(FileSystemLoader):
    """The templates of a folder, in English."""

    def get_source(self, environment: Any, template: str) -> Any:
        """As the folder has it, with English words."""
        source, name, fresh = super().get_source(environment, template)
        return template_in_english(source, lambda _: None), name, fresh


def _day(value: date) -> Markup:
    """3 March 2026, in a `time` element."""
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), f"{value.day} {value:%B %Y}")


def _moment(value: datetime) -> Markup:
    """An instant as day and minute in the city's zone."""
    local = value.astimezone(clock.CITY_ZONE)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), f"{local.day} {local:%B %Y, %H:%M}")


def _marked(text: str, shown: Markup) -> Markup:
    return Markup('<span lang="zh-CN">{}</span>').format(shown) if is_chinese(text) else shown


@pass_context
def _prose(context: Context, text: str) -> object:
    english = lookup(text, context.get("named"))
    return _marked(text, words.prose(text)) if english is None else words.prose(english, _day)


def _dial(text: str) -> Markup:
    return _marked(text, words.dial(text))


@pass_context
def _said(context: Context, value: object) -> object:
    return said(value, context.get("named"))


@pass_context
def _plainly(context: Context, value: object) -> object:
    return plainly(value, context.get("named"))


FILTERS: Mapping[str, Callable[..., Any]] = {
    **words.FILTERS,
    "day": _day,
    "moment": _moment,
    "prose": _prose,
    "dial": _dial,
    "said": _said,
    "plainly": _plainly,
}
