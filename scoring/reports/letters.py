"""Which characters the reports' fonts have, and what is put on paper instead of any other. Pure.

The fonts (`fonts/`, made by `deploy/fonts.py`) hold GB 2312 and some signs. A character that they lack is printed as
〓, the printers' old sign for it, so that nothing is dropped in silence; control, format and direction characters are
dropped, since they could make one thing look like another.
"""

import unicodedata

SIGNS = "※·—–‘’“”…、。〈〉《》「」【】〔〕！（），：；？￥×−≤≥→↗↘○●□■✓〇"
MISSING = "〓"


def has(letter: str) -> bool:
    """Whether the text font has a glyph for one character."""
    if letter in SIGNS:
        return True
    try:
        return letter == " " or (letter.isprintable() and bool(letter.encode("gb2312")))
    except UnicodeEncodeError:
        return False


def whole(text: str) -> bool:
    """Whether a text can be printed as it is."""
    return all(map(has, text))


def plain(text: str, longest: int = 40) -> str:
    """A text for one line of paper: at most `longest` characters, each of them printable."""
    kept = [letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter)[0] != "C"]
    if len(kept) > longest:
        kept = [*kept[: longest - 1], "…"]
    return "".join(letter if has(letter) else MISSING for letter in kept)
