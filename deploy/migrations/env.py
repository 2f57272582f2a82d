"""Where Alembic meets our tables: on a connection of `core.postgres.migrate`, or one made from the environment."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

import auth.consent.tables
import auth.counter.tables
import auth.granttables
import auth.tables
import core.short.tables
import incentives.citycard.tables
import incentives.events.tables
import incentives.tables
import scoring.feedtables
import scoring.rehearsal.tables
import scoring.reporttables
import scoring.righttables
import scoring.tables
from core.postgres.engine import engine_of
from core.tables import metadata

# Imported so that the metadata is whole.
ROOMS = (
    core.short.tables,
    auth.tables,
    auth.granttables,
    auth.consent.tables,
    auth.counter.tables,
    scoring.feedtables,
    scoring.reporttables,
    scoring.tables,
    scoring.rehearsal.tables,
    scoring.righttables,
    incentives.citycard.tables,
    incentives.events.tables,
    incentives.tables,
)


def run(connection: Connection) -> None:
    """Migrate on this connection, inside its transaction."""
    context.configure(connection=connection, target_metadata=metadata, include_schemas=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    """Migrate on a connection of our own, for Alembic's command line."""
    context.config.attributes.setdefault("role_prefix", os.environ.get("OSMANTHUS_ROLE_PREFIX", "osmanthus"))
    engine = engine_of(os.environ["DATABASE_URL"])
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if (handed := context.config.attributes.get("connection")) is not None:
    run(handed)
else:
    asyncio.run(connect())
