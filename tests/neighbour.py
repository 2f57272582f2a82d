"""Another city on loopback: it attests, says what it took back, and can be cut off; and wallets that show, or forge."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from api.tool.trusting import signing
from core import bitlist, clock
from core.signed import Signer
from incentives.recognition import credential, statuslist, trust
from incentives.recognition.credential import Attested, Place
from incentives.recognition.trust import About, Body, Entry, Keys
from tests.incentives.recognition.wallet import Wallet, signed

CODE = "990100"
LISTED = 512


def now() -> int:
    """The unix second."""
    return int(clock.wall().timestamp())


class Copy(Wallet):
    """One copy of a credential of a neighbour, and its holder's key; shows for a question unless told otherwise."""

    def __init__(self, city: "Neighbour", attested: Attested, place: Place, day: datetime) -> None:  # pyright: ignore[reportMissingSuperCall]  (another city issues it)
        """Have it issued."""
        self.key = ECKey.generate_key("P-256", private=True)
        self.city = city
        self.text = credential.issue(
            Signer(city.key, credential.TYPE), attested, issuer=city.issuer, holder=self.key.as_dict(private=False),
            day=day.date(), place=place, noise=secrets.token_bytes(512),
        )  # fmt: skip
        self.issued, *self.disclosures, _ = self.text.split("~")

    def answer(self, question: Mapping[str, Any], *names: str, **changes: Any) -> str:
        """Show claims for a question of a partner."""
        told: dict[str, Any] = {"aud": question["client_id"], "nonce": question["nonce"], "iat": now(), **changes}
        return self.show(*(names or ("over_110", "city")), **told)

    def forged(self, question: Mapping[str, Any], header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Show a credential with other visible claims or header; `by` signs it."""
        key = claims.pop("by", self.city.key)
        said = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        usual = {"alg": "ES256", "kid": self.city.key.kid, "typ": credential.TYPE}
        return self.answer(question, issued=signed(key, {**usual, **(header or {})}, said))


class Neighbour:
    """A city of the league, at `issuer`; what its status address answers can be changed."""

    def __init__(self, issuer: str, code: str = CODE) -> None:
        """With keys of its own and nobody revoked."""
        self.issuer, self.code = issuer, code
        self.key = ECKey.generate_key("P-256", {"kid": f"vc-{secrets.token_hex(3)}"}, private=True)
        self.uri = f"{issuer}/status-lists/1"
        self.statuses = [statuslist.VALID] * LISTED
        self.asked = 0
        self.down = False
        self.body: bytes | None = None
        self.head = b"200 OK"
        self._next = 0

    def copy(self, *reached: int, index: int | None = None, uri: str = "", day: datetime | None = None) -> Copy:
        """A copy of a credential that says that these points were reached."""
        self._next += 1
        today = day or datetime.now(UTC)
        attested = Attested(frozenset(reached or (110, 120)), self.code, today.date(), "sc-theirs")
        return Copy(self, attested, Place(uri or self.uri, self._next if index is None else index), today)

    def token(self, **changes: Any) -> str:
        """Its status list."""
        signer = Signer(changes.get("key", self.key), statuslist.TYPE)
        held = bitlist.pack(self.statuses, statuslist.BITS)
        return statuslist.make(signer, held, uri=changes.get("uri", self.uri), now=changes.get("now", now()))

    def entry(self, **changes: Any) -> Entry:
        """It, on a trust list."""
        about = About(self.code, "示范邻市", credential.VCT, "1", (f"{self.issuer}/status-lists",))
        keys = changes.get("keys", [self.key])
        return Entry(self.issuer, Keys(tuple(key.as_dict(private=False) for key in keys)), about)


@asynccontextmanager
async def living(code: str = CODE) -> AsyncGenerator[Neighbour]:
    """A neighbour that answers, for the length of a block."""
    city: Neighbour

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            city.asked += 1
            if not city.down:
                body = city.token().encode() if city.body is None else city.body
                told = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                writer.write(b"HTTP/1.1 " + city.head + b"\r\n" + told + body)
                await writer.drain()
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    city = Neighbour(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", code)
    async with listener:
        yield city


class Roots:
    """Three persons who sign trust lists, two of whom are needed; their public keys are in a file."""

    def __init__(self, file: Path) -> None:
        """Write the file."""
        self.keys = [ECKey.generate_key("P-256", {"kid": f"root-{n}"}, private=True) for n in (1, 2, 3)]
        self.file, self._seq = file, 0
        public = [key.as_dict(private=False) for key in self.keys]
        file.write_text(json.dumps({"needed": 2, "keys": public}))

    def list(
        self, entries: Iterable[Entry], *, seq: int | None = None, signers: int = 2, at: int | None = None
    ) -> bytes:
        """A list of these cities, the next one unless told otherwise."""
        number = self._seq + 1 if seq is None else seq
        self._seq = max(self._seq, number)
        moment = now() if at is None else at
        body = Body("https://league.example", moment, moment + trust.DAYS * 86_400, number, tuple(entries))
        return trust.sign(body, [(str(key.kid), signing(key)) for key in self.keys[:signers]])
