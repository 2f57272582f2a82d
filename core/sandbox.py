"""Whether a database was created as a sandbox. It is so for ever or never: the mark is set by its first migration.

Promises: a city that was migrated without the mark can be turned into a sandbox by no setting, since nothing but
migration 0029 of an empty database makes the schema `sandbox`; and a process whose settings say otherwise than the
database does not start. Does not promise anything about who calls: see `api.sandbox`.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MARK = "select to_regnamespace('sandbox') is not null"


class Mismatch(Exception):
    """The settings and the database disagree on whether this is a sandbox."""


async def must_agree(session: AsyncSession, *, wanted: bool) -> None:
    """Raise Mismatch unless the database is what the settings say."""
    if bool(await session.scalar(text(MARK))) is not wanted:
        raise Mismatch(advice(wanted=wanted))


def advice(*, wanted: bool) -> str:
    """What is wrong, and what to do."""
    if wanted:
        return (
            "OSMANTHUS_SANDBOX=1, but this database was not created as a sandbox and never becomes one: "
            "migrate an empty database with OSMANTHUS_SANDBOX=1 (the demo: RESET=1 make demo), or unset it."
        )
    return (
        "This database was created as a sandbox, whose clock can be moved: set OSMANTHUS_SANDBOX=1, "
        "or give the city a database of its own."
    )
