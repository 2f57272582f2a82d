"""What a repeat of an Idempotency-Key must share with the first request, and what is said where it differs.

Promises: a conflict names the members in which the two differ, never their values.
"""

from collections.abc import Collection, Mapping

import msgspec

from core.errors import FieldError
from core.idempotency import IdempotencyConflict


def conflict(first: str, given: Mapping[str, object]) -> IdempotencyConflict:
    """The conflict that names each member in which a repeat differs from the first input, as JSON kept it."""
    return _named(_changed(first, given, ""))


def of_list(differing: Mapping[int, tuple[str, Mapping[str, object]]]) -> IdempotencyConflict:
    """The conflict of a list: first input and repeat by the places that differ."""
    return _named(
        {name for at, (first, given) in differing.items() for name in _changed(first, given, f"/checks/{at}")}
    )


def _changed(first: str, given: Mapping[str, object], at: str) -> set[str]:
    """Pointers of the members that differ, below `at`; how many a list has is the list's own."""
    before = msgspec.json.decode(first, type=dict[str, object])
    changed = {name for name in {*before, *given} if before.get(name) != given.get(name)}
    return {"/checks" if name == "of" else f"{at}/{name}" for name in changed}


def _named(pointers: Collection[str]) -> IdempotencyConflict:
    named = sorted(pointers)
    said = ", ".join(pointer[1:] for pointer in named)
    detail = f"Differs from the first request in: {said}. Use a new key for a new request."
    errors = [FieldError(pointer, "differs", "Send the first value or a new key.") for pointer in named]
    return IdempotencyConflict(detail, errors=errors)
