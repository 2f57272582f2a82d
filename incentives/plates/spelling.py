"""How a number plate is written: the one spelling of it that is digested (GA 36-2018).

Pure. Seven characters, or the eight of a new-energy vehicle; never I or O. Says whether a plate can exist, never
whether it was issued or to whom.
"""

import re
import unicodedata

_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
_ANY = "A-HJ-NP-Z0-9"
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z]"
    rf"(?:[{_ANY}]{{4}}[{_ANY}学挂警港澳]|[A-HJK][{_ANY}][0-9]{{4}}|[0-9]{{5}}[A-HJK])"
)
_BETWEEN = re.compile(r"[\s·•・.-]")
LONGEST = 32


def normal(text: str) -> str | None:
    """The plate as it is digested: NFKC, capitals, nothing between the characters; None for what is no plate."""
    if len(text) > LONGEST:
        return None
    plate = _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).upper()
    return plate if _PLATE.fullmatch(plate) else None
