"""`GET /v1/state-machines`: every course that a matter can take here, for everybody, signed (`api.public.published`).

`REGISTRY` is the list; docs/state-machines.md is drawn from it, and a test holds the two equal. A room adds its table
here when it has one.
"""

from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide

from api.deps import HttpRequest
from api.public import published, rules
from api.public.published import Press
from core import releases
from core.lifecycle import Machine
from incentives.orders.courses import ORDER, PASS, TICKET
from scoring.rights import courses, disputing

REGISTRY: tuple[Machine, ...] = (
    ORDER,
    TICKET,
    PASS,
    disputing.DISPUTE,
    courses.REPAIR,
    courses.DECLARATION,
    courses.COMMITMENT,
    releases.COURSE,
)

_HEAD = """# State machines

What can become of each matter, and by whose act. Drawn from the tables that the code asks (`core/lifecycle.py`); the
same tables are served, signed, at `GET /v1/state-machines`. Whatever a table does not show is refused with 409
`illegal_transition` and the list of what is possible. Do not edit this page: a test holds it equal to the tables and
says how to write it anew.
"""


def page() -> str:
    """The page docs/state-machines.md."""
    return "\n".join([_HEAD, *(table.markdown() for table in REGISTRY)])


def shown(table: Machine) -> dict[str, Any]:
    """A table as JSON: moves become objects, and each state says what is possible in it."""
    said = msgspec.to_builtins(table)
    for state in said["states"]:
        state["allowed_actions"] = table.allowed(state["name"])
    said["moves"] = [{"from": source, "event": event, "to": to} for source, event, to in table.moves]
    return {**said, "start": table.start}


@get("/v1/state-machines", summary="The courses of every matter", tags=["rules"])
async def machines(request: HttpRequest, press: NamedDependency[Press]) -> Response[Any]:
    """States, events with whose act they are, and moves: orders, disputes, repairs, declarations and the rest."""
    document = press.document("state-machines", lambda: {"machines": [shown(table) for table in REGISTRY]})
    return published.answer(request, document)


handlers = [Router(path="/", route_handlers=[machines], dependencies={"press": Provide(rules.provide_press)})]
