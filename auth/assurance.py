"""How sure a login makes us of who somebody is: three levels, and their one form on the wire. Pure.

1: somebody who controls a WeChat account. 2: the same, with a telephone number that WeChat verified. 3: a real name,
proved by an identity provider. Inside they are numbers; in tokens, challenges and requests they are the URNs that the
metadata lists (RFC 9470; OpenID Connect Core, section 2).
"""

WECHAT = 1
PHONE = 2
REAL_NAME = 3
_URN = "urn:cc:acr:"


def urn(level: int) -> str:
    """A level on the wire, e.g. `urn:cc:acr:3`."""
    return f"{_URN}{level}"


def level(claim: object) -> int:
    """The level of an `acr` value; 0, which is enough for nothing, for any other."""
    known = {urn(one): one for one in (WECHAT, PHONE, REAL_NAME)}
    return known.get(claim, 0) if isinstance(claim, str) else 0
