"""Visitors when their home is cut off, takes back, rotates its keys; the trust list and the map over HTTP."""

import asyncio
import json
import sys
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from api import cli
from api.sandbox import neighbour
from api.staff.publication import PolicyFaulty
from api.tool import demo_trust
from api.worker import peers
from core import clock, embedded, jose, settings
from core.keys import Keyring
from core.settings import ROOT
from core.signed import Signer
from incentives.recognition import statuslist, trust
from incentives.recognition.trust import Distrusted
from incentives.visitors import rootkeys
from tests.api.visitworld import METRO, ROUTE, Town, cause, opened
from tests.neighbour import Roots, now
from tests.rulebook import text

WALLET = ROOT / "docs" / "examples" / "visitor_wallet.py"
_STRANGER = ECKey.generate_key("P-256", {"kid": "x"}, private=True)


@pytest_asyncio.fixture(scope="module")
async def town(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """One for this file."""
    async with opened(cluster, city_template, ring, tmp_path_factory.mktemp("trust")) as made:
        yield made


class TestCutOff:
    """The home city does not answer, or says something else."""

    async def test_never_a_false_no(self, town: Town) -> None:
        """503 for wallet and partner, nothing decided; when the line heals, the very same presentation counts."""
        question = await town.ask()
        text = town.neighbour.copy().answer(question)
        town.forget()
        town.neighbour.down = True
        try:
            answers = await town.respond(question, text), await town.bring(question, text), await town.see(question)
            for answer in answers:
                assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
                assert (answer.headers["retry-after"], answer.json()["retryable"]) == ("2", True)
            below = await town.ask()
            unable = await town.bring(below, town.neighbour.copy(100).answer(below, "city"))
            assert unable.status_code == 503, "or a partner could tell who would be granted"
        finally:
            town.neighbour.down = False
        town.forget()
        assert (await town.respond(question, text)).json()["result"] == "granted"
        assert (await town.see(question)).json()["result"] == "granted"

    async def test_a_list_that_is_none(self, town: Town) -> None:
        """Of another address, unsigned, by another key, over, a bomb, a redirect: as if the city were cut off."""
        bomb = json.dumps({"bits": 2, "lst": jose.base64(zlib.compress(bytes(16 << 20), 9))}).encode()
        held = {"sub": town.neighbour.uri, "iat": now(), "exp": now() + 60, "status_list": json.loads(bomb)}
        bodies = {
            "another address": town.neighbour.token(uri=town.neighbour.uri + "x"),
            "over": town.neighbour.token(now=now() - 90_000),
            "another key": town.neighbour.token(key=_STRANGER),
            "none": "e30.e30.",
            "bomb": Signer(town.neighbour.key, statuslist.TYPE).sign(held),
            "big": "x" * (9 << 20),
            "empty": "",
        }
        text = town.neighbour.copy()
        for name, body in bodies.items():
            town.forget()
            town.neighbour.body = body.encode()
            question = await town.ask()
            answer = await town.bring(question, text.answer(question))
            assert answer.status_code == 503, name
        town.neighbour.body, town.neighbour.head = None, b"302 Found\r\nlocation: http://127.0.0.1:9/"
        town.forget()
        question = await town.ask()
        assert (await town.bring(question, text.answer(question))).status_code == 503
        town.neighbour.head = b"200 OK"

    async def test_what_home_takes_back(self, town: Town) -> None:
        """A list is kept for its ttl and asked for once; at the next fetch what was revoked is dropped."""
        town.forget()
        before, index = town.neighbour.asked, 300
        questions = [await town.ask() for _ in range(5)]
        texts = [town.neighbour.copy(index=index + n).answer(one) for n, one in enumerate(questions)]
        answers = await asyncio.gather(*(town.bring(*one) for one in zip(questions[:4], texts[:4], strict=True)))
        assert {answer.json()["result"] for answer in answers} == {"granted"}
        assert town.neighbour.asked == before + 1
        town.neighbour.statuses[index + 4] = statuslist.INVALID
        town.forget()  # as after `ttl` seconds
        assert (await town.bring(questions[4], texts[4])).json()["result"] == "standard_route"


class TestTrust:
    """The list of cities, and the map."""

    async def test_it_is_published_as_it_was_signed(self, town: Town) -> None:
        """Anybody checks it by the signers' keys."""
        answer = await town.wallet.get("/.well-known/credit-trust-list")
        assert answer.headers["content-type"] == "application/jose+json"
        roots = await rootkeys.read(town.roots.file)
        found = trust.read(answer.content, roots.keys, needed=2, now=now(), seen=None)
        assert [one.about.city for one in found.body.cities] == ["990100"]

    async def test_rollback_and_one_signer(self, town: Town) -> None:
        """An older list, another one of the same number, one signature, strangers' signatures: none is taken in."""
        entry = town.neighbour.entry()
        at = 50
        await town.trust(town.roots.list([entry], seq=at))
        for raw in (
            town.roots.list([entry], seq=at - 1),
            town.roots.list([], seq=at),
            town.roots.list([entry], seq=at + 1, signers=1),
            town.roots.list([entry], seq=at + 1, at=now() - 8 * 86_400),
            Roots(town.roots.file.with_name("others.json")).list([entry], seq=at + 1),
            b"{}",
        ):
            with pytest.raises(Distrusted):
                await town.trust(raw)

    async def test_the_database_cannot_bring_a_city(self, town: Town) -> None:
        """A list that somebody wrote into the table is not believed: signers stand outside; the one before stays."""
        forged = Roots(town.roots.file.with_name("forgers.json")).list([town.neighbour.entry()], seq=900)
        await town.do("insert into incentives.trust_list (seq, body) values (900, $1)", forged.decode())
        try:
            published = (await town.wallet.get("/.well-known/credit-trust-list")).content
            assert published != forged
            question = await town.ask()
            answer = await town.bring(question, town.neighbour.copy().answer(question))
            assert answer.json()["result"] == "granted"
        finally:
            await town.do("delete from incentives.trust_list where seq = $1", 900)

    async def test_a_key_is_rotated(self, town: Town) -> None:
        """With old and new key on the list both count; when the old one leaves it, what it signed does not."""
        old, new = town.neighbour.key, ECKey.generate_key("P-256", {"kid": "vc-new"}, private=True)
        before, question = town.neighbour.copy(), await town.ask()
        await town.trust(town.roots.list([town.neighbour.entry(keys=[old, new])]))
        town.neighbour.key = new
        town.forget()
        assert (await town.bring(question, town.neighbour.copy().answer(question))).json()["result"] == "granted"
        question, early = await town.ask(), town.neighbour.copy()
        town.neighbour.key = old
        text = before.answer(question)
        town.neighbour.key = new
        assert (await town.bring(question, text)).json()["result"] == "granted"
        await town.trust(town.roots.list([town.neighbour.entry(keys=[new])]))
        question = await town.ask()
        assert (await town.bring(question, before.answer(question))).json()["result"] == "standard_route"
        question = await town.ask()
        assert (await town.bring(question, early.answer(question))).json()["result"] == "granted"

    async def test_another_city_has_a_newer_list(self, town: Town) -> None:
        """It is taken in, whoever had it; an older one, one by strangers, and nothing at all change nothing."""
        strangers = Roots(town.roots.file.with_name("strangers.json")).list([town.neighbour.entry()], seq=9_000)
        house, newer = town.server.house, town.roots.list([town.neighbour.entry()])
        older = town.roots.list([], seq=3)
        for body, taken in ((strangers, False), (b"", False), (newer, True), (older, False)):
            town.neighbour.body = body
            assert await peers.ask(house, town.neighbour.issuer) is taken
        town.neighbour.body = town.roots.list([town.neighbour.entry()], seq=trust.unread(newer).seq + 1)
        await peers.keep(house)
        published = (await town.wallet.get("/.well-known/credit-trust-list")).content
        assert published == town.neighbour.body
        town.neighbour.body = None

    async def test_a_city_that_left(self, town: Town) -> None:
        """Off the list it is a stranger, whatever the map says; on it again it is a neighbour."""
        await town.trust(town.roots.list([]))
        question = await town.ask()
        gone = await town.bring(question, town.neighbour.copy().answer(question))
        await town.trust(town.roots.list([town.neighbour.entry()]))
        assert gone.json()["result"] == "standard_route"
        assert await cause(town, gone.json()["decision_id"]) == "not_proved"

    async def test_a_rule_that_ended_yesterday(self, town: Town) -> None:
        """It opens nothing today: a question asked before is the standard route, and no new one is asked."""
        question, body = await town.ask(), text("recognition.toml")
        yesterday = clock.today() - timedelta(days=1)
        ended = body.replace('perks = ["transit.discount"]', f'perks = ["transit.discount"]\nuntil = {yesterday}')
        try:
            await town.publish(ended)
            answer = await town.bring(question, town.neighbour.copy().answer(question))
            assert answer.json()["result"] == "standard_route"
            assert await cause(town, answer.json()["decision_id"]) == "perk_not_recognised"
            refused = await town.callers["metro"].post(ROUTE, json={"perk": METRO})
            assert refused.json()["code"] == "perk_not_recognised"
        finally:
            await town.publish(body + "\n# again\n")
        assert await town.ask()

    async def test_a_faulty_map_is_not_even_drafted(self, town: Town) -> None:
        """What lends to visitors comes back with its fault."""
        with pytest.raises(PolicyFaulty):
            await town.publish(text("recognition.toml").replace('"tourism.ticket"', '"rental.deposit-free"'))


class TestNeighbour:
    """The made-up city beside a sandbox, from outside, by the wallet of docs/examples."""

    async def test_a_wallet_that_anybody_can_copy(self, town: Town, tmp_path: Path) -> None:
        """It reads the question, shows what was asked, and keeps the receipt; the copy that was taken back is none."""
        house = town.server.house
        kit = demo_trust.with_credentials({"citizens": [{"note": "visitor"}, {"note": "high"}]}, house)
        (tmp_path / "var" / "demo").mkdir(parents=True)
        (tmp_path / "var" / "demo" / "kit.json").write_text(json.dumps(kit), encoding="utf-8")
        assert "credentials" not in kit["citizens"][1]
        await town.trust(town.roots.list([neighbour.entry(house)]))
        for number, result in ((0, "granted"), (demo_trust.COPIES - 1, "standard_route"), (0, "standard_route")):
            question = await town.ask()
            child = await asyncio.create_subprocess_exec(
                sys.executable, str(WALLET), question["uri"], str(number), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
            )
            said, _ = await child.communicate()
            assert json.loads(said)["result"] == result
            assert (await town.see(question)).json()["result"] == result
        await town.trust(town.roots.list([town.neighbour.entry()]))


class TestTool:
    """`osmanthus trust`."""

    async def test_two_persons_sign_and_one_takes_in(
        self, town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys, a draft, two signatures, taken in by a city; with one signature it is refused and nothing changes."""
        keys, cities, made = [], tmp_path / "cities.json", tmp_path / "list.json"
        for name in ("a", "b"):
            assert cli.main(["trust", "key", name, "--out", str(tmp_path / name)]) == 0
            keys.append(json.loads(capsys.readouterr().out))
            assert "d" not in keys[-1]
        signers = tmp_path / "signers.json"
        signers.write_text(json.dumps({"needed": 2, "keys": keys}))
        for name, value in settings.environment(town.server.house.settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OSMANTHUS_TRUST_SIGNERS", str(signers))
        cities.write_bytes(msgspec.json.encode([town.neighbour.entry()]))
        drafting = ["trust", "draft", str(cities), "--out", str(made), "--issuer", "https://l.example", "--seq", "700"]
        assert cli.main(drafting) == 0
        assert cli.main(["trust", "sign", str(made), "--key", str(tmp_path / "a")]) == 0
        assert await asyncio.to_thread(cli.main, ["trust", "import", str(made)]) == 1
        assert "1 of the signers, 2 are needed" in capsys.readouterr().err
        assert cli.main(["trust", "sign", str(made), "--key", str(tmp_path / "b")]) == 0
        assert await asyncio.to_thread(cli.main, ["trust", "import", str(made)]) == 0
        assert await asyncio.to_thread(cli.main, ["trust", "show"]) == 0
        assert "list 700 of https://l.example" in capsys.readouterr().out
        await town.do("delete from incentives.trust_list where seq = $1", 700)

    async def test_one_signer_is_never_enough(self, tmp_path: Path) -> None:
        """A file that needs one signature, or counts one key twice, holds no signers."""
        key = _STRANGER.as_dict(private=False)
        for needed, keys in ((1, [key]), (2, [key]), (2, [key, {**key, "kid": "y"}]), (3, [])):
            (tmp_path / "s.json").write_text(json.dumps({"needed": needed, "keys": keys}))
            with pytest.raises(rootkeys.NoRootKeys):
                await rootkeys.read(tmp_path / "s.json")
        with pytest.raises(rootkeys.NoRootKeys):
            await rootkeys.read(None)
