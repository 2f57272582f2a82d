"""What a credential says, and what two copies of it have in common: nothing."""

import json
import secrets
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.signed import epoch_day
from incentives.recognition import credential, sdjwt
from incentives.recognition.credential import Attested
from tests.incentives.recognition.wallet import ATTESTED, CITY, DAY, NOW, PLACE, Wallet


class TestIssue:
    """One copy."""

    def test_what_it_says(self) -> None:
        """Reached thresholds, city, day and scorecard, each by itself; no points, no tier, no name."""
        wallet = Wallet()
        opened = sdjwt.reveal(wallet.claims, wallet.disclosures)
        assert {name: opened[name] for name in opened if name not in wallet.claims} == {
            "over_110": True, "over_120": True, "city": "990100", "as_of": "2026-11-22", "scorecard": "sc-2026",
        }  # fmt: skip
        assert set(wallet.claims) == {"iss", "vct", "iat", "nbf", "exp", "cnf", "status", "_sd_alg", "_sd"}

    def test_days(self) -> None:
        """Times are whole days: what was issued in the morning looks like what was issued in the evening."""
        claims = Wallet().claims
        assert (claims["iat"], claims["nbf"]) == (epoch_day(DAY), epoch_day(DAY)) != (NOW, NOW)
        assert claims["exp"] == epoch_day(DAY + timedelta(days=30))

    @given(st.sets(st.integers(100, 200), max_size=12))
    def test_as_many_digests(self, reached: set[int]) -> None:
        """As many digests, in an order of their own, whatever was reached: the length tells nothing."""
        wallet = Wallet(Attested(frozenset(reached), "990100", DAY, "sc"), secrets.token_bytes(512))
        assert len(wallet.claims["_sd"]) == credential.PLACES
        assert wallet.claims["_sd"] == sorted(set(wallet.claims["_sd"]))
        assert len(wallet.issued) == len(Wallet(noise=secrets.token_bytes(512)).issued)

    def test_too_much(self) -> None:
        """More claims than places, or too little noise, is an error of ours."""
        with pytest.raises(ValueError, match="16 places"):
            Wallet(Attested(frozenset(range(100, 120)), "990100", DAY, "sc"))
        with pytest.raises(ValueError, match="16 places"):
            Wallet(noise=b"")


class TestUnlinkable:
    """Two verifiers who put together what they were shown."""

    def test_nothing_in_common(self) -> None:
        """Two copies for one holder share what all copies of that day share, and no other member."""
        noise = [secrets.token_bytes(512) for _ in range(2)]
        first, second = (Wallet(noise=one, place=credential.Place(PLACE.uri, n)) for n, one in enumerate(noise))
        same = {name for name in first.claims if first.claims[name] == second.claims[name]}
        assert same == {"iss", "vct", "iat", "nbf", "exp", "_sd_alg"}
        assert set(first.claims["_sd"]).isdisjoint(second.claims["_sd"])
        assert set(first.disclosures).isdisjoint(second.disclosures)
        assert first.claims["iss"] == CITY

    def test_as_long(self) -> None:
        """The same question is answered in the same number of bytes, whatever else the holder has reached."""
        much = Attested(frozenset({110, 120, 135, 150}), ATTESTED.city, DAY, ATTESTED.scorecard)
        shown = [Wallet(one, secrets.token_bytes(512)).show("over_110", "city") for one in (ATTESTED, much)]
        assert len({len(one) for one in shown}) == 1
        assert len({tuple(len(part) for part in one.split("~")) for one in shown}) == 1

    def test_nothing_negative(self) -> None:
        """There is no claim that says that something was not reached, so none can be asked for or withheld."""
        none = Wallet(Attested(frozenset(), "990100", DAY, "sc"))
        assert "over" not in json.dumps(sdjwt.reveal(none.claims, none.disclosures))
