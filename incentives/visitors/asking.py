"""What a wallet is asked: a signed request object (OpenID4VP 1.0, section 5; RFC 9101) with a DCQL query. Pure.

Promises: one threshold and the name of the city are asked for, nothing else, and of cities alone whose map needs that
very threshold; the answer goes to one address, by `direct_post`. Our client id is our origin, known beforehand: wallets
know our key by `/.well-known/jwks.json` of that origin. Not claimed: certificates (`x509_hash`), encrypted answers.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from incentives.recognition.credential import TYPE as FORMAT
from incentives.recognition.credential import VCT, predicate

KID = "vp-1"
TYPE = "oauth-authz-req+jwt"
LIFE = 300
_AUDIENCE = "https://self-issued.me/v2"
_ALGORITHMS = ["ES256"]


class Question(msgspec.Struct, frozen=True):
    """One question: our origin `client_id`, where the answer goes, its nonce and times, and each threshold's cities."""

    client_id: str
    response_uri: str
    nonce: str
    made_at: datetime
    expires_at: datetime
    asks: Mapping[int, tuple[str, ...]]


def claims(question: Question) -> dict[str, Any]:
    """What the request object says."""
    formats = {FORMAT: {"sd-jwt_alg_values": _ALGORITHMS, "kb-jwt_alg_values": _ALGORITHMS}}
    return {
        "iss": question.client_id,
        "aud": _AUDIENCE,
        "client_id": question.client_id,
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "response_uri": question.response_uri,
        "nonce": question.nonce,
        "state": question.nonce,
        "iat": int(question.made_at.timestamp()),
        "exp": int(question.expires_at.timestamp()),
        "client_metadata": {"vp_formats_supported": formats},
        "dcql_query": query(question.asks),
    }


def query(asks: Mapping[int, tuple[str, ...]]) -> dict[str, Any]:
    """The DCQL query (section 6): a credential for each threshold, of the cities where it is needed; one is enough."""
    credentials = [_credential(least, cities) for least, cities in asks.items()]
    if len(credentials) == 1:
        return {"credentials": credentials}
    return {"credentials": credentials, "credential_sets": [{"options": [[one["id"]] for one in credentials]}]}


def _credential(least: int, cities: tuple[str, ...]) -> dict[str, Any]:
    shown = [{"path": [predicate(least)]}, {"path": ["city"], "values": list(cities)}]
    return {"id": predicate(least), "format": FORMAT, "meta": {"vct_values": [VCT]}, "claims": shown}


def presented(token: object) -> str | None:
    """The one presentation of a `vp_token` (section 8.1), an object or its JSON; None for anything else."""
    held = _read(token) if isinstance(token, str) else token
    if not isinstance(held, dict):
        return None
    members = list(cast("dict[object, object]", held).values())
    some = members[0] if len(members) == 1 else None
    if not isinstance(some, list) or len(several := cast("list[object]", some)) != 1:
        return None
    return several[0] if isinstance(several[0], str) else None


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
