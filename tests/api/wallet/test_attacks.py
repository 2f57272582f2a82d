"""Attacks on an offer, its token and the proofs of keys: each with the error that it meets."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from incentives.credentials import copies
from tests.api.conftest import Server
from tests.api.wallet.cast import Holder, draw
from tests.walletapp import Wallet, holder_key, proof


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and error of an answer, which nobody stores."""
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


def other(words: str) -> str:
    """Words that are not these."""
    return f"{(int(words) + 1) % 10**6:06}"


class TestCode:
    """The pre-authorised code and the words beside it."""

    async def test_a_replayed_code_takes_back_what_it_gave(self, holder: Holder) -> None:
        """Twice the code, with the right words: `invalid_grant`, and the first token is dead."""
        drawn = await draw(holder.me)
        assert (await holder.wallet.redeem(*drawn)).status_code == 200
        thief = Wallet(holder.wallet.http, holder.wallet.base_url)
        assert refusal(await thief.redeem(*drawn)) == (400, "invalid_grant")
        answer = await holder.wallet.take([holder_key()])
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_who_saw_the_picture_alone_ends_nothing(self, holder: Holder) -> None:
        """The code again with wrong words: refused, and the holder's token lives."""
        uri, words = await draw(holder.me)
        assert (await holder.wallet.redeem(uri, words)).status_code == 200
        thief = Wallet(holder.wallet.http, holder.wallet.base_url)
        assert refusal(await thief.redeem(uri, other(words))) == (400, "invalid_grant")
        assert (await holder.wallet.take([holder_key()])).status_code == 200

    async def test_five_wrong_words_end_it(self, holder: Holder) -> None:
        """Tries are counted although each is refused; then the right ones do not help."""
        uri, words = await draw(holder.me)
        for _ in range(5):
            assert refusal(await holder.wallet.redeem(uri, other(words))) == (400, "invalid_grant")
        assert refusal(await holder.wallet.redeem(uri, words)) == (400, "invalid_grant")

    async def test_four_do_not(self, holder: Holder) -> None:
        """A typing error is no attack."""
        uri, words = await draw(holder.me)
        for _ in range(4):
            await holder.wallet.redeem(uri, other(words))
        assert (await holder.wallet.redeem(uri, words)).status_code == 200

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"tx_code": None}, "invalid_request"),
            ({"pre-authorized_code": None}, "invalid_request"),
            ({"pre-authorized_code": "nobody-drew-this"}, "invalid_grant"),
            ({"tx_code": "六六六"}, "invalid_grant"),
            ({"tx_code": "1" * 4000}, "invalid_grant"),
        ],
    )
    async def test_what_is_missing_or_made_up(self, holder: Holder, changed: dict[str, Any], error: str) -> None:
        """OpenID4VCI 1.0, section 6.3."""
        uri, words = await draw(holder.me)
        assert refusal(await holder.wallet.redeem(uri, words, **changed)) == (400, error)

    async def test_of_racers_one_has_it(self, holder: Holder) -> None:
        """Six wallets with code and words at once: one token at most is alive afterwards, and one was given."""
        drawn = await draw(holder.me)
        wallets = [Wallet(holder.wallet.http, holder.wallet.base_url) for _ in range(6)]
        for one in wallets:
            await one.nonce()
        answers = await asyncio.gather(*(one.redeem(*drawn) for one in wallets))
        assert sorted(one.status_code for one in answers) == [200, *[400] * 5]

    async def test_the_token_opens_nothing_else(self, holder: Holder) -> None:
        """At `/v1/me` it is no access token at all."""
        await holder.redeemed()
        wallet = holder.wallet
        url = f"{wallet.base_url}/v1/me"
        signed = wallet.signer.proof("GET", url, access_token=wallet.token)
        answer = await wallet.http.get(url, headers={"DPoP": signed, "Authorization": f"DPoP {wallet.token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


class TestToken:
    """The wallet's token."""

    async def test_another_key_does_not_carry_it(self, holder: Holder) -> None:
        """A stolen token with the thief's DPoP key: `invalid_token`."""
        await holder.redeemed()
        thief = Wallet(holder.wallet.http, holder.wallet.base_url)
        thief.token = holder.wallet.token
        answer = await thief.take([holder_key()])
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert (await holder.wallet.take([holder_key()])).status_code == 200

    async def test_nor_does_no_key(self, holder: Holder) -> None:
        """As a bearer token, and without anything: 401 with a challenge."""
        await holder.redeemed()
        url = f"{holder.wallet.base_url}/oid4vci/credential"
        for headers in ({}, {"Authorization": f"Bearer {holder.wallet.token}"}):
            answer = await holder.wallet.http.post(url, json={}, headers=headers)
            assert answer.status_code == 401
            assert "DPoP" in answer.headers["www-authenticate"]

    async def test_it_gives_twenty_copies_in_all(self, holder: Holder) -> None:
        """12 and then 9 are one too many; 8 are not."""
        await holder.redeemed()
        assert (await holder.wallet.take([holder_key() for _ in range(12)])).status_code == 200
        answer = await holder.wallet.take([holder_key() for _ in range(9)])
        assert refusal(answer) == (400, "credential_request_denied")
        assert (await holder.wallet.take([holder_key() for _ in range(8)])).status_code == 200

    async def test_a_consent_withdrawn_meanwhile_counts(self, holder: Holder) -> None:
        """Between token and credential: nothing is given, and nothing is claimed."""
        await holder.redeemed()
        assert (await holder.me.delete(f"/v1/me/consents/{holder.consent}")).status_code == 200
        answer = await holder.wallet.take([holder_key()])
        assert answer.status_code in {400, 401}
        assert (await holder.me.get("/v1/me/credentials")).json()["credentials"] == []

    async def test_a_consent_withdrawn_before_it_counts_too(self, holder: Holder) -> None:
        """Between offer and token."""
        drawn = await draw(holder.me)
        assert (await holder.me.delete(f"/v1/me/consents/{holder.consent}")).status_code == 200
        assert refusal(await holder.wallet.redeem(*drawn)) == (400, "invalid_grant")


class TestProofs:
    """What a wallet proves of its keys."""

    async def test_a_nonce_is_good_once(self, holder: Holder) -> None:
        """The same nonce for a second request: `invalid_nonce`, with other keys too."""
        await holder.redeemed()
        wallet = holder.wallet
        nonce = await wallet.nonce()
        assert (await wallet.ask([proof(holder_key(), wallet.base_url, nonce)])).status_code == 200
        assert refusal(await wallet.ask([proof(holder_key(), wallet.base_url, nonce)])) == (400, "invalid_nonce")

    @pytest.mark.parametrize("nonce", ["A" * 43, "nonsense", "a.b", "0" * 128])
    async def test_it_is_one_of_ours(self, holder: Holder, nonce: str) -> None:
        """Made up, of another length, no base64url."""
        await holder.redeemed()
        asked = await holder.wallet.ask([proof(holder_key(), holder.wallet.base_url, nonce)])
        assert refusal(asked) == (400, "invalid_nonce")

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "https://elsewhere.example"},
            {"aud": None},
            {"iat": None},
            {"iat": 1},
            {"iat": int(time.time()) + 86_400},
            {"exp": 1},
        ],
    )
    async def test_a_proof_is_for_this_issuer_and_moment(self, holder: Holder, claims: dict[str, Any]) -> None:
        """Another audience, no or an old or a future time, no nonce: `invalid_proof`."""
        await holder.redeemed()
        wallet = holder.wallet
        bad = proof(holder_key(), wallet.base_url, await wallet.nonce(), **claims)
        assert refusal(await wallet.ask([bad])) == (400, "invalid_proof")

    @pytest.mark.parametrize("nonce", [None, 7, ""])
    async def test_it_carries_a_nonce(self, holder: Holder, nonce: object) -> None:
        """None, a number, an empty one: `invalid_proof`."""
        await holder.redeemed()
        bad = proof(holder_key(), holder.wallet.base_url, nonce)
        assert refusal(await holder.wallet.ask([bad])) == (400, "invalid_proof")

    async def test_a_key_comes_once(self, holder: Holder) -> None:
        """Two copies of one key could be linked."""
        await holder.redeemed()
        wallet, key = holder.wallet, holder_key()
        nonce = await wallet.nonce()
        twice = [proof(key, wallet.base_url, nonce), proof(key, wallet.base_url, nonce, iat=int(time.time()) - 1)]
        assert refusal(await wallet.ask(twice)) == (400, "invalid_proof")

    @pytest.mark.parametrize("count", [0, copies.MOST + 1])
    async def test_there_are_one_to_twenty(self, holder: Holder, count: int) -> None:
        """None, and twenty-one."""
        await holder.redeemed()
        assert refusal(await holder.wallet.take([holder_key() for _ in range(count)])) == (400, "invalid_proof")

    async def test_one_bad_proof_spoils_the_batch_and_spends_nothing(self, holder: Holder) -> None:
        """Nothing is given for the good ones; the nonce is still good."""
        await holder.redeemed()
        wallet = holder.wallet
        nonce = await wallet.nonce()
        good = proof(holder_key(), wallet.base_url, nonce)
        bad = proof(holder_key(), "https://elsewhere.example", nonce)
        assert refusal(await wallet.ask([good, bad])) == (400, "invalid_proof")
        assert (await wallet.ask([good])).status_code == 200


class TestRequest:
    """The request around the proofs."""

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"credential_configuration_id": "another"}, "unknown_credential_configuration"),
            ({"credential_configuration_id": 7}, "invalid_credential_request"),
            ({"proofs": {}}, "invalid_credential_request"),
            ({"proofs": {"jwt": "one"}}, "invalid_credential_request"),
            ({"proofs": {"ldp_vp": []}}, "invalid_credential_request"),
            ({"credential_response_encryption": {"enc": "A256GCM"}}, "invalid_credential_request"),
        ],
    )
    async def test_it_is_one_for_this_credential(self, holder: Holder, changed: dict[str, Any], error: str) -> None:
        """OpenID4VCI 1.0, section 8.3.1.2."""
        await holder.redeemed()
        assert refusal(await holder.wallet.ask([], **changed)) == (400, error)


async def test_metadata_says_where_everything_is(server: Server) -> None:
    """Issuer and authorization server are one; a batch is of twenty; keys of credentials are published ahead."""
    async with httpx2.AsyncClient(base_url=server.base_url) as http:
        said = (await http.get("/.well-known/openid-credential-issuer")).json()
        assert said["credential_issuer"] == server.base_url
        assert said["batch_credential_issuance"] == {"batch_size": 20}
        assert list(said["credential_configurations_supported"]) == ["points-reached"]
        known = (await http.get("/.well-known/oauth-authorization-server")).json()
        assert known["pre-authorized_grant_anonymous_access_supported"] is True
        assert (await http.get("/.well-known/jwt-vc-issuer")).json()["issuer"] == server.base_url
        keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
        assert len([one for one in keys if one["kid"].startswith("cred-")]) >= 2
        assert all("d" not in one for one in keys)
