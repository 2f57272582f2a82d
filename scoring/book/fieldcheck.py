"""The closed types of record fields, as checks compiled once from the catalogue.

Pure. A check takes the raw JSON value and the day of receipt and returns the value to keep; a value that does not fit
raises `Refused` with the code of the contract and a detail that names the field and the next step, never the value.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import cast

from core import idnumber
from scoring.book.kinds import Field

Check = Callable[[object, date], object]

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_EARLIEST = date(1900, 1, 1)


class Refused(Exception):
    """One line is not taken: the contract's code and a detail without any value."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep both."""
        super().__init__(code)
        self.code = code
        self.detail = detail


def compile_field(field: Field) -> Check:
    """Build the check of one field."""
    return _MAKERS[field.type](field)


def text(name: str, value: object, longest: int) -> str:
    """Take a printable text of 1 to `longest` characters."""
    if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() and not value.isspace():
        return value
    raise Refused(
        "malformed", f"`{name}` must be a printable text of 1 to {longest} characters. Correct it and resend."
    )


def day(name: str, value: object) -> date:
    """Take a date YYYY-MM-DD from 1900 on."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = date.min
        if found >= _EARLIEST:
            return found
    raise Refused("malformed", f"`{name}` must be a real date, YYYY-MM-DD. Correct it and resend.")


def past_day(name: str, value: object, received_on: date) -> date:
    """Take a date that has come."""
    found = day(name, value)
    if found > received_on:
        raise Refused("future_date", f"`{name}` lies in the future. Send the record once the day has come.")
    return found


def _text(field: Field) -> Check:
    return lambda value, _: text(f"fields.{field.name}", value, field.longest)


def _true(field: Field) -> Check:
    def check(value: object, _: date) -> object:
        if value is True:
            return True
        if value is False:
            raise Refused(
                "nothing_to_record",
                f"`fields.{field.name}` is false: only what was kept is recorded. Leave the line out.",
            )
        raise Refused("malformed", f"`fields.{field.name}` must be true. Correct it and resend.")

    return check


def _date(field: Field) -> Check:
    name = f"fields.{field.name}"
    if field.future:
        return lambda value, _: day(name, value)
    return lambda value, received_on: past_day(name, value, received_on)


def _month(field: Field) -> Check:
    def check(value: object, received_on: date) -> object:
        if not isinstance(value, str) or not _MONTH.fullmatch(value) or value < "1900":
            raise Refused("malformed", f"`fields.{field.name}` must be a month, YYYY-MM. Correct it and resend.")
        if value > received_on.isoformat()[:7]:
            raise Refused(
                "future_date", f"`fields.{field.name}` lies in the future. Send the record once the month has come."
            )
        return value

    return check


def _whole(field: Field) -> Check:
    def check(value: object, _: date) -> object:
        if type(value) is int and field.low <= value <= field.high:
            if value >= field.least:
                return value
            why = f"`fields.{field.name}` below {field.least} is not recorded. Leave the line out."
            raise Refused("nothing_to_record", why)
        wanted = f"a whole number from {field.low} to {field.high}"
        raise Refused("malformed", f"`fields.{field.name}` must be {wanted}. Correct it and resend.")

    return check


def _enum(field: Field) -> Check:
    refused = dict(field.refused)

    def check(value: object, _: date) -> object:
        if isinstance(value, str):
            if value in field.values:
                return value
            if value in field.nothing:
                raise Refused("nothing_to_record", f"This `fields.{field.name}` is not taken. Leave the line out.")
            if value in refused:
                raise Refused(
                    refused[value], f"This `fields.{field.name}` is not taken from natural persons. Leave the line out."
                )
        raise Refused(
            "malformed", f"`fields.{field.name}` must be one of {', '.join(field.values)}. Correct it and resend."
        )

    return check


def _uscc(field: Field) -> Check:
    def check(value: object, _: date) -> object:
        if isinstance(value, str) and idnumber.organisation(value):
            return value
        wanted = "a unified social credit code (GB 32100, 18 characters, check character included)"
        raise Refused("malformed", f"`fields.{field.name}` must be {wanted}. Correct it and resend.")

    return check


def _grade(field: Field) -> Check:
    """Take a grade as its row, 1 to 6, or by name; `scoring.book.schemes` holds it against the table of its month."""

    def check(value: object, _: date) -> object:
        if type(value) is int and 1 <= value <= 6:  # noqa: PLR2004  six rows, as the contract says
            return value
        if isinstance(value, str) and value:
            return text(f"fields.{field.name}", value, 32)
        raise Refused("malformed", f"`fields.{field.name}` must be a row of the scheme's table, 1 to 6, or its name.")

    return check


def members(name: str, value: object) -> dict[str, object]:
    """Take a JSON object."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    raise Refused("malformed", f"`{name}` must be a JSON object. Correct it and resend.")


_MAKERS: dict[str, Callable[[Field], Check]] = {
    "text": _text,
    "true": _true,
    "date": _date,
    "month": _month,
    "whole": _whole,
    "enum": _enum,
    "uscc": _uscc,
    "grade": _grade,
}
