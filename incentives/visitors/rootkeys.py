"""Who signs the trust list: public keys in a file that the operator pins, outside the database, and how many it takes.

`{"needed": 2, "keys": [<public JWK with a kid>, …]}`. Fewer than two are never enough: nobody alone changes whom a city
believes.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core import jose

FEWEST = 2


class NoRootKeys(ValueError):
    """The file does not say who signs. The message is for the operator."""


class RootKeys(msgspec.Struct, frozen=True):
    """The signers by `kid`, and how many of them must have signed."""

    needed: int
    keys: Mapping[str, jose.PublicKey]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    needed: int
    keys: list[dict[str, Any]]


async def read(file: Path | None) -> RootKeys:
    """The signers of a deployment. Raises NoRootKeys."""
    if file is None:
        message = "No signers are pinned: set OSMANTHUS_TRUST_SIGNERS to their file."
        raise NoRootKeys(message)
    try:
        held = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=_File)
        keys = {str(one["kid"]): jose.public_key(one) for one in held.keys}
    except (OSError, msgspec.MsgspecError, jose.NotSigned, KeyError) as error:
        message = f"{file} holds no signers: {error}"
        raise NoRootKeys(message) from error
    if not FEWEST <= held.needed <= len({jose.thumbprint(one) for one in keys.values()}):
        message = f"{file}: at least {FEWEST} of different keys must be needed, and no more than there are."
        raise NoRootKeys(message)
    return RootKeys(held.needed, keys)
