"""The READMEs' pictures, taken of a city that runs with the small sample.

.venv/bin/python -m tests.browser.pictures http://127.0.0.1:8000 .sanwu
"""

import asyncio
import io
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from deploy.local.browser import find
from tests.browser.conftest import ARGUMENTS, Person
from tests.running import ROOT, RunningCity

FOLDER: Final = ROOT / "docs" / "pictures"
#: Of the forge that shows them to readers on slow lines.
LARGEST_BYTES: Final = 200 * 1024
_COLOURS: Final = 128
_PHONE: Final[ViewportSize] = {"width": 390, "height": 780}
_LAPTOP: Final[ViewportSize] = {"width": 1180, "height": 760}


async def signed_in(browser: Browser, url: str, home: Path, username: str) -> Page:
    """A laptop on which somebody is signed in."""
    # Started by somebody else: nothing of it is asked for but its accounts.
    city = RunningCity(url, home, process=None)  # type: ignore[arg-type] # see above
    page = await browser.new_page(viewport=_LAPTOP)
    await Person(page, city).sign_in(username)
    return page


async def keep(page: Page, name: str) -> None:
    """Keep what a page shows, in few colours; RuntimeError when it is too large all the same."""
    picture = Image.open(io.BytesIO(await page.screenshot())).convert("RGB").quantize(_COLOURS)
    out = io.BytesIO()
    picture.save(out, "png", optimize=True)
    if out.tell() > LARGEST_BYTES:
        message = f"{name} has {out.tell()} bytes"
        raise RuntimeError(message)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(out.getvalue())


async def take(url: str, home: Path) -> None:
    """Take all of them."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        village = await browser.new_page(viewport=_PHONE, device_scale_factor=2, java_script_enabled=False)
        await village.goto(f"{url}/v/210881006206")
        await keep(village, "village")
        desk = await signed_in(browser, url, home, "reviewer-210881006")
        await desk.goto(f"{url}/desk/grid")
        await keep(desk, "desk")
        console = await signed_in(browser, url, home, "inspector-210881")
        await console.goto(f"{url}/inspect")
        await keep(console, "console")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1], Path(sys.argv[2])))
