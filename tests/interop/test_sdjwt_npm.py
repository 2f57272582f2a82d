"""Foreign wallets and verifiers: npm @sd-jwt/sd-jwt-vc beside our credentials, presentations and status lists.

Two versions, each installed into a temporary directory when these tests run; without Node or a registry they are
skipped and say so. 0.20.0 asks for alphas of its own that the registry no longer has: it is given the ones that are.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from joserfc.jwk import ECKey

from core import bitlist
from core.signed import Signer
from incentives.recognition import credential, presentation, statuslist
from incentives.recognition.credential import Attested, Place
from tests.incentives.recognition.wallet import (
    ATTESTED,
    CITY,
    CITY_KEY,
    HERE,
    KID,
    NONCE,
    NOW,
    PLACE,
    Wallet,
    key_of,
)  # fmt: skip
from tests.interop.npmscript import Script, running

pytestmark = pytest.mark.interop

_OWF = "0.3.0-alpha-20260508181749"
VERSIONS: dict[str, Mapping[str, Any]] = {
    "0.19.0": {},
    "0.20.0": {"overrides": {"@owf/identity-common": _OWF, "@owf/token-status-list": _OWF}},
}
ASKED = presentation.Asked(HERE, NONCE, NOW)
BINDING = {"iat": NOW, "aud": HERE, "nonce": NONCE}
SHOWN = {"over_110": True, "city": True}
SIZE = 10_000


class Npm(Script):
    """The library beside ours."""

    def verify(self, text: str, *, token: str = "", **other: Any) -> dict[str, Any]:
        """What it says of a presentation; nothing is revoked unless `token` says so."""
        lists = {PLACE.uri: token or listed()}
        given = {"city": CITY_KEY.as_dict(private=False), "nonce": NONCE, "now": NOW, **other}
        return self.ask("verify", presentation=text, lists=lists, **given)


@pytest.fixture(scope="module", params=VERSIONS)
def npm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Npm]:
    """The script with one version of the library."""
    place, package = tmp_path_factory.mktemp("sdjwt"), f"@sd-jwt/sd-jwt-vc@{request.param}"
    with running(place, "credentials.mjs", package, also=VERSIONS[request.param], talk=Npm) as script:
        yield script


def listed(index: int = 0, status: int = statuslist.VALID, *, uri: str = PLACE.uri) -> str:
    """A status list token of ours in which one index has a status."""
    numbers = [statuslist.VALID] * SIZE
    numbers[index] = status
    held = bitlist.pack(numbers, statuslist.BITS)
    return statuslist.make(Signer(CITY_KEY, statuslist.TYPE), held, uri=uri, now=NOW)


def presented(npm: Npm, wallet: Wallet, **other: Any) -> str:
    """What a wallet that is built on the library shows of our credential."""
    told = npm.ask(
        "present", credential=wallet.text, holder=wallet.key.as_dict(private=True), frame=SHOWN, binding=BINDING | other
    )
    return told["presentation"]


class TestWallet:
    """A foreign wallet holds our credential."""

    def test_its_presentation_counts(self, npm: Npm) -> None:
        """It shows one threshold and the city, bound to our question: we read just that."""
        wallet = Wallet()
        shown = presentation.read(presented(npm, wallet), ASKED, key_of)
        assert (shown.reached, dict(shown.facts)) == ({"over_110"}, {"city": "990100"})
        assert (shown.place, shown.thumbprint) == (PLACE, wallet.key.thumbprint())

    @pytest.mark.parametrize("other", [{"nonce": "x"}, {"aud": "https://elsewhere.example"}, {"iat": NOW - 301}])
    def test_for_another_question(self, npm: Npm, other: dict[str, Any]) -> None:
        """A presentation that it made for somebody else, or for yesterday, is refused."""
        with pytest.raises(presentation.Untrusted):
            presentation.read(presented(npm, Wallet(), **other), ASKED, key_of)


class TestVerifier:
    """A foreign verifier is shown our credential."""

    def test_it_believes_ours(self, npm: Npm) -> None:
        """Signature, digests, key binding and status hold; it reads what was shown and no more."""
        told = npm.verify(Wallet().show("over_110", "city"))
        payload = told["payload"]
        assert (payload["over_110"], payload["city"], payload["vct"]) == (True, "990100", credential.VCT)
        assert {"over_120", "as_of", "scorecard", "points", "tier"}.isdisjoint(payload)
        assert told["kb"]["aud"] == HERE

    @pytest.mark.parametrize("status", [statuslist.INVALID, statuslist.SUSPENDED])
    def test_revoked(self, npm: Npm, status: int) -> None:
        """What our status list takes back or suspends, it refuses; a neighbour's place changes nothing."""
        shown = Wallet().show("city")
        assert "Status is not valid" in npm.verify(shown, token=listed(PLACE.index, status))["refused"]
        for beside in (PLACE.index - 1, PLACE.index + 1):
            assert "payload" in npm.verify(shown, token=listed(beside, status))

    @pytest.mark.parametrize(
        "attack",
        [
            lambda w: w.show("city", nonce="other"),
            lambda w: w.show("city", key=ECKey.generate_key("P-256", private=True)),
            lambda w: w.show("city", sd_hash="x" * 43),
            lambda w: "~".join(part for part in w.show("over_110", "city").split("~") if part not in w.named("city")),
            lambda w: w.altered("city", key=ECKey.generate_key("P-256", private=True)),
            lambda w: w.altered("city", exp=NOW - 1),
            lambda w: f"{w.issued}~",
        ],
        ids=["nonce", "holder", "bytes", "stripped", "city", "expired", "no binding"],
    )
    def test_what_both_refuse(self, npm: Npm, attack: Any) -> None:
        """Where the library is strict it says what we say: refused."""
        text = attack(Wallet())
        assert npm.verify(text).get("refused")
        with pytest.raises(presentation.Untrusted):
            presentation.read(text, ASKED, key_of)


class TestIssuer:
    """A city that issues by the library."""

    def test_its_credential_counts(self, npm: Npm) -> None:
        """The same claims, salted and signed by others, shown by its own wallet, are read as ours are."""
        wallet = Wallet()
        said = {name: value for name, value in wallet.claims.items() if name not in {"_sd", "_sd_alg"}}
        frame = {"_sd": ["over_110", "over_120", "city"], "_sd_decoy": 13}
        header = {"kid": KID, "typ": credential.TYPE}
        claims = {**said, "over_110": True, "over_120": True, "city": "990100"}
        told = npm.ask("issue", city=CITY_KEY.as_dict(private=True), claims=claims, frame=frame, header=header)
        wallet.text = told["credential"]
        shown = presentation.read(presented(npm, wallet), ASKED, key_of)
        assert (shown.issuer, shown.reached, dict(shown.facts)) == (CITY, {"over_110"}, {"city": "990100"})


class TestCopies:
    """What the foreign side must not notice."""

    def test_every_number_of_thresholds(self, npm: Npm) -> None:
        """Whoever reached none, four or a dozen: it verifies, and the bytes are as many."""
        seen = set[int]()
        for reached in (frozenset[int](), frozenset({110, 120, 135, 150}), frozenset(range(100, 112))):
            attested = Attested(reached, ATTESTED.city, ATTESTED.as_of, ATTESTED.scorecard)
            shown = Wallet(attested, secrets.token_bytes(512), Place(PLACE.uri, 4711)).show("city")
            assert npm.verify(shown)["payload"]["iss"] == CITY
            seen.add(len(shown))
        assert len(seen) == 1
