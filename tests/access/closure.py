"""What each door may touch, computed from the catalogue, and as it is written down in `closure.toml`."""

import tomllib
from pathlib import Path
from typing import Any

import asyncpg

from tests.access.doors import BEHIND
from tests.conftest import PREFIX

WRITTEN: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

_OUTSIDE = "not in ('pg_catalog', 'information_schema', 'pg_toast') and nspname not like 'pg_temp%'"
_RELATIONS = f"""
select c.oid::regclass::text as name, kind, has_table_privilege($1, c.oid, kind) as whole, (
  select string_agg(attname, ', ' order by attnum) from pg_attribute
  where attrelid = c.oid and attnum > 0 and not attisdropped and kind in ('select', 'insert', 'update', 'references')
    and has_column_privilege($1, c.oid, attnum, kind)) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain'])
  with ordinality k (kind, place)
where c.relkind in ('r', 'v', 'm', 'p', 'f') and nspname {_OUTSIDE}
order by 1, k.place
"""
_SEQUENCES = f"""
select c.oid::regclass::text as name, kind
from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join unnest(array['usage', 'select', 'update']) kind
where c.relkind = 'S' and nspname {_OUTSIDE} and has_sequence_privilege($1, c.oid, kind)
"""
_FUNCTIONS = f"""
select nspname || '.' || proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where nspname {_OUTSIDE} and has_function_privilege($1, p.oid, 'execute') order by 1
"""
_SCHEMAS = f"""
select nspname || case when has_schema_privilege($1, oid, 'create') then ' create' else '' end
from pg_namespace where nspname {_OUTSIDE} and has_schema_privilege($1, oid, 'usage, create') order by 1
"""


async def rights(catalogue: asyncpg.Connection, door: str) -> dict[str, Any]:
    """A door's rights in the form of `closure.toml`: schemas, functions, and privileges a relation."""
    role = f"{PREFIX}_{door}"
    held: dict[str, list[str]] = {}
    for row in await catalogue.fetch(_RELATIONS, role):
        if row["whole"]:
            held.setdefault(row["name"], []).append(row["kind"])
        elif row["columns"]:
            held.setdefault(row["name"], []).append(f"{row['kind']}({row['columns']})")
    for row in await catalogue.fetch(_SEQUENCES, role):
        held.setdefault(row["name"], []).append(row["kind"])
    lists = {"schemas": _SCHEMAS, "functions": _FUNCTIONS}
    named = {name: [row[0] for row in await catalogue.fetch(query, role)] for name, query in lists.items()}
    return named | {name: " ".join(kinds) for name, kinds in held.items()}


async def unwritten(catalogue: asyncpg.Connection) -> list[str]:
    """Every difference between the catalogue and the table, one a line; empty where they are equal."""
    found: list[str] = []
    for door in BEHIND:
        now, written = await rights(catalogue, door), WRITTEN[door]
        found += [
            f"{door}: {name}: the catalogue says {now.get(name)}, the table {written.get(name)}"
            for name in sorted(now.keys() | written.keys())
            if now.get(name) != written.get(name)
        ]
    return found
