"""RSA keys of tests, made once a run: the merchant's, and those of both channels."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@cache
def private(name: str) -> tuple[rsa.RSAPrivateKey, str]:
    """The key of this name, and its PEM."""
    assert name
    key = rsa.generate_private_key(65537, 2048)
    return key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def public(name: str) -> str:
    """Its public half in PEM."""
    return private(name)[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
