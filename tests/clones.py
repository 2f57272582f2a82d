"""Databases of one's own: copies of a template, made in thirty milliseconds."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from core import embedded


async def operate(cluster: embedded.Cluster, statement: str) -> None:
    """One statement by the operator in the maintenance database."""
    connection = await asyncpg.connect(cluster.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def copy(cluster: embedded.Cluster, template: str, name: str) -> None:
    """One more database like the template, to which nobody may be connected."""
    await operate(cluster, f"create database {name} template {template} strategy file_copy")


@asynccontextmanager
async def clone(cluster: embedded.Cluster, template: str) -> AsyncGenerator[str]:
    """A database of one's own for the length of a block; yields the owner's DSN."""
    name = f"t_{uuid.uuid4().hex}"
    await copy(cluster, template, name)
    try:
        yield cluster.dsn(name)
    finally:
        await operate(cluster, f"drop database {name} with (force)")
