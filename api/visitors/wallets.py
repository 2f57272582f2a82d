"""Where wallets of visitors come: `/oid4vp/requests/{id}` and `/oid4vp/responses/{id}` (OpenID4VP 1.0, `direct_post`).

Nobody logs in here: the random id, shown to one wallet, is all there is. Promises: an answer is bounded before it is
read; whatever bytes come within the bound, the question is decided once or said to be over. The holder alone gets the
cause, and a receipt, signed, of what was shown to whom; nothing is kept of them but the digest of the copy.
"""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api import deps, formdocs
from api.deps import HttpRequest
from api.visitors import visiting
from core import ids
from core.errors import Malformed, NotFound, TooMany
from core.signed import Signer
from incentives import receipts
from incentives.eligibility import Verdict
from incentives.visitors import asking, counter
from incentives.visitors.counter import Asked, PresentationUsed

TYPE = "visitor-receipt+jwt"
MOST_BYTES = 32_768
_FIELDS = 8
_TRIES = 20
_FORM = "application/x-www-form-urlencoded"
_NO_STORE = {"Cache-Control": "no-store"}
_WORDS = {
    "nothing_shown": "没有出示凭证，按普通办法办理。",
    "not_proved": "凭证或出示方式不能核验（可能过期、用错或不是互认城市签发），按普通办法办理。",
    "copy_used": "这一份凭证已经出示过；请在钱包中换一份再出示。",
    "revoked": "签发城市已收回这份凭证，按普通办法办理。",
    "suspended": "签发城市暂停了这份凭证，按普通办法办理。",
    "status_missing": "查不到这份凭证的状态位置，按普通办法办理。",
    "city_not_recognised": "签发城市目前不在互认范围，按普通办法办理。",
    "perk_not_recognised": "这项便利目前不对签发城市互认，按普通办法办理。",
    "not_reached": "没有出示这项便利需要的门槛，按普通办法办理。",
}


class Receipt(msgspec.Struct, frozen=True):
    """What the holder gets: `receipt`, a JWS (EdDSA, key `rcpt-1`), and one sentence for the screen."""

    receipt: str
    result: str
    note: str


@get(
    "/oid4vp/requests/{presentation_id:str}", summary="The question, signed", tags=["wallets"],
    media_type=f"application/{asking.TYPE}",
)  # fmt: skip
async def request_object(presentation_id: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The request object (RFC 9101): a JWS by `vp-1` of `/.well-known/jwks.json`. 404 once it is answered or over."""
    lodge = await visiting.of(request)
    found = await _open(request, presentation_id)
    now = await lodge.books.now()
    question = asking.Question(
        client_id=lodge.origin,
        response_uri=f"{lodge.origin}/oid4vp/responses/{presentation_id}",
        nonce=found.nonce,
        made_at=found.made_at,
        expires_at=found.expires_at,
        asks=now.maps.asks(found.perk_id, now.today),
    )
    signed = lodge.signer.sign(asking.claims(question)).encode()
    return Response(signed, media_type=f"application/{asking.TYPE}", headers=_NO_STORE)


@post(
    "/oid4vp/responses/{presentation_id:str}", status_code=200, request_max_body_size=MOST_BYTES,
    summary="The wallet's answer", tags=["wallets"],
    operation_class=formdocs.form("state", optional=("vp_token", "error", "error_description")),
)  # fmt: skip
async def take(presentation_id: FromPath[str], request: HttpRequest) -> Response[Any]:
    """`vp_token` and `state`, or `error`, as a form. Whatever is not proved is the standard route.

    409 `presentation_used`; 503 `try_again`: the home city could not be asked, present the same once more.
    """
    lodge, found = await visiting.of(request), await _open(request, presentation_id)
    form = _form(await request.body(), request.headers.get("content-type", ""))
    if form.get("state") != found.nonce or not form.keys() & {"vp_token", "error"}:
        raise Malformed("Send vp_token, or error, with the state of the request object.")
    verdict, cause = await lodge.decide(found, found.nonce, asking.presented(form.get("vp_token")))
    return Response(_receipt(request, found, verdict, cause), headers=_NO_STORE)


async def _open(request: HttpRequest, presentation_id: str) -> Asked:
    """The question of this id, if it still waits. Raises NotFound, PresentationUsed, TooMany."""
    lodge, identity = await visiting.of(request), ids.read("vp", presentation_id)
    found = await counter.asked(lodge.gate, identity=identity)
    if await deps.house(request).short.count(f"vp|{identity}", asking.LIFE) > _TRIES:
        detail = f"At most {_TRIES} requests about one question."
        raise TooMany(detail, retry_after=asking.LIFE)
    if found.answered:
        if request.method == "GET":
            raise NotFound
        raise PresentationUsed("It was answered; ask for another question.")
    return found


def _form(body: bytes, kind: str) -> dict[str, str]:
    """The members of a form, each once. Raises Malformed."""
    if not kind.lower().startswith(_FORM):
        detail = f"Send the answer as {_FORM}."
        raise Malformed(detail)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError as error:
        raise Malformed("The body is no form of a few fields in UTF-8.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Malformed("A member comes twice.")
    return form


def _receipt(request: HttpRequest, found: Asked, verdict: Verdict, cause: str | None) -> Receipt:
    """What the holder keeps: who asked, for what, what came of it and why; it names nobody."""
    house = deps.house(request)
    result = "granted" if verdict.granted else "standard_route"
    note = "已享受与本市市民相同的便利。" if verdict.granted else _WORDS.get(cause or "", "目前按普通办法办理。")
    members = {
        "iss": house.settings.base_url,
        "iat": int(verdict.at.timestamp()),
        "decision_id": ids.show("dc", verdict.decision_id),
        "partner": found.partner,
        "perk": found.perk_id,
        "result": result,
        "reason": verdict.reason,
        "cause": cause,
        "kept": "这一份凭证的使用记号（无法还原），到凭证过期为止；不保存您的身份、分数和凭证。",
    }
    signer = Signer(house.ring.ed25519(receipts.KID), TYPE)
    return Receipt(signer.sign({name: value for name, value in members.items() if value is not None}), result, note)


@get(
    "/.well-known/credit-trust-list", summary="Which cities are recognised, by which keys", tags=["rules"],
    media_type="application/jose+json",
)  # fmt: skip
async def trust_list(request: HttpRequest) -> Response[bytes]:
    """The list in force as its signers signed it: a JWS in JSON (RFC 7515, section 7.2.1), typ `trust-list+jwt`."""
    now = await (await visiting.of(request)).books.now()
    if now.trusted is None:
        raise NotFound("No trust list is in force.")
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(now.raw, media_type="application/jose+json", headers=headers)


handlers = [request_object, take, trust_list]
