"""Tables of city cards: what operators issued, and the lists that their gates fetch. Gate functions alone touch them.

None names a person: a card's number is a keyed digest, and what is bound to it is another room's (`auth.card`).
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata


def _operator() -> sa.Column[str]:
    return sa.Column("operator_id", sa.Text, sa.ForeignKey("auth.client.client_id"), primary_key=True)


# `place` is the card's index in every list of its operator, drawn at random; a retired card is 0 in all of them.
issued_card = sa.Table(
    "issued_card",
    metadata,
    _operator(),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("retired_at", INSTANT),
    sa.UniqueConstraint("operator_id", "place"),
    sa.Index(None, "digest"),
    schema="incentives",
)

# How many places an operator's lists have: a power of two, at least twice its cards, and never fewer than before.
card_space = sa.Table(
    "card_space", metadata, _operator(), sa.Column("size", sa.Integer, nullable=False), schema="incentives"
)

# The newest edition of a perk's list, packed as it was signed, with what is nobody's filled in.
entitlement_list = sa.Table(
    "entitlement_list",
    metadata,
    _operator(),
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("bits", sa.LargeBinary, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False),
    schema="incentives",
)

# The places that an edition changed, four bytes each, big-endian.
entitlement_change = sa.Table(
    "entitlement_change",
    metadata,
    _operator(),
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("changed", sa.LargeBinary, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
    schema="incentives",
)
