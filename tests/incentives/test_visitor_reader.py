"""The reader that a visitors' gate has, beside the city's own: neither believes more; and the vectors."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey

from incentives.recognition import presentation
from incentives.recognition.presentation import Shown
from tests.incentives import gates
from tests.incentives.recognition import mutations
from tests.incentives.recognition.test_presentation import ATTACKS
from tests.incentives.recognition.wallet import CITY, CITY_KEY, HERE, KID, NONCE, NOW, Place, Wallet


class TestSame:
    """The gate's own reader beside the city's."""

    def read(self, text: str) -> Shown | None:
        """What the gate's reader makes of a presentation, in the city's words."""
        key = {**CITY_KEY.as_dict(private=False), "kid": KID}
        try:
            said = gates.vc.presentation(
                text,
                HERE,
                lambda nonce: nonce == NONCE,
                NOW,
                lambda issuer, kid: key if (issuer, kid) == (CITY, KID) else None,
            )
        except gates.vc.BROKEN:
            return None
        body = gates.vc.members(text.split("~", maxsplit=1)[0].split(".")[1])
        thumbprint = ECKey.import_key(body["cnf"]["jwk"]).thumbprint()
        return Shown(said.issuer, said.reached, said.facts, Place(said.uri, said.idx), int(said.until), thumbprint)

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_attacks(self, attack: str) -> None:
        """Every attack that the city's reader refuses, this one refuses; but a wrong day, which it never uses."""
        assert self.read(ATTACKS[attack](Wallet())) is None or attack == "a day that is none"

    def test_mutations(self) -> None:
        """Of thousands of tampered presentations it counts none that the city's does not count, or reads otherwise."""

        def both(text: str) -> Shown | None:
            said = self.read(text)
            assert said in (None, mutations.read(text)), text
            return said

        assert mutations.judge(seed=5, rounds=1_500, reader=both)["rebound"] > 0

    def test_whole(self) -> None:
        """What counts is read alike."""
        text = Wallet().show("over_110", "city", "as_of", "scorecard")
        assert self.read(text) == presentation.read(text, mutations.ASKED, lambda *_: CITY_KEY)


class TestVectors:
    """`docs/gate/visitors.json`, which any language can test against."""

    def test_ours(self) -> None:
        """Trust list, status list and every presentation mean what the file says."""
        told = json.loads(gates.VISITORS.read_text())
        now, asked, held = told["now"], told["question"], told["trust"]
        body = gates.vc.trusted(json.dumps(held["list"]).encode(), held["signers"], held["needed"], now, None)
        (city,) = body["cities"]
        (jwk,) = city["jwks"]["keys"]

        def key_of(issuer: str, kid: str) -> Any:
            return jwk if (issuer, kid) == (city["sub"], jwk["kid"]) else None

        bits, until = gates.vc.statuses(told["statuses"]["token"], city["sub"], told["statuses"]["uri"], now, key_of)
        assert until == now + 86_400
        assert {n: bits[n // 4] >> n % 4 * 2 & 3 for n in range(len(bits) * 4) if bits[n // 4] >> n % 4 * 2 & 3} == {
            int(index): status for index, status in told["statuses"]["not_valid"].items()
        }
        for one in told["presentations"]:
            try:
                shown = gates.vc.presentation(one["text"], asked["audience"], asked["nonce"].__eq__, now, key_of)
                said = {"reached": sorted(shown.reached), "facts": shown.facts, "index": shown.idx}
            except gates.vc.BROKEN:
                said = None
            assert said == one["says"], one["what"]
