"""axe-core's rules for a page as it stands there, by day and by night."""

from axe_playwright_python.async_playwright import Axe, AxeResults
from playwright.async_api import Page

DAY_AND_NIGHT = ("light", "dark")
RUN = 'axe.run({ resultTypes: ["violations"] })'


async def no_violations(page: Page, *schemes: str) -> None:
    """Fails with what axe-core finds, in each of these colour schemes; without any, in that which the page has.

    A document gets the half megabyte of axe-core once: to read it takes as long as to use it.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"{Axe().axe_script}; 0")
    for scheme in schemes or [None]:
        if scheme:
            await page.emulate_media(color_scheme=scheme)
            assert await page.evaluate("(scheme) => matchMedia(`(prefers-color-scheme: ${scheme})`).matches", scheme)
        found = AxeResults(await page.evaluate(RUN))
        assert found.violations_count == 0, f"{page.url} {scheme or ''}: {found.generate_report()}"
