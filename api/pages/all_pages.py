"""Every page that a citizen or a shop may open, in one list for `api.routing`."""

from typing import Any

from api.pages import (
    accesses,
    cards,
    consents,
    counter,
    counting,
    disputes,
    embed,
    forms,
    orders,
    perks,
    plates,
    printed,
    recognition,
    records,
    repairs,
    reports,
    rights,
    rule_changes,
    score,
    sessions,
    whatif,
)

_MODULES = (
    score,
    whatif,
    counting,
    consents,
    perks,
    records,
    repairs,
    disputes,
    orders,
    rights,
    rule_changes,
    reports,
    accesses,
    sessions,
    cards,
    plates,
    embed,
    recognition,
    printed,
    forms,
    counter,
)
handlers: list[Any] = [handler for module in _MODULES for handler in module.handlers]
