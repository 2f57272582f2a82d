"""What this city issues, and where: the metadata that wallets read, and the pieces that every address here needs.

OpenID4VCI 1.0 (section 12.2) and SD-JWT VC (section 5). One kind of credential, one way to it: an offer that a citizen
drew. The issuer is its own authorization server, so its metadata names none.
"""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.deps import House
from core import clock
from incentives.credentials import copies, lists
from incentives.credentials import keys as signers
from incentives.credentials.keys import Keys
from incentives.credentials.lists import Press
from incentives.recognition import credential

CONFIGURATION = "points-reached"
SCOPE = "points-reached"
_CACHED = {"Cache-Control": "public, max-age=300"}


def signing(house: House) -> Keys:
    """The keys of this deployment's credentials."""
    return signers.of(house.ring, house.settings.token_key_serial)


def keys(house: House) -> list[dict[str, Any]]:
    """The public keys of now's credentials, for the JWKS."""
    return signing(house).published(clock.wall())


def press(house: House) -> Press:
    """What makes this deployment's lists."""
    return lists.of(house.settings.base_url, house.ring, house.settings.token_key_serial)


@get("/.well-known/openid-credential-issuer", summary="Credential issuer metadata (OpenID4VCI 1.0)")
async def metadata(house: NamedDependency[House]) -> Response[dict[str, Any]]:
    """Where a wallet asks, how many copies it gets at once, and what a credential can say."""
    base = house.settings.base_url
    said = {
        "credential_issuer": base,
        "credential_endpoint": f"{base}/oid4vci/credential",
        "nonce_endpoint": f"{base}/oid4vci/nonce",
        "status_list_aggregation_endpoint": f"{base}/status-lists",
        "batch_credential_issuance": {"batch_size": copies.MOST},
        "display": [{"name": house.settings.city, "locale": "zh-CN"}],
        "credential_configurations_supported": {CONFIGURATION: _configuration()},
    }
    return Response(said, headers=_CACHED)


def _configuration() -> dict[str, Any]:
    facts = {"city": "城市", "as_of": "核对日期", "scorecard": "评分规则"}
    return {
        "format": credential.TYPE,
        "vct": credential.VCT,
        "scope": SCOPE,
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
        "credential_metadata": {
            "display": [{"name": "桂花分异地互认凭证", "locale": "zh-CN"}],
            "claims": [
                {"path": [name], "display": [{"name": words, "locale": "zh-CN"}]} for name, words in facts.items()
            ],
        },
    }


@get("/.well-known/jwt-vc-issuer", summary="JWT VC issuer metadata (SD-JWT VC)")
async def issuer(house: NamedDependency[House]) -> Response[dict[str, Any]]:
    """Where the keys are that credentials are checked with."""
    base = house.settings.base_url
    return Response({"issuer": base, "jwks_uri": f"{base}/.well-known/jwks.json"}, headers=_CACHED)


handlers = [metadata, issuer]
