"""`policy diff|publish|rehearse` from the command line."""

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from api import cli
from api.releases import rehearsing
from api.tool import registration
from core.settings import ROOT

CARD = ROOT / "policy" / "scorecard" / "2026-01-01.toml"
STRICTER = CARD.read_text().replace('name = "银"\nfrom = 120', 'name = "银"\nfrom = 125')


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A scorecard with another threshold, in a folder like that of the rule book."""
    path = tmp_path / "scorecard" / "2027-01-01.toml"
    path.parent.mkdir()
    path.write_text(STRICTER)
    return path


async def kit_of(server: Any, path: Path) -> str:
    """The path of a kit with one staff client, called `drafter`."""
    entry = await registration.add(
        server.house.settings,
        client_id=f"d-{secrets.token_hex(4)}",
        role="staff",
        name="起草",
        scopes=["staff:releases"],
    )
    kit = {"base_url": server.base_url, "issuer": server.base_url, "citizens": [], "clients": {"drafter": entry}}
    path.write_text(json.dumps(kit))
    return str(path)


class TestDiff:
    """`osmanthus policy diff`."""

    def test_by_value_in_plain_words(self, changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The part, the old and the new value, the basis, and whether it may take something away."""
        assert cli.main(["policy", "diff", str(CARD), str(changed)]) == 0
        said = capsys.readouterr().out
        assert "等级“银”：起点分 120 → 125（示范规则，未经任何城市采用）　可能少得" in said
        assert "必须提前告知" in said

    def test_clocks_of_disputes(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Another number of days is said with its basis, and that no point depends on it."""
        shipped = ROOT / "policy" / "disputes.toml"
        (longer := tmp_path / "disputes.toml").write_text(shipped.read_text().replace("days = 2", "days = 4"))
        assert cli.main(["policy", "diff", str(shipped), str(longer)]) == 0
        said = capsys.readouterr().out
        assert "异议期限：来源单位答复 2个工作日 → 4个工作日（示范规则，未经任何城市采用）　不涉及分数" in said
        repair = ROOT / "policy" / "repair.toml"
        assert cli.main(["policy", "diff", str(repair), str(repair)]) == 1

    def test_nothing_and_nonsense(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Two equal files differ in nothing; a file of another kind is refused with what to give."""
        assert cli.main(["policy", "diff", str(CARD), str(CARD)]) == 0
        assert "没有区别" in capsys.readouterr().out
        perks = ROOT / "policy" / "perks" / "library.toml"
        assert cli.main(["policy", "diff", str(perks), str(perks)]) == 0
        assert cli.main(["policy", "diff", str(CARD), str(perks)]) == 1
        assert "two scorecards" in capsys.readouterr().err


class TestPublish:
    """`osmanthus policy publish` and `rehearse`."""

    async def test_a_draft_and_its_rehearsal(
        self, server: Any, changed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Publishing makes a draft and no more; rehearsing watches it and prints the digest that an approval names."""
        kit = await kit_of(server, tmp_path / "kit.json")
        options = ["--as", "drafter", "--kit", kit]
        assert await asyncio.to_thread(cli.main, ["policy", "publish", str(changed), *options]) == 0
        identity = capsys.readouterr().out.strip()
        assert identity.startswith("rl_")

        async def worker() -> None:
            while not await rehearsing.once(server.house):
                await asyncio.sleep(0.05)

        page = tmp_path / "report.html"
        arguments = ["policy", "rehearse", identity, "--html", str(page), *options]
        ended, _ = await asyncio.gather(asyncio.to_thread(cli.main, arguments), worker())
        assert ended == 0
        assert "report_digest " in capsys.readouterr().out
        assert f'href="{server.base_url}/static/osmanthus.css' in page.read_text()

    async def test_what_cannot_be_published_says_why(
        self, server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An unknown client, a file of no folder, and every fault of a text by its line."""
        kit = await kit_of(server, tmp_path / "kit.json")
        stray = tmp_path / "stray.toml"
        stray.write_text("= nonsense")
        for more, word in (
            (["--as", "nobody"], "The kit has no nobody"),
            (["--as", "drafter"], "--kind"),
            (["--as", "drafter", "--kind", "perks"], "stray.toml:1"),
        ):
            arguments = ["policy", "publish", str(stray), "--kit", kit, *more]
            assert await asyncio.to_thread(cli.main, arguments) == 1
            assert word in capsys.readouterr().err
