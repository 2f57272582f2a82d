"""Every page of assisted sessions, in one list for `api.desk.all_pages`."""

from typing import Any

from api.desk.counter import begin, consents, leaving, looks

handlers: list[Any] = [handler for module in (begin, consents, looks, leaving) for handler in module.handlers]
