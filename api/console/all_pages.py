"""Every page of a partner's console, in one list for `api.routing`; the sandbox's only where there is one."""

from typing import Any

from api.console import entry, log, sandbox, statements, webhooks
from core.settings import Settings


def handlers_for(settings: Settings) -> list[Any]:
    """The routes of a deployment's console."""
    modules = (entry, log, webhooks, statements, *([sandbox] if settings.sandbox else []))
    return [handler for module in modules for handler in module.handlers]
