"""Does a city do what a league expects of it? Run from outside, against one's own city or another's: a line for each.

    python docs/league/conform.py https://credit.example.city [--trust roots.json]

Needs Python, `cryptography`, and the gate's reader beside (`docs/gate/osmanthus_vc.py`); nothing of a city's. It reads
what is public, and sends what must be refused; it leaves nothing behind. `roots.json` holds the pinned signers of the
trust list, `{"needed": 2, "keys": [...]}`; without it their signatures are not checked. Exit status 0: all passed.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "gate"))

import osmanthus_vc as vc

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
MOST_KEYS, A_DAY, MOST_TTL = 8, 86_400, 3_600


class Told(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


class City:
    """A city, as anybody reaches it."""

    def __init__(self, base: str, trust: dict[str, Any] | None = None) -> None:
        """`base`: its issuer; `trust`: the pinned signers."""
        self.base, self.pinned = base.rstrip("/"), trust

    def send(self, path: str, body: bytes | None = None, **headers: str) -> Told:
        """GET, or POST where there is a body; `path` may be a whole address of this city."""
        address = path if path.startswith(self.base) else self.base + path
        request = urllib.request.Request(
            address, data=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Told(
                    answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
                )
        except urllib.error.HTTPError as error:
            return Told(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())

    def metadata(self) -> dict[str, Any]:
        """What it issues."""
        return self.send("/.well-known/openid-credential-issuer").json()

    def keys(self) -> list[dict[str, Any]]:
        """Its public keys."""
        return self.send("/.well-known/jwks.json").json()["keys"]

    def trust_list(self) -> dict[str, Any]:
        """What its trust list says; read as a gate reads it, where signers are pinned."""
        raw, now = self.send("/.well-known/credit-trust-list").body, time.time()
        if self.pinned:
            return vc.trusted(raw, {one["kid"]: one for one in self.pinned["keys"]}, self.pinned["needed"], now, None)
        return vc.trusted(raw, {}, 0, now, None)


def says(condition: object, why: object) -> None:
    """Fail with a reason."""
    if not condition:
        raise ValueError(why)


def metadata(city: City) -> None:
    """Issuer metadata: its own address, endpoints below it, batches, our type of credential and no other way of signing."""
    told = city.metadata()
    says(told["credential_issuer"] == city.base, f"credential_issuer is {told['credential_issuer']}")
    for name in ("credential_endpoint", "nonce_endpoint", "status_list_aggregation_endpoint"):
        says(vc.under(told[name], city.base), f"{name} is elsewhere")
    says(1 < told["batch_credential_issuance"]["batch_size"] <= 20, "no batches of 2 to 20")
    kinds = [one for one in told["credential_configurations_supported"].values() if one["vct"] == vc.VCT]
    says(kinds and all(one["format"] == "dc+sd-jwt" for one in kinds), "the credential of a league is not issued")
    says(all(one["credential_signing_alg_values_supported"] == ["ES256"] for one in kinds), "not by ES256 alone")


def grant(city: City) -> None:
    """The authorization server knows the pre-authorised code, and binds tokens by DPoP."""
    told = city.send("/.well-known/oauth-authorization-server").json()
    says(told["issuer"] == city.base, "another issuer")
    says(GRANT in told["grant_types_supported"], "no pre-authorised code")
    says("ES256" in told["dpop_signing_alg_values_supported"], "no DPoP by ES256")


def jwks(city: City) -> None:
    """Keys: public ones, each with a name of its own; those of credentials are P-256, one of them for the time to come."""
    keys = city.keys()
    says(not any({"d", "k", "p", "q"} & one.keys() for one in keys), "a private key is published")
    says(len({one["kid"] for one in keys}) == len(keys), "a kid comes twice")
    mine = [one for one in keys if one["kid"].startswith("cred-")]
    says(2 <= len(mine) <= MOST_KEYS, "not two to eight keys cred-…")
    says(all((one["kty"], one["crv"]) == ("EC", "P-256") for one in mine), "not P-256")


def status_lists(city: City) -> None:
    """Status lists: of this city's addresses, signed by its keys for just that address, of two bits, good for a day."""
    for address in addresses(city):
        told = city.send(address)
        says(told.headers["content-type"].startswith("application/statuslist+jwt"), "another content type")
        now, keys = time.time(), {one["kid"]: one for one in city.keys()}
        bits, until = vc.statuses(told.body.decode(), city.base, address, now, lambda _issuer, kid: keys.get(kid))
        says(now < until <= now + A_DAY, "not good for a day at most")
        says(len(bits) >= 16_384, "fewer than 65,536 places: a small list tells")
        says(0 < vc.members(told.body.decode().split(".")[1])["ttl"] <= MOST_TTL, "no ttl of an hour at most")


def cached(city: City) -> None:
    """Who has a list already asks again for a few bytes."""
    for address in addresses(city):
        tag = city.send(address).headers["etag"]
        again = city.send(address, If_None_Match=tag)
        says(again.status in {200, 304}, f"If-None-Match is answered {again.status}")


def no_such_list(city: City) -> None:
    """A list that there is not is 404."""
    where = city.metadata()["status_list_aggregation_endpoint"]
    says(city.send(f"{where}/{secrets.token_hex(13)}").status == 404, "not 404")


def listed(city: City) -> None:
    """The trust list: signed, of this week, numbered; no issuer, city or key twice; status lists below what it says."""
    body = city.trust_list()
    says(body["cities"], "nobody is on it")
    says(
        all(one["about"]["vct"] == vc.VCT and one["about"]["status_origins"] for one in body["cities"]),
        "an entry lacks something",
    )
    says(body["exp"] - body["iat"] <= vc.WEEK, "for longer than a week")


def listed_as_it_is(city: City) -> None:
    """What the list says of this city, if it is on it, is what this city publishes."""
    for one in city.trust_list()["cities"]:
        if one["sub"] != city.base:
            continue
        said, published = (
            {jwk["x"] for jwk in one["jwks"]["keys"]},
            {key["x"] for key in city.keys() if key["kid"].startswith("cred-")},
        )
        says(published <= said, "a key of its credentials is not on the list")
        origins = one["about"]["status_origins"]
        says(
            all(any(vc.under(address, origin) for origin in origins) for address in addresses(city)),
            "a status list elsewhere",
        )


def rules(city: City) -> None:
    """Whom it recognises is published, and signed."""
    told = city.send("/v1/rules/recognition")
    says(told.status == 200 and "x-jws-signature" in told.headers, f"answered {told.status}, or not signed")


def nonces(city: City) -> None:
    """Nonces are fresh each time and kept by nobody in between."""
    given = [city.send("/oid4vci/nonce", b"") for _ in range(2)]
    says(len({one.json()["c_nonce"] for one in given}) == 2, "the same nonce twice")
    says(all("no-store" in one.headers["cache-control"] for one in given), "may be cached")


REFUSED: dict[str, tuple[str, bytes, str, set[int]]] = {
    "a code that was never given": ("/oauth/token", urllib.parse.urlencode({"grant_type": GRANT, "pre-authorized_code": "x" * 43, "tx_code": "000000"}).encode(), "application/x-www-form-urlencoded", {400, 401}),
    "a credential without a token": ("/oid4vci/credential", b'{"credential_configuration_id":"points-reached","proofs":{"jwt":["a.b.c"]}}', "application/json", {400, 401}),
    "a credential by a token made up": ("/oid4vci/credential", b"{}", "application/json", {400, 401}),
    "an answer to a question that nobody asked": (f"/oid4vp/responses/vp_{'0' * 26}", b"vp_token=%7B%7D&state=x", "application/x-www-form-urlencoded", {404}),
    "an answer with an id that is none": ("/oid4vp/responses/vp_..%2f", b"vp_token=x&state=x", "application/x-www-form-urlencoded", {404}),
    "an answer beyond all bounds": (f"/oid4vp/responses/vp_{'0' * 26}", b"vp_token=" + b"A" * 200_000, "application/x-www-form-urlencoded", {404, 413}),
    "a merchant's question without a merchant": ("/v1/partner/presentations", b'{"perk":"transit.discount"}', "application/json", {401}),
}  # fmt: skip


def refused(city: City) -> Iterator[tuple[str, Callable[[], None]]]:
    """What must be refused, and never by a fault."""
    for what, (path, body, kind, statuses) in REFUSED.items():

        def one(path: str = path, body: bytes = body, kind: str = kind, statuses: set[int] = statuses) -> None:
            told = city.send(path, body, Content_Type=kind)
            says(told.status in statuses, f"answered {told.status}")

        yield f"refused: {what}", one


def addresses(city: City) -> list[str]:
    """Where its status lists are (Token Status List, section 9)."""
    return city.send(city.metadata()["status_list_aggregation_endpoint"]).json()["status_lists"]


CHECKS = (metadata, grant, jwks, status_lists, cached, no_such_list, listed, listed_as_it_is, rules, nonces)


def conform(city: City, say: Callable[[str], object]) -> bool:
    """Check everything; say a line for each, and whether all passed."""
    every = [(str(one.__doc__), lambda one=one: one(city)) for one in CHECKS]
    passed = []
    for words, check in [*every, *refused(city)]:
        try:
            check()
            passed.append(True)
            say(f"pass  {words}")
        except Exception as why:
            passed.append(False)
            say(f"FAIL  {words}\n      {type(why).__name__}: {why}")
    say(f"{sum(passed)} of {len(passed)} passed")
    return all(passed)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("base", help="the city's issuer")
    asked.add_argument("--trust", type=Path, help="the pinned signers")
    chosen = asked.parse_args()
    pinned = json.loads(chosen.trust.read_text()) if chosen.trust else None
    sys.exit(0 if conform(City(chosen.base, pinned), print) else 1)
