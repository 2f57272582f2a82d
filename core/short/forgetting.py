"""How a store that forgot, or cannot be asked, is told: a new epoch, or an error that lets nobody through."""

import secrets

from core.errors import Unavailable


class StoreUnavailable(Unavailable):
    """The short-lived store cannot be reached, so nothing that needs its memory is answered."""

    code = "store_unavailable"
    title = "The short-lived store cannot be reached"


def epoch_word(milliseconds: int) -> str:
    """A new epoch: the moment, so that what is older can be refused, and chance, so that no two are alike."""
    return f"{milliseconds}-{secrets.token_hex(8)}"
