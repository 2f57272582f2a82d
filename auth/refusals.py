"""The refusals of OAuth: one class per error code, with the status it has at the authorization server.

RFC 6749 (section 5.2), RFC 9126 (section 2.3), RFC 9449 (section 5). Details are plain ASCII without quotes, since they
travel as `error_description`; they say what to mend and hold no secret.

    Refusal(Problem)                      400 invalid_request
    ├── InvalidClient                     401 invalid_client
    ├── InvalidGrant                      400 invalid_grant
    │   ├── CodeReplayed                  the same, and what the code gave must be taken back
    │   └── RefreshReused                 the same, and the family must be ended
    ├── InvalidScope / InvalidTarget      400
    ├── InvalidDetails                    400 invalid_authorization_details
    ├── UnauthorizedClient                400 unauthorized_client
    ├── UnsupportedGrantType              400 unsupported_grant_type
    ├── UnsupportedResponseType           400 unsupported_response_type
    └── ProofRefused                      400 invalid_dpop_proof (401 at a resource: `api.guards`)
        └── NonceWanted                   400 use_dpop_nonce, carries the nonce
    TokenRefused                          an access token that does not hold (invalid_token, 401 at a resource)
"""

import uuid

from core.errors import Problem


class Refusal(Problem):
    """A request that the authorization server does not take."""

    code = "invalid_request"
    status = 400
    title = "The request is not one that this server takes"


class InvalidClient(Refusal):
    """The client did not prove who it is (RFC 6749, section 5.2)."""

    code = "invalid_client"
    status = 401
    title = "Client authentication failed"


class InvalidGrant(Refusal):
    """The code is unknown, expired, used, another client's, or its proof of possession fails."""

    code = "invalid_grant"
    title = "The authorization grant does not hold"


class CodeReplayed(InvalidGrant):
    """The code was used before: the tokens that it gave are to be revoked (RFC 6749, section 4.1.2)."""

    def __init__(self, code_hash: bytes) -> None:
        """`code_hash` is SHA-256 of the code."""
        super().__init__("The code was used before; what it gave is revoked.")
        self.code_hash = code_hash


class RefreshReused(InvalidGrant):
    """An old refresh token came back from a public client: its family is to be ended (RFC 9700, section 4.14.2)."""

    def __init__(self, family: uuid.UUID) -> None:
        """`family` is the one to end."""
        super().__init__("The refresh token was used before; its family is ended. Ask the citizen again.")
        self.family = family


class InvalidScope(Refusal):
    """A scope that is unknown or not registered for this client."""

    code = "invalid_scope"
    title = "The scope is not registered for this client"


class InvalidTarget(Refusal):
    """A resource that this server gives no tokens for (RFC 8707, section 2)."""

    code = "invalid_target"
    title = "No tokens are given for this resource"


class UnauthorizedClient(Refusal):
    """The client is known and may not use this grant."""

    code = "unauthorized_client"
    title = "This client may not use this grant"


class UnsupportedGrantType(Refusal):
    """A grant type that this server does not have."""

    code = "unsupported_grant_type"
    title = "The grant type is not supported"


class UnsupportedResponseType(Refusal):
    """Anything but `code`."""

    code = "unsupported_response_type"
    title = "Only response_type=code is supported"


class InvalidDetails(Refusal):
    """An authorization detail that is malformed, of another type, or not this client's to ask (RFC 9396, section 5)."""

    code = "invalid_authorization_details"
    title = "The authorization details are not ones that this client may ask for"


class ProofRefused(Refusal):
    """The DPoP proof is missing, malformed or not for this request (RFC 9449, section 4.3)."""

    code = "invalid_dpop_proof"
    title = "The DPoP proof does not hold"


class NonceWanted(ProofRefused):
    """The proof holds no nonce of ours, or an old one (RFC 9449, section 8)."""

    code = "use_dpop_nonce"
    title = "Use the DPoP nonce of this answer"

    def __init__(self, nonce: str) -> None:
        """`nonce` is the one to use now."""
        super().__init__("Repeat the request with the nonce of the DPoP-Nonce header.", headers={"DPoP-Nonce": nonce})


class TokenRefused(Exception):
    """The access token is not ours, not whole, expired or revoked; the message says which, in plain ASCII."""
