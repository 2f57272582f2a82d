"""Verify, don't store: one yes-or-no question about one citizen, and what may be understood of the answer.

SZ24 (10) allows marriage and real estate only through verification interfaces: the city asks, uses the answer, and has
nothing afterwards. So this room keeps no table. A question names one kind and the digest that the bureau and the city
agreed on; the answer is exactly `{"answer": true}` or `{"answer": false}`, and whatever says more is no answer, so that
nothing that a bureau adds can be kept by mistake. Pure.
"""

from typing import Literal, Protocol

import msgspec

Kind = Literal["marriage", "real_estate"]
KINDS: tuple[Kind, ...] = ("marriage", "real_estate")
LONGEST = 64  # bytes of an answer


class Question(msgspec.Struct, frozen=True):
    """What a bureau is asked: whether its register says yes to this kind about `subject`, and for which purpose."""

    kind: Kind
    subject: str
    purpose: str


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A yes or a no."""

    answer: bool


class Bureau(Protocol):
    """The port: an adapter asks a bureau once, keeps and logs nothing, and raises `core.outbound.NotReached`."""

    async def ask(self, question: Question) -> bool:
        """The bureau's answer."""
        ...


def read(body: bytes) -> bool | None:
    """The answer that a body holds, None when it holds anything else."""
    try:
        return msgspec.json.decode(body, type=Answer).answer if len(body) <= LONGEST else None
    except msgspec.DecodeError:
        return None


def purpose(kind: Kind, need: str) -> str:
    """The one purpose of the consent behind a question: `verify:<kind>/<the perk that needs it, or self>`."""
    return f"verify:{kind}/{need}"
