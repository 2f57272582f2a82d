"""Photographs the citizen's pages of a running demo for README and docs: `python docs/images/make.py [folder]`.

Needs `make demo` at work (PORT, default 8000), Chromium ($CHROMIUM, or on PATH), a Chinese font, and playwright
(`make interop` installs it). Everybody in the pictures is made up.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

CITY = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
PERK = "library.deposit-free"
CHEN = "陈桂芳"
# name -> (who, address, what the device asks for)
PICTURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "points": (CHEN, "/", {}),
    "perks": (CHEN, "/perks", {}),
    "whatif": (CHEN, "/whatif", {}),
    "code": (CHEN, f"/code?perk={PERK}", {}),
    "dark": (CHEN, "/", {"color_scheme": "dark"}),
    "elder": (CHEN, "/?mode=elder", {}),
}


@asynccontextmanager
async def phone(browser: Any, who: str, options: dict[str, Any]) -> AsyncGenerator[Any]:
    """A phone's page, its owner logged in."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, locale="zh-CN", **options
    )
    page = await context.new_page()
    await page.goto(f"{CITY}/login?return_to=/")
    await page.get_by_role("button", name=f"以{who}的身份进入").click()
    yield page
    await context.close()


async def prepare(page: Any, name: str) -> None:
    """What a picture needs before it is taken."""
    if name == "code":
        await page.locator("main form[action='/code'] button").click()
        await page.locator(".qr").wait_for()
    if name == "whatif":
        await page.locator("input[type=range]").nth(1).fill("20")
        await page.get_by_text("如果这样").wait_for()


async def main(folder: Path) -> None:
    """Take every picture."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses to sandbox for root
    async with async_playwright() as tool:
        browser = await tool.chromium.launch(executable_path=found, args=sandbox)
        for name, (who, address, options) in PICTURES.items():
            async with phone(browser, who, options) as page:
                await page.goto(CITY + address)
                await prepare(page, name)
                await page.screenshot(path=folder / f"{name}.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
