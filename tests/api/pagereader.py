"""Reads our pages as a browser without scripts does: elements, texts, forms; follows links and submits forms."""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import httpx2

from tests.api.conftest import Server

_VOID = {"meta", "link", "img", "input", "br", "hr"}


class Element:
    """One element: `tag`, `attributes`, `children` (elements and strings)."""

    def __init__(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element without children yet."""
        self.tag, self.attributes = tag, attributes
        self.children: list[Element | str] = []

    @property
    def text(self) -> str:
        """Every text inside, blanks at the ends removed."""
        return "".join(one if isinstance(one, str) else one.text for one in self.children).strip()

    def all(self, *tags: str, **wanted: str) -> list["Element"]:
        """The elements inside with one of the tags (any when none) and these attributes."""
        return [
            one
            for one in self
            if (not tags or one.tag in tags)
            and all(one.attributes.get(name.strip("_")) == value for name, value in wanted.items())
        ]

    def __iter__(self) -> Iterator["Element"]:
        """Every element inside, in order."""
        for one in self.children:
            if isinstance(one, Element):
                yield one
                yield from one


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("root", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(html: str) -> Element:
    """The page; fails where a tag is not closed."""
    builder = _Builder()
    builder.feed(html)
    assert len(builder.open) == 1, f"<{builder.open[-1].tag}> is never closed"
    return builder.open[0]


class Browser:
    """One visitor: cookies, the page they are on, and its address."""

    def __init__(self, server: Server) -> None:
        """Nobody yet."""
        self.http = httpx2.AsyncClient(base_url=server.base_url, follow_redirects=True, timeout=30)
        self.answer: httpx2.Response = httpx2.Response(200)
        self.page = Element("root", {})

    async def go(self, path: str, **options: Any) -> Element:
        """Open a page."""
        return self._on(await self.http.get(path, **options))

    async def submit(self, *, action: str | None = None, **fields: Any) -> Element:
        """Fill in and send the page's form with this action (its only one when none)."""
        forms = [one for one in self.page.all("form") if action is None or one.attributes.get("action") == action]
        assert forms, f"no form {action} on {self.answer.url}"
        filled: dict[str, Any] = {
            one.attributes["name"]: one.attributes.get("value", "")
            for one in forms[0].all("input")
            if one.attributes.get("type") != "checkbox"
        }
        return self._on(await self.http.post(forms[0].attributes["action"], data={**filled, **fields}))

    async def log_in(self, person: Mapping[str, Any], path: str = "/") -> Element:
        """Log in at the demo's identity provider and come back to `path`."""
        await self.go(f"/login?return_to={path}")
        return await self.submit(login=person["login"], password=person["password"])

    async def join(self, person: Mapping[str, Any], *sources: str) -> Element:
        """Log in and agree, with these optional sources."""
        await self.log_in(person)
        return await self.submit(action="/consents", optional_sources=list(sources))

    def _on(self, answer: httpx2.Response) -> Element:
        self.answer = answer
        self.page = read(answer.text)
        return self.page
