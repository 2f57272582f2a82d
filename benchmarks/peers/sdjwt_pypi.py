"""The other peer of P7: PyPI's sd-jwt, in an environment of its own; told on stdin, tells its times on stdout."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

JWK: Any = import_module("jwcrypto.jwk").JWK  # of that environment alone
SDObj: Any = import_module("sd_jwt.common").SDObj
SDJWTIssuer: Any = import_module("sd_jwt.issuer").SDJWTIssuer
SDJWTVerifier: Any = import_module("sd_jwt.verifier").SDJWTVerifier


def timed(every: Sequence[Any], one: Callable[[Any], Any], rounds: int) -> tuple[list[float], list[Any]]:
    """Milliseconds of CPU each, a round at a time, and the last answers."""
    spent, answers = list[float](), list[Any]()
    for _ in range(rounds):
        before = time.process_time()
        answers = [one(each) for each in every]
        spent.append((time.process_time() - before) / len(every) * 1e3)
    return spent, answers


def main() -> None:
    """Verify and issue what was given."""
    given = json.load(sys.stdin)
    public, private = JWK(**given["public"]), JWK(**given["private"])
    hidden = set(given["frame"]["_sd"])

    def key(_issuer: str, _header: dict[str, Any]) -> Any:
        return public

    def verify(text: str) -> Any:
        return SDJWTVerifier(text, key, given["audience"], given["nonce"]).get_verified_payload()

    def issue(claims: dict[str, Any]) -> Any:
        told = {SDObj(name) if name in hidden else name: value for name, value in claims.items()}
        made = SDJWTIssuer(told, private, add_decoy_claims=True, extra_header_parameters=given["header"])
        return made.sd_jwt_issuance

    rounds = given["rounds"]
    reading, read = timed(given["presentations"], verify, rounds)
    issuing, issued = timed(given["claims"], issue, rounds)
    times = {"verify": statistics.median(reading[1:]), "issue": statistics.median(issuing[1:])}
    json.dump({**times, "read": read, "credentials": issued}, sys.stdout)


if __name__ == "__main__":
    main()
