"""Every page of the credit office's desk, in one list for `api.routing`."""

from typing import Any

from api.desk import audits, board, calendar, drafting, home, incidents, login, matters, partners, releases
from api.desk.counter import all_pages as counter

_MODULES = (login, home, matters, releases, drafting, partners, board, audits, incidents, calendar, counter)
handlers: list[Any] = [handler for module in _MODULES for handler in module.handlers]
