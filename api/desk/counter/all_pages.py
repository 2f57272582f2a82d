"""Every page of assisted sessions, in one list for `api.desk.all_pages`."""

from typing import Any

from api.desk.counter import begin, consents, deceased, leaving, looks

handlers: list[Any] = [handler for module in (begin, consents, looks, leaving, deceased) for handler in module.handlers]
