"""Health and metrics for operators: alive, ready, counted."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import text

from api import requests
from api.deps import House
from api.worker import sealing
from auth import incidents
from incentives.channels import upkeep

_overdue = Gauge(
    "osmanthus_incidents_overdue", "Incidents that were not reported within four hours", registry=requests.registry
)
_channels_parked = Gauge(
    "osmanthus_channel_orders_parked", "Orders at pay channels that a person must look at", registry=requests.registry
)


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """`status` is `ok`; `warnings` are what an operator should look at though the city works."""

    status: str
    warnings: tuple[str, ...] = ()


@get("/healthz/live", summary="The process answers", tags=["operations"])
async def alive() -> Health:
    """Answer while the process runs."""
    return Health("ok")


@get("/healthz/ready", summary="Database and short-lived store answer", tags=["operations"])
async def ready(house: NamedDependency[House]) -> Health:
    """Answer 200 when every door's database and the short-lived store answer, else 503."""
    async with house.doors.claims("auth") as session:
        await session.execute(text("select 1"))
    await house.short.epoch()
    return Health("ok", (*await _unsealed(house), *await _unreported(house), *await _parked(house)))


async def _unsealed(house: House) -> list[str]:
    waiting = await sealing.unsealed(house)
    late = f"entries of the log have been waiting for their seal for {waiting:.0f} s: see that a worker runs"
    return [late] if waiting > sealing.SLOW_SECONDS else []


async def _unreported(house: House) -> list[str]:
    async with house.doors.claims("jobs") as session:
        late = await incidents.overdue(session)
    _overdue.set(late)
    return [f"incidents not reported within four hours: {late}; see /v1/staff/incidents"] if late else []


async def _parked(house: House) -> list[str]:
    async with house.doors.claims("jobs") as session:
        parked = await upkeep.parked(session)
    _channels_parked.set(parked)
    return [f"orders at pay channels that a person must look at: {parked}; see docs/channels.md"] if parked else []


@get("/metrics", summary="Prometheus metrics", tags=["operations"], include_in_schema=False)
async def metrics() -> Response[bytes]:
    """Counts and times by route template."""
    return Response(generate_latest(requests.registry), media_type=CONTENT_TYPE_LATEST)


handlers = [alive, ready, metrics]
