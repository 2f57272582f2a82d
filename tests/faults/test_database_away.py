"""PostgreSQL goes away under load and comes back: 503 meanwhile, never a false "no", and no restart of ours."""

import asyncio
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import httpx2
import msgspec
import pytest
import pytest_asyncio

from core import db, embedded, ids
from core.keys import Keyring
from core.postgres import migrate
from tests.api.contract import fault
from tests.api.identity.client import Caller
from tests.conftest import FAST, PREFIX
from tests.faults.deployment import LIBRARY, Deployment, bill, tell
from tests.receiver import Receiver, opened

Call = Callable[[], Awaitable[httpx2.Response]]
COUNTED = {"check", "order"}  # by whom they name


class Ground(msgspec.Struct):
    """A deployment and the server under it."""

    home: Path
    under: embedded.Running
    city: Deployment
    shop: Receiver


@pytest_asyncio.fixture
async def ground(ring: Keyring, tmp_path: Path) -> AsyncIterator[Ground]:
    """A city over an embedded server of its own."""
    home = Path(tempfile.mkdtemp(prefix="osm-"))
    under = embedded.start(home, options=FAST)
    try:
        url = under.cluster.dsn()
        await migrate.upgrade(url, role_prefix=PREFIX, sandbox=True)
        await db.arm(url, ring, PREFIX)
        city = Deployment(url, ring.file, log=tmp_path / "server.log")
        await city.publish()
        await city.start()
        async with opened() as shop:
            made = Ground(home, under, city, shop)
            yield made
            await city.close()
        under = made.under
    finally:
        embedded.stop(under)
        embedded.erase(home)
        shutil.rmtree(home, ignore_errors=True)


class Load:
    """Calls repeated for ever, each by itself, with what came back."""

    def __init__(self, calls: dict[str, Call]) -> None:
        """`calls` by name."""
        self.answers: dict[str, list[httpx2.Response]] = {name: [] for name in calls}
        self._tasks = [asyncio.create_task(self._repeat(name, call)) for name, call in calls.items()]

    async def _repeat(self, name: str, call: Call) -> None:
        while True:
            self.answers[name].append(await call())
            await asyncio.sleep(0.01)

    async def until(self, *, after: dict[str, int], each: int, status: int) -> None:
        """Until every call was answered so and so often with `status`, counted after `after`."""

        def told(name: str) -> int:
            # One holder is asked about thirty times a minute at most: told so is answered, too.
            fine = {status, 429} if name in COUNTED and status == 200 else {status}
            return sum(one.status_code in fine for one in self.answers[name][after[name] :])

        end = asyncio.get_running_loop().time() + 60
        while waiting := [name for name in self.answers if told(name) < each]:
            for task in self._tasks:
                if task.done():
                    task.result()
            last = {name: [(one.status_code, one.text[:200]) for one in self.answers[name][-2:]] for name in waiting}
            assert asyncio.get_running_loop().time() < end, f"never {status}: {last}"
            await asyncio.sleep(0.05)

    def marks(self) -> dict[str, int]:
        """How many answers there are by now."""
        return {name: len(found) for name, found in self.answers.items()}

    async def stop(self) -> None:
        """No more calls; raises what broke one."""
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


class Orders:
    """Openings one after the other; whatever was not answered is sent again, with its number and key."""

    def __init__(self, partner: Caller, subject: str) -> None:
        """`partner` opens for `subject`."""
        self.partner, self.subject = partner, subject
        self.number, self.told = secrets.token_hex(8), dict[str, str]()

    async def __call__(self) -> httpx2.Response:
        """The next one, or the same one again; an order counts as success."""
        body = {"out_order_no": self.number, "perk": LIBRARY, "holder": {"subject": self.subject}, "deposit": 100}
        headers = {"Idempotency-Key": self.number}
        answer = await self.partner.request("POST", "/v1/partner/orders", json=body, headers=headers)
        if answer.status_code == 201:
            self.told[self.number] = answer.json()["out_order_no"]
            self.number, answer.status_code = secrets.token_hex(8), 200
        return answer

    async def judge(self, city: Deployment) -> None:
        """Each order that was told of is there; beside them at most the one whose answer was cut off at the end."""
        rows = await city.rows("select out_order_no, seq from incentives.perk_order")
        kept = {row["out_order_no"] for row in rows}
        assert kept >= set(self.told)
        assert kept - set(self.told) <= {self.number}
        assert len(self.told) > 3


async def everything(city: Deployment) -> dict[str, Call]:
    """The calls that matter, each of which succeeds while all is well."""
    lender = await city.client("lender", "partner", "orders:write", perks=[LIBRARY])
    partner = await city.client("library", "partner", "eligibility:check", perks=[LIBRARY])
    source = await city.client("utilities", "source", "records:write", kinds=["P01"])
    idle = await city.client("idle", "partner", "eligibility:check", perks=[LIBRARY])
    me, number = await city.citizen()
    shared = await city.consent(me, f"share:library/{LIBRARY}")
    other, _ = await city.citizen()  # whose orders leave no room for more, which a check would say
    lent = await city.consent(other, f"share:lender/{LIBRARY}")
    question = {"perk": LIBRARY, "holder": {"subject": shared.json()["subject"]}, "amount": 10000}
    lines = msgspec.json.encode(bill("b1", number)) + b"\n"
    ndjson = {"Content-Type": "application/x-ndjson"}
    pushed = await source.request("POST", "/v1/source/records", content=lines, headers=ndjson)
    assert pushed.json()["accepted"] == 1
    assert (await me.get("/v1/me/score")).json()["points"] == 110.5, (await me.get("/v1/me/records")).text
    await partner.token()
    return {
        "token": lambda: idle.post_signed("/oauth/token", {"grant_type": "client_credentials"}),
        "score": lambda: me.get("/v1/me/score"),
        "consents": lambda: me.get("/v1/me/consents"),
        "page": lambda: me.get("/"),
        "login": lambda: city_login(me),
        "rules": lambda: me.get("/v1/rules/perks"),
        "check": lambda: partner.request("POST", "/v1/partner/eligibility", json=question),
        "checks": lambda: at_once(partner),
        "order": Orders(lender, lent.json()["subject"]),
        "perks": lambda: partner.request("GET", "/v1/partner/perks"),
        "push": lambda: source.request("POST", "/v1/source/records", content=lines, headers=ndjson),
        "subjects": lambda: source.request("GET", "/v1/source/subjects"),
        "ready": lambda: me.get("/healthz/ready"),
    }


async def sent(ground: Ground) -> None:
    """The worker, which nobody started anew, has told the merchant of every order, under the events' own ids."""
    wanted = {ids.show("ev", row["id"]) for row in await ground.city.rows("select id from incentives.event")}
    async with asyncio.timeout(60):
        while not wanted <= (got := {one.headers["webhook-id"] for one in ground.shop.got}):
            assert ground.city.works(), ground.city.log.read_text()
            await asyncio.sleep(0.1)
    assert len(got) > 3


async def at_once(partner: Caller) -> httpx2.Response:
    """Twelve checks about strangers, which travel together; the worst of what came back."""

    def ask() -> Awaitable[httpx2.Response]:
        question = {"perk": LIBRARY, "holder": {"subject": ids.show("su", ids.random())}}
        return partner.request("POST", "/v1/partner/eligibility", json=question)

    answers = await asyncio.gather(*(ask() for _ in range(12)))
    return max(answers, key=lambda one: (one.status_code not in {200, 503}, one.status_code))


async def city_login(me: httpx2.AsyncClient) -> httpx2.Response:
    """Begin a login as a stranger; its redirect counts as success."""
    async with httpx2.AsyncClient(base_url=me.base_url, timeout=60) as stranger:
        answer = await stranger.get("/login")
    if answer.status_code == 303:
        answer.status_code = 200
    return answer


async def proved(city: Deployment) -> dict[str, str]:
    """The headers of a request that was answered."""
    caller = await city.client("prover", "partner", "eligibility:check", perks=[LIBRARY])
    token = await caller.token()
    await caller.get("/v1/partner/perks")
    proof = caller.signer.proof("GET", f"{city.base_url}/v1/partner/perks", access_token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert (await again(city, headers)).status_code == 200
    return headers


async def again(city: Deployment, headers: dict[str, str]) -> httpx2.Response:
    """The same request, byte for byte."""
    async with httpx2.AsyncClient(base_url=city.base_url) as http:
        return await http.get("/v1/partner/perks", headers=headers)


def right(name: str, body: Any) -> bool:
    """Whether a 200 says what it said before the fault."""
    if name == "check":
        return body["result"] == "granted"
    if name == "checks":
        return body["result"] == "standard_route"
    if name == "score":
        return body["points"] == 110.5
    if name == "push":
        return body["accepted"] == 1
    return name != "consents" or {each["state"] for each in body["consents"]} == {"given"}


class TestStopped:
    """A fast stop under load, some seconds without, and a start."""

    @pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
    async def test_503_meanwhile_and_recovery_without_a_restart(self, ground: Ground, sign: signal.Signals) -> None:
        """Every answer is right or a 503 problem with Retry-After; live stays green, ready tells; then all is well."""
        city = ground.city
        calls = await everything(city)
        await tell(city, cast("Orders", calls["order"]).partner, ground.shop)
        load = Load(calls)
        try:
            await self._down_and_up(ground, load, sign)
        finally:
            await load.stop()
        wrong = [
            (name, answer.status_code, answer.text[:300])
            for name, found in load.answers.items()
            for answer in found
            if not _well(name, answer)
        ]
        faults = [line for line in city.log.read_text().splitlines() if '"fault"' in line]
        assert (wrong, faults) == ([], [])
        await cast("Orders", calls["order"]).judge(city)
        await sent(ground)

    async def _down_and_up(self, ground: Ground, load: Load, sign: signal.Signals) -> None:
        city = ground.city
        await load.until(after=load.marks(), each=2, status=200)
        used = await proved(city)
        ground.under.server.send_signal(sign)
        await asyncio.to_thread(embedded.stop, ground.under)
        gone = load.marks()
        await load.until(after=gone, each=3, status=503)
        async with httpx2.AsyncClient(base_url=city.base_url) as http:
            assert (await http.get("/healthz/live")).status_code == 200
            assert (await http.get("/metrics")).status_code == 200
        ground.under = await asyncio.to_thread(lambda: embedded.start(ground.home, options=FAST))
        await load.until(after=load.marks(), each=2, status=200)
        assert (await again(city, used)).status_code == 401  # kept in mind, or forgotten with a new epoch


def _well(name: str, answer: httpx2.Response) -> bool:
    """Right, or an honest 503."""
    if answer.status_code == 200:
        return "json" not in answer.headers.get("content-type", "") or right(name, answer.json())
    if name in COUNTED and answer.status_code == 429:
        return answer.json()["code"] == "too_many_requests"
    if name in {"page", "login"}:
        return answer.status_code == 503 and "retry-after" in answer.headers
    return answer.status_code == 503 and fault(answer) is None and int(answer.headers["retry-after"]) >= 1
