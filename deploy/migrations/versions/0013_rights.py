"""Rights: statements, matters for a person to look at, erasure certificates."""

from collections.abc import Iterator

from alembic import context, op

from core.postgres.migrate import statements

revision = "0013"
down_revision = "0012"


# What carries a citizen's id and stays, or is emptied by its own verb.
_STAY = ("auth.consent", "auth.source_subject")


def upgrade() -> None:
    """Make the tables, the functions through which staff reach what citizens asked, and the one by which they leave."""
    role = context.config.attributes["role_prefix"]
    for statement in statements("0013_rights.sql", role):
        op.execute(statement)
    for statement in _leave(role):
        op.execute(statement)


def _loose() -> list[str]:
    """The tables of `auth` whose rows carry a citizen's id and do not go with the citizen's row by themselves."""
    found = op.get_bind().exec_driver_sql(
        "select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where c.relnamespace = 'auth'::regnamespace and c.relkind = 'r' and a.attname = 'citizen_id' "
        "and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' "
        "and k.confrelid = 'auth.citizen'::regclass and k.confdeltype = 'c' and a.attnum = any (k.conkey)) order by 1"
    )
    return [name for (name,) in found if name not in _STAY]


def _leave(role: str) -> Iterator[str]:
    """auth.leave: in one statement, delete whoever has the live session or token of this hash."""
    loose = [*_loose(), "incentives.credit_code"]
    mine = "using me where t.citizen_id = me.id returning 1"
    steps = [f"d{at} as (delete from {name} t {mine})" for at, name in enumerate(loose)]
    steps += [
        "told as (update incentives.decision t set citizen_id = null from me where t.citizen_id = me.id returning 1)",
        "gone as (delete from auth.citizen t using me where t.id = me.id returning 1)",
    ]
    counts = [f"select '{name}', count(*) from d{at}" for at, name in enumerate(loose)]
    counts += ["select 'incentives.decision', count(*) from told", "select 'auth.citizen', count(*) from gone"]
    body = ", ".join(steps)
    yield f"grant select, delete on {', '.join(loose)}, auth.citizen to {role}_gate"
    yield f"grant select on auth.session to {role}_gate"
    yield f"grant select, update (citizen_id) on incentives.decision to {role}_gate"
    yield f"grant {role}_gate to current_user"
    yield f"grant create on schema auth to {role}_gate"
    yield (
        "create function auth.leave(p_proof bytea) returns table (name text, gone bigint) "
        "language sql volatile security definer begin atomic with me as materialized ("
        "select s.citizen_id as id from auth.session s "
        "where s.hash = p_proof and s.ended_at is null and s.expires_at > now() "
        "union select t.citizen_id from auth.token t "
        "where t.jti_hash = p_proof and t.revoked_at is null and t.expires_at > now() and t.citizen_id is not null), "
        f"{body} {' union all '.join(counts)}; end"
    )
    yield f"alter function auth.leave(bytea) owner to {role}_gate"
    yield f"revoke create on schema auth from {role}_gate"
    yield f"revoke {role}_gate from current_user"
    yield "revoke all on function auth.leave(bytea) from public"
    yield f"grant execute on function auth.leave(bytea) to {role}_citizen"


def downgrade() -> None:
    """Take them away; what citizens said and asked goes with them."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop function auth.leave")
    for name in [*_loose(), "incentives.credit_code", "auth.citizen"]:
        op.execute(f"revoke delete on {name} from {role}_gate")
    op.execute(f"revoke update (citizen_id) on incentives.decision from {role}_gate")
    op.execute("drop function auth.turn_matter, auth.read_matter, auth.waiting_matters")
    op.execute("drop table core.erasure, auth.matter, scoring.statement")
    op.execute(f"revoke select on keys.person_key from {role}_gate")
    op.execute(f"revoke usage on schema keys from {role}_gate")
    op.execute(
        "revoke select (id, partner_id, perk_id, citizen_id, granted, at, valid_until, consent_id, reason) "
        f"on incentives.decision from {role}_citizen"
    )
