"""From a paper to a PDF: one typst page, tagged (PDF/A-2a and PDF/UA-1), the same bytes for the same paper.

Values reach the page as one JSON text and are plain text there, whatever they contain. A compiler belongs to one
thread, so printing has two threads with one each, off the event loop; typst is loaded by the first page. Nothing is
read but the folders beside this file: no fonts of the machine, no packages.
"""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import segno

from scoring.reports.paper import Paper

_HERE = Path(__file__).parent
_STANDARDS = ["a-2a", "ua-1"]
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="printing")
_own = threading.local()


async def printed(paper: Paper, *, number: str, address: str) -> bytes:
    """The PDF. `number` is shown as it is given; `address` is the page that checks it, and goes into the code."""
    page = _page(paper, number, address)
    return await asyncio.get_running_loop().run_in_executor(_threads, _compile, page, paper)


def _page(paper: Paper, number: str, address: str) -> str:
    """Everything that varies on the page, as JSON."""
    day = paper.issued_on
    dates = {"出具日期": _chinese(paper.issued_on), "可查验至": _chinese(paper.valid_until)}
    told: dict[str, Any] = msgspec.to_builtins(paper)
    told |= {
        "issued": [day.year, day.month, day.day],
        "facts": [*told["facts"], *({"label": label, "value": value, "note": ""} for label, value in dates.items())],
        "number": number,
        "address": address,
        "code": _code(f"{address}#{number.replace('-', '')}"),
        "code_says": f"查验这份报告的二维码，内容是网址{address}和编号{number}",
    }
    return msgspec.json.encode(told).decode()


def _chinese(day: Any) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _code(text: str) -> str:
    """A QR code as SVG; one eighth of it may be covered."""
    sink = io.BytesIO()
    segno.make_qr(text, error="m").save(sink, kind="svg", scale=4, border=4, xmldecl=False)
    return sink.getvalue().decode()


def _compile(page: str, paper: Paper) -> bytes:
    """Run this thread's compiler; the time inside the file is the beginning of the day of issue."""
    at = datetime(paper.issued_on.year, paper.issued_on.month, paper.issued_on.day, tzinfo=UTC)
    return _compiler().compile(
        sys_inputs={"paper": page}, format="pdf", pdf_standards=_STANDARDS, timestamp=int(at.timestamp())
    )


def _compiler() -> Any:
    if not hasattr(_own, "compiler"):
        import typst  # noqa: PLC0415  (80 MB that only a process which prints needs)

        _own.compiler = typst.Compiler(
            str(_HERE / "pages" / "paper.typ"),
            root=str(_HERE),
            font_paths=[str(_HERE / "fonts")],
            ignore_system_fonts=True,
        )
    return _own.compiler
