"""A visitor's wallet, in one page: it reads a partner's question, shows what was asked, and keeps the receipt.

    python docs/examples/visitor_wallet.py 'openid4vp://?client_id=…&request_uri=…' [COPY]

COPY is the number of the copy of `var/demo/kit.json` to show, from 0; each is shown once. A real wallet checks the
question's signature by the verifier's `/.well-known/jwks.json`, and asks its holder first.
"""

import base64
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey

KIT = Path("var/demo/kit.json")


def unpacked(part: str) -> Any:
    """JSON behind base64url."""
    return json.loads(base64.urlsafe_b64decode(part + "=="))


def fits(query: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Whether the copy has every claim that a credential query asks for, with a value that it takes (DCQL, 6.3)."""
    wanted = [(one["path"][0], one.get("values")) for one in query["claims"]]
    return all(name in claims and (values is None or claims[name] in values) for name, values in wanted)


def shown(copy: dict[str, Any], question: dict[str, Any]) -> dict[str, list[str]]:
    """The `vp_token`: the disclosures that were asked for, and a signature for this question alone."""
    issued, *disclosures, _ = copy["sd_jwt"].split("~")
    by_name = {unpacked(one)[1]: one for one in disclosures}
    claims = {name: unpacked(one)[2] for name, one in by_name.items()}
    query = next(one for one in question["dcql_query"]["credentials"] if fits(one, claims))
    bound = "~".join([issued, *(by_name[one["path"][0]] for one in query["claims"]), ""])
    digest = base64.urlsafe_b64encode(hashlib.sha256(bound.encode()).digest()).rstrip(b"=").decode()
    said = {"iat": int(time.time()), "aud": question["client_id"], "nonce": question["nonce"], "sd_hash": digest}
    key = ECKey.import_key(copy["jwk"])
    return {query["id"]: [bound + jws.serialize_compact({"alg": "ES256", "typ": "kb+jwt"}, json.dumps(said), key)]}


def main(uri: str, number: int) -> None:
    """Answer one question, and print what the city said."""
    kit = json.loads(KIT.read_text(encoding="utf-8"))
    visitor = next(one for one in kit["citizens"] if one["note"] == "visitor")
    place = parse_qs(urlsplit(uri).query)["request_uri"][0]
    question = unpacked(httpx2.get(place).raise_for_status().text.split(".")[1])
    token = json.dumps(shown(visitor["credentials"][number], question))
    answer = httpx2.post(question["response_uri"], data={"vp_token": token, "state": question["state"]})
    print(json.dumps(answer.json(), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)  # noqa: PLR2004  (an option)
