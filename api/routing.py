"""Every route of a deployment: what each part of this floor answers, in one list."""

from pathlib import Path

from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]  (its deque)
from litestar.types import ControllerRouterHandler

from api import channels, health, openapi, slips
from api.citizen import (
    cards,
    consents,
    credentials,
    credit_code,
    events,
    export,
    histories,
    leaving,
    me,
    occupational,
    plates,
    proxies,
    reminders,
    report,
    rule_changes,
    score,
    verifications,
    whatif,
    wishes,
)
from api.citizen import commitments as citizen_commitments
from api.citizen import declarations as citizen_declarations
from api.citizen import disputes as citizen_disputes
from api.citizen import orders as citizen_orders
from api.citizen import perks as citizen_perks
from api.citizen import records as citizen_records
from api.citizen import repairs as citizen_repairs
from api.citizen import reviews as citizen_reviews
from api.citizen import rides as citizen_rides
from api.citizen import sessions as citizen_sessions
from api.citizen import tickets as citizen_tickets
from api.citycard import cards as citycard_cards
from api.citycard import codes as citycard_codes
from api.citycard import entitlements as citycard_entitlements
from api.citycard import gtfs as citycard_gtfs
from api.citycard import perks as citycard_perks
from api.citycard import rides as citycard_rides
from api.citycard import statements as citycard_statements
from api.console import all_pages as console_pages
from api.desk import all_pages as desk_pages
from api.identity import challenge, consenting, idp, login, oauth
from api.pages import all_pages
from api.partner import (
    batch,
    consoles,
    counters,
    eligibility,
    guarantees,
    orders,
    presentations,
    statements,
    visits,
    webhooks,
)
from api.partner import events as partner_events
from api.partner import perks as partner_perks
from api.partner import plates as partner_plates
from api.public import creditcodes, log, machines, measures, rules, statistics, verifying
from api.sandbox import assembly as sandbox
from api.source import assembly as source
from api.staff import (
    assessments,
    audits,
    clients,
    counter,
    deceased,
    incidents,
    people,
    quality,
    rehearsals,
    releases,
    seating,
    workdays,
)
from api.staff import counters as shop_counters
from api.staff import decisions as staff_decisions
from api.staff import disputes as staff_disputes
from api.staff import orders as staff_orders
from api.staff import repairs as staff_repairs
from api.staff import reviews as staff_reviews
from api.visitors import wallets
from api.wallet import assembly as wallet
from core.settings import Settings

_PAGES = Path(__file__).parent / "pages"

_MODULES = (
    health,
    openapi,
    oauth,
    login,
    challenge,
    consenting,
    consents,
    reminders,
    rule_changes,
    me,
    events,
    citizen_sessions,
    score,
    histories,
    verifications,
    whatif,
    citizen_records,
    citizen_reviews,
    citizen_rides,
    citizen_repairs,
    citizen_declarations,
    citizen_commitments,
    citizen_disputes,
    citizen_orders,
    citizen_tickets,
    export,
    report,
    occupational,
    verifying,
    statistics,
    measures,
    leaving,
    source,
    eligibility,
    batch,
    presentations,
    wallets,
    orders,
    guarantees,
    channels,
    visits,
    partner_perks,
    partner_plates,
    counters,
    consoles,
    statements,
    partner_events,
    webhooks,
    citycard_perks,
    citycard_rides,
    citycard_codes,
    citycard_statements,
    citycard_gtfs,
    citycard_cards,
    citycard_entitlements,
    credit_code,
    credentials,
    wallet,
    citizen_perks,
    cards,
    plates,
    proxies,
    releases,
    rehearsals,
    assessments,
    quality,
    clients,
    seating,
    shop_counters,
    incidents,
    audits,
    staff_reviews,
    staff_repairs,
    staff_decisions,
    staff_disputes,
    staff_orders,
    workdays,
    counter,
    people,
    deceased,
    wishes,
    rules,
    creditcodes,
    machines,
    slips,
    log,
    all_pages,
    desk_pages,
)


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every route of a deployment with these settings."""
    return [
        *(handler for module in _MODULES for handler in module.handlers),
        *idp.handlers_for(settings),
        *console_pages.handlers_for(settings),
        *sandbox.handlers_for(settings),
        create_static_files_router(
            path="/static", directories=[_PAGES / "static"], cache_control=CacheControlHeader(public=True, max_age=3600)
        ),
    ]
