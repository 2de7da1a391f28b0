"""Draws the icons that are no SVG, from static/icon.svg, with Chromium: `python docs/icons.py`, with CHROMIUM set.

On paper that reaches to the edges, and small enough that any mask a phone may cut it with leaves it whole.
"""

import asyncio
import base64
import pathlib

from tests.support.browser import chromium

STATIC = pathlib.Path(__file__).parent.parent / "static"
SIZES = (192, 512)
PAGE = """<body style="margin: 0; background: #f8f4ec; display: grid; place-items: center; height: 100vh">
<img style="width: 62vw" src="data:image/svg+xml;base64,{}">"""


async def main() -> None:
    svg = base64.b64encode((STATIC / "icon.svg").read_bytes()).decode()
    async with chromium() as browser:
        for size in SIZES:
            page = await browser.new_page(viewport={"width": size, "height": size})
            await page.set_content(PAGE.format(svg))
            await page.screenshot(path=STATIC / f"icon-{size}.png")
            await page.close()


if __name__ == "__main__":
    asyncio.run(main())
