"""Photographs the desk of a demo made anew for README and docs: `python docs/images/desk.py [folder]`.

Needs what `make.py` beside it needs, and the demo's kit (KIT, default var/demo/kit.json). Two of the demo's people
become clerks, one at the credit office and one at a window: once, so a second run needs `RESET=1 make demo`.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

CITY = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
KIT = os.environ.get("KIT", "var/demo/kit.json")
OFFICE = ["staff:assessments", "staff:audits", "staff:clients", "staff:disputes", "staff:incidents", "staff:quality",
          "staff:releases", "staff:repairs", "staff:reviews"]  # fmt: skip
# name -> (office, what its clerk may do, who that is, address)
PICTURES = {
    "desk": ("staff-desk", OFFICE, "孙海燕", "/desk"),
    "window": ("staff-counter", ["staff:counter"], "赵安", "/desk/counter"),
}


def link(office: str, scopes: list[str]) -> str:
    """A clerk's link, as the office's own system asks for it."""
    asked = json.dumps({"clerk": "0101", "scopes": scopes})
    call = [
        ".venv/bin/osmanthus",
        "call",
        "POST",
        "/v1/staff/clerks",
        asked,
        "--as",
        office,
        "--kit",
        KIT,
        "--pick",
        "link",
    ]
    said = subprocess.run(call, check=True, capture_output=True, text=True)  # noqa: S603  (our own command)
    return said.stdout.strip()


async def seated(browser: Any, office: str, scopes: list[str], who: str) -> Any:
    """A desk's page, its clerk logged in."""
    context = await browser.new_context(viewport={"width": 1100, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(await asyncio.to_thread(link, office, scopes))
    await page.get_by_role("button", name="登录并开通").click()
    await page.get_by_role("button", name=f"以{who}的身份进入").click()
    await page.get_by_role("heading", name="待办").wait_for()
    return page


async def main(folder: Path) -> None:
    """Take both pictures."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses to sandbox for root
    async with async_playwright() as tool:
        browser = await tool.chromium.launch(executable_path=found, args=sandbox)
        for name, (office, scopes, who, address) in PICTURES.items():
            page = await seated(browser, office, scopes, who)
            await page.goto(CITY + address)
            await page.screenshot(path=folder / f"{name}.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
