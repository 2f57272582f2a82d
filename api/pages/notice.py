"""A notice on a page: its text as HTML, and what it says of each source in a line.

The words are the notice's own, as they were published and as consent receipts hash them; nothing is added.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from markdown_it import MarkdownIt
from markupsafe import Markup

from auth.notices import Notice

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_DEEPER = 2
_ROW = re.compile(r"^\|\s*([^|]+?)\s*\|\s*([^|]+?)\s*\|\s*$", re.MULTILINE)


def notice_html(notice: Notice) -> Markup:
    """The notice as HTML, its headings two levels deeper, without its own title. HTML in the text stays text."""
    tokens = _MARKDOWN.parse(notice.body_markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1:]) + _DEEPER)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704  (rendered with html off)


def takes(notice: Notice) -> Mapping[str, str]:
    """What is taken from each source, by its name: the rows of the notice's tables; empty where it has no row."""
    return defaultdict(str, _ROW.findall(notice.body_markdown))
