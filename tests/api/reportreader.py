"""Reading a report back: its pages as pictures, its text, its code."""

import re
from typing import Any

import pypdfium2
import zxingcpp


def pictures(pdf: bytes, *, dpi: int = 80) -> list[Any]:
    """Every page as an array of pixels."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72).to_numpy() for page in document]
    finally:
        document.close()


def text(pdf: bytes) -> str:
    """What a reader's program takes the page to say, without the spaces between Chinese and Latin letters."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        said = "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()
    return re.sub(r"[ \r]+", "", said)


def code(pdf: bytes, *, dpi: int = 80) -> str:
    """The text of the one code on the first page."""
    (found,) = zxingcpp.read_barcodes(pictures(pdf, dpi=dpi)[0])
    return found.text
