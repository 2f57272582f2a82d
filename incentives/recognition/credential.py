"""The credential 信用凭证: what a city attests of a holder, as an SD-JWT VC (RFC 9901, `dc+sd-jwt`). Pure.

It says which points were reached (`over_110` …), each to be shown alone; neither points nor tier, no name, no number.
What is not reached has no claim, so there is nothing bad to show. Everything that is always visible is the same for all
whom a city gave one on that day, but the holder's key of this very copy and its place in a status list, which are
drawn at random: copies are shown once, so two of them have nothing in common. As many digests as `PLACES`, whatever
was reached: what is not a claim is a decoy (section 4.2.5).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from core import jose
from core.signed import Signer, epoch_day
from incentives.recognition import sdjwt

VCT = "urn:osmanthus:credential:points-reached:1"
TYPE = "dc+sd-jwt"
DAYS = 30
PLACES = 16
NOISE = 32
FACTS = ("city", "as_of", "scorecard")
_SALT = 16


class Attested(msgspec.Struct, frozen=True):
    """What is attested: thresholds reached (whole points), and by which city, on which day, under which scorecard."""

    reached: frozenset[int]
    city: str
    as_of: date
    scorecard: str


class Place(msgspec.Struct, frozen=True):
    """A copy's place in a status list of its issuer (Token Status List, section 6)."""

    uri: str
    index: int


def predicate(threshold: int) -> str:
    """The claim that says that a threshold is reached."""
    return f"over_{threshold}"


def issue(
    signer: Signer, attested: Attested, *, issuer: str, holder: Mapping[str, Any], day: date, place: Place, noise: bytes
) -> str:
    """One copy for one key: the SD-JWT with all its disclosures, for the holder alone.

    `holder` is the public JWK, `noise` are `PLACES` x `NOISE` random bytes: salts, and digests of nothing.
    Raises ValueError for too little noise or more claims than places.
    """
    said: list[tuple[str, object]] = [(predicate(one), True) for one in sorted(attested.reached)]
    said += [("city", attested.city), ("as_of", attested.as_of.isoformat()), ("scorecard", attested.scorecard)]
    if len(noise) != PLACES * NOISE or len(said) > PLACES:
        message = f"{PLACES} places of {NOISE} bytes, and no more claims than places"
        raise ValueError(message)
    seeds = [noise[at : at + NOISE] for at in range(0, len(noise), NOISE)]
    shown = [sdjwt.disclosure(jose.base64(seed[:_SALT]), *claim) for seed, claim in zip(seeds, said, strict=False)]
    decoys = [jose.base64(seed) for seed in seeds[len(said) :]]
    claims = {
        "iss": issuer,
        "vct": VCT,
        "iat": epoch_day(day),
        "nbf": epoch_day(day),
        "exp": epoch_day(day + timedelta(days=DAYS)),
        "cnf": {"jwk": dict(holder)},
        "status": {"status_list": {"idx": place.index, "uri": place.uri}},
        "_sd_alg": "sha-256",
        "_sd": sorted([*map(sdjwt.digest, shown), *decoys]),
    }
    return sdjwt.join(signer.sign(claims), shown)
