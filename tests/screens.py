"""What every page is looked at for in a browser."""

from collections.abc import Iterable

from playwright.sync_api import Page

WIDTHS = (360, 768, 1280, 2560)


def assert_pages_fit(tab: Page, paths: Iterable[str]) -> None:
    """No page is wider than the screen, on a telephone as on a wall."""
    for path in paths:
        tab.goto(path)
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 800})
            needed = tab.evaluate("document.documentElement.scrollWidth")
            assert needed <= width, (path, width)
