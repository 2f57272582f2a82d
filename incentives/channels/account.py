"""A merchant's own account at a pay channel, as the operator's file says it. Pure.

The file is TOML, lives outside the repository and every backup of the database, and is read by nobody else (mode 0600).
An account lacks nothing, or the file is refused whole: half a key would show on the day on which money is due.
"""

import tomllib
from collections.abc import Mapping
from functools import cache

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from incentives.channels.course import Channel

ORIGINS: Mapping[Channel, str] = {
    "wechat": "https://api.mch.weixin.qq.com",
    "alipay": "https://openapi.alipay.com/gateway.do",
}
_LONGEST_TITLE = 20
_SECRET_BYTES = 32


class BadAccounts(Exception):
    """The file of accounts cannot be used; says which account and what is missing, never a value."""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account. `theirs`: the channel's public keys (PEM) by serial; of Alipay's there is one, `alipay`.

    `title` (20 characters at most) is what the payer reads; `service` and `category` are the channel's names for what
    is lent; `secret` is WeChat's APIv3 key, 32 bytes.
    """

    partner: str
    perk: str
    channel: Channel
    merchant: str
    app: str
    service: str
    title: str
    key: str
    theirs: dict[str, str]
    key_serial: str = ""
    secret: str = ""
    category: str = ""
    origin: str = ""

    def __repr__(self) -> str:
        """Whose, and nothing else."""
        return f"Account({self.partner}, {self.perk}, {self.channel})"

    @property
    def name(self) -> str:
        """What operators call it."""
        return f"{self.partner}/{self.perk} at {self.channel}"

    @property
    def address(self) -> str:
        """Where the channel answers."""
        return self.origin or ORIGINS[self.channel]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: tuple[Account, ...] = ()


def parse(text: str) -> tuple[Account, ...]:
    """The accounts of the file. Raises BadAccounts."""
    try:
        found = msgspec.convert(tomllib.loads(text), type=_File).account
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"The file of accounts cannot be read: {_without_values(error)}"
        raise BadAccounts(message) from None
    for one in found:
        _must_be_whole(one)
    if len({(one.partner, one.perk) for one in found}) < len(found):
        raise BadAccounts("A partner's perk has one account; the file names one twice.")
    return found


def sign(account: Account, message: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256, as both channels want it."""
    return _private(account.key).sign(message, PKCS1v15(), SHA256())


def verifies(account: Account, serial: str, signature: bytes, message: bytes) -> bool:
    """Whether the channel's key of this serial signed the message."""
    pem = account.theirs.get(serial)
    if pem is None:
        return False
    try:
        _public(pem).verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _must_be_whole(one: Account) -> None:
    wrong = next((what for what, bad in _faults(one) if bad), None)
    if wrong is None:
        try:
            _private(one.key)
            for pem in one.theirs.values():
                _public(pem)
        except (ValueError, TypeError):
            wrong = "a key is no RSA key in PEM"
    if wrong is not None:
        message = f"The account {one.name}: {wrong}."
        raise BadAccounts(message)


def _faults(one: Account) -> tuple[tuple[str, bool], ...]:
    return (
        ("`theirs` holds no key of the channel", not one.theirs),
        ("`title` has 1 to 20 characters", not 0 < len(one.title) <= _LONGEST_TITLE),
        ("`key_serial` is missing", one.channel == "wechat" and not one.key_serial),
        ("`secret` is the APIv3 key, 32 bytes", one.channel == "wechat" and len(one.secret.encode()) != _SECRET_BYTES),
        ("`theirs` of Alipay is one key, `alipay`", one.channel == "alipay" and set(one.theirs) != {"alipay"}),
    )


def _without_values(error: Exception) -> str:
    """What msgspec says names members and types; what TOML says may quote the text."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "it is no TOML"


@cache
def _private(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError
    return key


@cache
def _public(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError
    return key
