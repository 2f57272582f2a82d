"""Status list tokens 凭证状态表: which copies of credentials were taken back, without saying whose (Token Status List).

Pure. Two bits a copy: valid, invalid, suspended. Promises: a token counts when the issuer of the credential signed it,
for this very address, and it is not over; what unpacks to more than a list is refused while it unpacks; an index that
is not in the list is no status, so the credential does not count. Does not promise to be of this second: who fetched
one may keep it for `ttl` seconds, and offline until it is over.
"""

from typing import NoReturn

import msgspec

from core import bitlist, jose
from core.bitlist import BitList, NoBitList
from core.signed import Signer
from incentives.recognition.presentation import KeyOf
from incentives.recognition.trust import SKEW

TYPE = "statuslist+jwt"
VALID, INVALID, SUSPENDED = 0, 1, 2
TTL = 300
LIFE = 86_400
BITS: bitlist.Bits = 2
_MOST_BYTES = 1 << 22
_LONGEST = 8 << 20


class NoStatus(Exception):
    """Not a status list that counts, or no status in it. The message is plain ASCII, for a log."""


class Statuses(msgspec.Struct, frozen=True):
    """A list that was read: good until `until`, to be asked for again after `ttl` seconds."""

    held: BitList
    until: int
    ttl: int

    def of(self, index: int) -> int:
        """The status at an index. Raises NoStatus for one that the list does not have, or that means nothing to us."""
        try:
            found = self.held[index]
        except IndexError as error:
            message = "the index is not in the list"
            raise NoStatus(message) from error
        if found not in {VALID, INVALID, SUSPENDED}:
            _refuse("a status of another meaning")
        return found


def make(signer: Signer, held: BitList, *, uri: str, now: int) -> str:
    """The token of a list, for the address where it is published."""
    return signer.sign({"sub": uri, "iat": now, "exp": now + LIFE, "ttl": TTL, "status_list": bitlist.encode(held)})


def read(token: str, *, issuer: str, uri: str, now: int, key_of: KeyOf) -> Statuses:
    """The list of an issuer at an address (section 8.3). Raises NoStatus."""
    try:
        signed = jose.parse(token, longest=_LONGEST)
        kid = signed.header.get("kid")
        key = key_of(issuer, kid) if isinstance(kid, str) else None
        if signed.header.get("typ") != TYPE or signed.header["alg"] != "ES256" or key is None:
            _refuse("not a status list of this issuer")
        jose.verify(signed, key)
        said = msgspec.convert(signed.claims, _Claims, strict=True)
        if said.sub != uri:
            _refuse("the list of another address")
        if said.iat > now + SKEW or (until := said.iat + LIFE if said.exp is None else said.exp) <= now:
            _refuse("not yet or no longer")
        held = bitlist.decode({"bits": said.status_list.bits, "lst": said.status_list.lst}, most=_MOST_BYTES)
    except (jose.NotSigned, msgspec.ValidationError, NoBitList) as error:
        message = "not a status list"
        raise NoStatus(message) from error
    return Statuses(held, until, min(max(said.ttl, 1), LIFE))


class _List(msgspec.Struct, frozen=True):
    bits: int
    lst: str


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    iat: int
    status_list: _List
    exp: int | None = None
    ttl: int = TTL


def _refuse(message: str) -> NoReturn:
    raise NoStatus(message)
