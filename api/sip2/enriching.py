"""What a terminal reads of a perk: more in the library's own answer, never less. Pure.

Of Patron Information (64) the charged items limit (`CB`) may grow, and the fee limit (`CC`) where the library books its
deposit as a fee; a screen message (`AF`) in Chinese is added, in Patron Status (24) that alone. The fourteen flags, the
counts, the titles and every other field stay as the library's system said them: a block is never lifted here.
"""

import msgspec

from api.sip2.frames import FEE_LIMIT, LIMIT, SCREEN, Frame

_COUNTS = 35  # in 64: flags 14, language 3, date 18; then six counts of four digits
_ON_LOAN = slice(_COUNTS + 8, _COUNTS + 12)
_MOST = 9999
_FIELD_BYTES = 255
_FEN = 100
_PLACES = 2


class Gift(msgspec.Struct, frozen=True):
    """What is added: a limit of items, fen that a fee limit grows by, sentences for the screen."""

    items: int | None = None
    fees: int = 0
    words: tuple[str, ...] = ()


def is_reader(asked: Frame, answer: Frame) -> bool:
    """Whether the library knows this reader: not said to be invalid (`BL`), and no wrong password (`AD`, `CQ`)."""
    return answer.get("BL") != "N" and not (asked.get("AD") and answer.get("CQ") == "N")


def on_loan(answer: Frame) -> int | None:
    """How many items Patron Information says are on loan; nothing where it does not say."""
    return _number(answer.fixed[_ON_LOAN]) if answer.code == "64" else None


def limit(answer: Frame) -> int | None:
    """How many items the reader may have on loan, by the library's system."""
    return _number(answer.get(LIMIT))


def enriched(answer: Frame, gift: Gift) -> Frame:
    """The answer with the gift; nothing in it is less than before."""
    if answer.code == "64" and gift.items is not None:
        answer = _with_limit(answer, min(gift.items, _MOST))
    if answer.code == "64" and gift.fees > 0:
        answer = _with_fees(answer, gift.fees)
    return answer if not gift.words else _with_words(answer, gift.words)


def _with_limit(answer: Frame, items: int) -> Frame:
    """A limit in a form of their own stays: who reads it knows what it means."""
    known = 0 if answer.get(LIMIT) is None else limit(answer)
    return answer if known is None or known >= items else answer.with_field(LIMIT, f"{items:04d}")


def _with_fees(answer: Frame, fen: int) -> Frame:
    """The fee limit grows by the deposit that is not asked for; in yuan only, and only where there is a limit."""
    said = _fen(answer.get(FEE_LIMIT))
    if said is None or answer.get("BH") not in {None, "", "CNY"}:
        return answer
    return answer.with_field(FEE_LIMIT, f"{(said + fen) // _FEN}.{(said + fen) % _FEN:02d}")


def _with_words(answer: Frame, words: tuple[str, ...]) -> Frame:
    """Screen messages after those that are there."""
    places = [place for place, (name, _) in enumerate(answer.fields) if name == SCREEN]
    after = places[-1] + 1 if places else len(answer.fields)
    more = tuple((SCREEN, _short(text)) for text in words)
    return msgspec.structs.replace(answer, fields=(*answer.fields[:after], *more, *answer.fields[after:]))


def _short(text: str) -> str:
    """As much as a field holds (255 bytes), in whole letters and without the signs that end fields."""
    plain = "".join(" " if sign in "|\r\n\0" else sign for sign in text)
    return plain.encode()[:_FIELD_BYTES].decode(errors="ignore")


def _number(said: str | None) -> int | None:
    text = (said or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _fen(said: str | None) -> int | None:
    """An amount such as 12.34, in fen."""
    whole, _, part = (said or "").strip().partition(".")
    yuan, fen = _number(whole), _number(part.ljust(_PLACES, "0"))
    return None if yuan is None or fen is None or len(part) > _PLACES else yuan * _FEN + fen
