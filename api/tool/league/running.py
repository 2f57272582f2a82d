"""Several cities side by side: each a process with a database, keys and a rule book of its own, as strangers would be.

Keeps, under `var/league/`: a folder for each city, the signers of the trust list (in earnest these are files of persons
on machines of theirs), and nothing else. Promises: a city hears of another only over HTTP and by the list that two of
three signed; what was started is stopped, however this process ends. A city can be cut off (its process is halted, so
that whoever calls waits for nothing), and can change its signing keys.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
from joserfc.jwk import ECKey

from api.tool.demo import CannotStartError, say, write_privately
from api.tool.league import cities
from api.tool.league.cities import City
from api.tool.trusting import signing
from core import clock
from core.settings import ROOT
from incentives.recognition import credential, trust
from incentives.recognition.trust import About, Body, Entry, Keys

ISSUER = "https://league.example"
NEEDED = 2
_SIGNERS = ("root-1", "root-2", "root-3")
_STARTING, _STOPPING, _TAKING = 600, 30, 30
_WEEK = trust.DAYS * 86_400
_OK = 200


class Running:
    """One city: where it is, and its process."""

    def __init__(self, city: City, home: Path, port: int) -> None:
        """Nothing is started yet."""
        self.city, self.home, self.port, self.serial = city, home, port, 0
        self.base_url = f"http://127.0.0.1:{port}"
        self.process: asyncio.subprocess.Process | None = None

    @property
    def kit(self) -> dict[str, Any]:
        """Every role of this city."""
        return json.loads((self.home / "demo/kit.json").read_text())

    async def start(self, signers: Path, *, reset: bool = False) -> None:
        """Start it and wait until it answers. Raises CannotStartError."""
        own = {
            "OSMANTHUS_CITY": self.city.name,
            "OSMANTHUS_CITY_CODE": self.city.code,
            "OSMANTHUS_CONTROLLER": self.city.controller,
            "OSMANTHUS_POLICY_DIR": str(self.home / "policy"),
            "OSMANTHUS_TRUST_SIGNERS": str(signers),
            "OSMANTHUS_TOKEN_KEY_SERIAL": str(self.serial),
        }
        command = [sys.executable, "-m", "api.cli", "demo", "--port", str(self.port), "--home", str(self.home)]
        with (self.home / "terminal.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, *(["--reset"] if reset else []), cwd=ROOT, env={**os.environ, **own},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        async with asyncio.timeout(_STARTING), httpx2.AsyncClient(base_url=self.base_url, timeout=5) as http:
            while not await self._is_up(http):
                if self.process.returncode is not None:
                    message = f"{self.city.name} did not start: see {self.home / 'terminal.log'}"
                    raise CannotStartError(message)
                await asyncio.sleep(0.3)

    async def _is_up(self, http: httpx2.AsyncClient) -> bool:
        folder = self.home / "demo"
        if (folder / "seeding").exists() or not (folder / "kit.json").exists():
            return False
        try:
            return (await http.get("/healthz/ready")).status_code == _OK
        except httpx2.HTTPError:
            return False

    async def stop(self) -> None:
        """End it as Ctrl-C would, and wait."""
        if self.process is None or self.process.returncode is not None:
            return
        self.heal()
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _STOPPING)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    def cut(self) -> None:
        """From now on it answers nobody."""
        assert self.process is not None  # noqa: S101  (it was started)
        self.process.send_signal(signal.SIGSTOP)

    def heal(self) -> None:
        """It answers again."""
        assert self.process is not None  # noqa: S101  (it was started)
        self.process.send_signal(signal.SIGCONT)


class League:
    """The cities, and who signs the list of them."""

    def __init__(self, folder: Path, running: list[Running]) -> None:
        """Make the signers' keys, if they are not there."""
        self.folder, self.cities, self.signers = folder, running, folder / "signers.json"
        self._jwks: dict[str, dict[str, dict[str, Any]]] = {}
        roots = folder / "roots.json"
        if not roots.exists():
            made = [ECKey.generate_key("P-256", {"kid": kid}, private=True) for kid in _SIGNERS]
            write_privately(roots, json.dumps([key.as_dict(private=True) for key in made]))
        self.roots = [ECKey.import_key(one) for one in json.loads(roots.read_text())]
        public = [key.as_dict(private=False) for key in self.roots]
        self.signers.write_text(json.dumps({"needed": NEEDED, "keys": public}))

    async def agree(self) -> None:
        """A new list of all cities with the keys they have now (and had), signed by two, in force everywhere."""
        raw = await self.draft()
        for one in self.cities:
            self.lay(one, raw)
        async with asyncio.timeout(_TAKING):
            for one in self.cities:
                while await self.in_force(one) != json.loads(raw)["payload"]:  # noqa: ASYNC110  (another process)
                    await asyncio.sleep(0.3)

    async def draft(self, *, seq: int | None = None, signed_by: int = NEEDED) -> bytes:
        """A list as `signed_by` of the signers would publish it; numbered by the second unless told otherwise."""
        now = int(clock.wall().timestamp())
        entries = tuple([await self._entry(one) for one in self.cities])
        body = Body(ISSUER, now, now + _WEEK, now if seq is None else seq, entries)
        return trust.sign(body, [(str(key.kid), signing(key)) for key in self.roots[:signed_by]])

    def lay(self, one: Running, raw: bytes) -> None:
        """Give a city a list, as its operator would; it is for the city to believe it."""
        target = one.home / "demo/trust-list.json"
        draft = target.with_suffix(".draft")
        draft.write_bytes(raw)
        draft.replace(target)

    async def in_force(self, one: Running) -> str:
        """The payload of the list that a city publishes; nothing where it has none."""
        async with httpx2.AsyncClient(base_url=one.base_url, timeout=20) as http:
            answer = await http.get("/.well-known/credit-trust-list")
            return answer.json()["payload"] if answer.status_code == _OK else ""

    async def _entry(self, one: Running) -> Entry:
        async with httpx2.AsyncClient(base_url=one.base_url, timeout=20) as http:
            jwks = (await http.get("/.well-known/jwks.json")).json()["keys"]
        known = self._jwks.setdefault(one.city.code, {})
        known.update({jwk["kid"]: jwk for jwk in jwks if jwk["kid"].startswith("cred-")})
        about = About(one.city.code, one.city.name, credential.VCT, "1", (f"{one.base_url}/status-lists",))
        return Entry(one.base_url, Keys(tuple(known.values())), about)


@contextlib.asynccontextmanager
async def living(folder: Path, port: int, count: int, *, reset: bool) -> AsyncGenerator[League]:
    """`count` cities on ports from `port` on, that recognise one another, for the length of a block."""
    os.umask(0o077)
    if reset:
        shutil.rmtree(folder / "roots.json", ignore_errors=True)
    chosen = cities.CITIES[:count]
    running = [Running(city, folder / city.code, port + place) for place, city in enumerate(chosen)]
    for one in running:
        one.home.mkdir(parents=True, exist_ok=True)
        cities.write(ROOT / "policy", one.home / "policy", one.city, [other for other in chosen if other != one.city])
    league = League(folder, running)
    try:
        say(f"Starting {count} cities; the first time each is made through its own public API ...")
        async with asyncio.TaskGroup() as starting:
            for one in running:
                starting.create_task(one.start(league.signers, reset=reset))
        await league.agree()
        yield league
    finally:
        await asyncio.gather(*(one.stop() for one in running))
