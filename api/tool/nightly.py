"""`osmanthus score nightly`: today's pass over everyone, with a bar. The worker runs it, too."""

import sys
from datetime import timedelta

from sqlalchemy import select

from api.tool.progress import Bar
from core import clock, pgerrors, sealed
from core.db import Doors
from core.errors import Unavailable
from core.keys import Keyring
from core.settings import Settings
from core.tables import civil_offset

LATER = 75  # sysexits.h: EX_TEMPFAIL


async def make(known: Settings) -> int:
    """Make today's pass, or what is left of it; LATER when the database is away or another process makes it."""
    from scoring.batch import nightly  # loads an engine

    sealed.choose(known.suite)
    doors = Doors(known.database_url, Keyring(known.master_key, known.epochs_file), known.role_prefix, size=3)
    try:
        async with doors.claims("jobs") as session:
            clock.move(await session.scalar(select(civil_offset.c.moved)) or timedelta(0))
        with Bar("The daily pass") as bar:
            ended = await nightly.run(
                doors, as_of=clock.today(), progress=lambda done, total: bar.step("people", done, total)
            )
    except Exception as error:
        if not (isinstance(error, (nightly.MadeElsewhere, Unavailable)) or pgerrors.is_unavailable(error)):
            raise
        print(f"osmanthus: {error} It goes on when asked again.", file=sys.stderr)
        return LATER
    finally:
        await doors.close()
    print(f"{ended.day}: {ended.people} people looked at, {ended.changed} standings say something new.")
    return 0
