"""Every page of a partner's console, in one list for `api.routing`."""

from typing import Any

from api.console import entry, log, sandbox, statements, webhooks

handlers: list[Any] = [handler for module in (entry, log, webhooks, statements, sandbox) for handler in module.handlers]
