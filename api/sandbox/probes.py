"""What a self-check sends, and what to think of the answer. Pure.

Standard Webhooks 1.0.0: verify before you believe, refuse what is old, answer 2xx for what you have seen before, what
comes late and what you do not know, and answer first, work afterwards.
"""

import msgspec

_OLD = 3600
_PROMPT = 5000


class Probe(msgspec.Struct, frozen=True):
    """One request. `age`: how many seconds old it says it is; `welcome`: whether it must be answered with 2xx.

    Probes of one `message` share their webhook-id.
    """

    name: str
    sends: str
    kind: str
    data: dict[str, str | int]
    message: int
    advice: str
    welcome: bool = True
    age: int = 0
    forged: bool = False
    slow: bool = False


class Finding(msgspec.Struct, frozen=True):
    """What came of a probe: the status (null: no answer), whether that is right, and what to change."""

    probe: str
    sends: str
    status: int | None
    millis: int
    right: bool
    say: str


def _order(seq: int, status: str) -> dict[str, str | int]:
    """Give the data of an event about an order that is nobody's."""
    return {
        "order_id": "or_00000000000000000000000000", "out_order_no": "SELF-CHECK", "perk": "self.check",
        "status": status, "seq": seq,
    }  # fmt: skip


_TEST: dict[str, str | int] = {"webhook_id": "wh_00000000000000000000000000"}
_VERIFY = "Compute the signature over id.timestamp.body with your secret and answer 401 when none of them is right."
PROBES = (
    Probe("good", "A test event with a right signature.", "webhook.test", _TEST, 1,
          "Answer 2xx. If you verify signatures, check the secret (whsec_, base64 after the prefix) and that you sign "
          "the raw bytes of the body."),
    Probe("wrong_signature", "The same event with a signature that does not hold.", "webhook.test", _TEST, 2,
          f"You believed an event that we did not send. {_VERIFY}", welcome=False, forged=True),
    Probe("old_timestamp", "An event signed rightly, an hour ago.", "webhook.test", _TEST, 3,
          "You took an event of an hour ago, so somebody could play an old one to you again. Refuse a "
          "webhook-timestamp that is more than five minutes off.", welcome=False, age=_OLD),
    Probe("duplicate", "The first event once more, with the same webhook-id.", "webhook.test", _TEST, 1,
          "Answer 2xx for a webhook-id that you have seen, and do nothing: otherwise we send it again for three days."),
    Probe("unknown_type", "An event of a type that did not exist when you wrote your program.", "order.unheard_of",
          _order(1, "unheard_of"), 4, "Answer 2xx for types that you do not know, and ignore them."),
    Probe("later_first", "The third event of an order, before the second.", "order.returned", _order(3, "returned"),
          5, "Answer 2xx for orders that you do not know or that are ahead of you; "
          "GET /v1/partner/orders tells how one stands."),
    Probe("reordered", "The second event of that order, after the third.", "order.active", _order(2, "active"),
          6, "Answer 2xx for a seq that is lower than one you have seen, and ignore it."),
    Probe("slow", "A good event that arrives slowly, in two halves.", "webhook.test", _TEST, 7,
          "Read the body to its end (Content-Length) before you verify it.", slow=True),
)  # fmt: skip
REMEMBER = (
    "A webhook-id that comes twice must count once: keep the ids of the last days.",
    "Events are hints: GET /v1/partner/events lists all of them, in order, also those that you missed.",
    "Answer within five seconds; do the work afterwards.",
)


def forged(signature: str) -> str:
    """Give a signature of the same form that does not hold."""
    head, _, tail = signature.partition(",")
    return f"{head},{'B' if tail[:1] == 'A' else 'A'}{tail[1:]}"


def judged(probe: Probe, status: int | None, *, millis: int) -> Finding:
    """Say what an answer means."""
    welcomed = status is not None and 200 <= status < 300  # noqa: PLR2004  (RFC 9110, section 15)
    refused = status is not None and 400 <= status < 500  # noqa: PLR2004  (RFC 9110, section 15)
    right = (welcomed if probe.welcome else refused) and millis < _PROMPT
    return Finding(probe.name, probe.sends, status, millis, right, _say(probe, status, right=right, millis=millis))


def _say(probe: Probe, status: int | None, *, right: bool, millis: int) -> str:
    if right:
        return "Right."
    if status is None:
        return "Nobody answered within 8 seconds: see that the address is reachable from here and answers in time."
    if millis >= _PROMPT:
        return f"It took {millis} ms. Answer within five seconds, and do the work afterwards."
    if 300 <= status < 400:  # noqa: PLR2004  (RFC 9110, section 15)
        return "A redirect counts as a failure: register the address that answers by itself."
    if status >= 500:  # noqa: PLR2004  (RFC 9110, section 15)
        return f"Your program failed on it. {probe.advice}"
    return probe.advice
