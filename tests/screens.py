"""What pages are looked at for in a browser, and pictures of them."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PictureFailed

# Of each test in a browser that failed, as it ended, of each step of a journey, and of each page
# that the walk goes to.
PICTURES = Path(__file__).resolve().parent.parent / "artifacts" / "pictures"
# No rule of ours depends on a larger one.
WIDTHS = (360, 1280)
# Whoever was in a part that htmx changes is somewhere still, and not at the page's beginning.
FOCUS_IS_KEPT = """
let held = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  const here = document.activeElement;
  held = here !== document.body && event.detail.target.contains(here);
}, true);
document.addEventListener("htmx:afterSettle", (event) => {
  if (!held || !document.hasFocus()) return;
  setTimeout(() => {
    if (document.activeElement === document.body)
      console.error(`the focus is lost: ${event.target.outerHTML.slice(0, 200)}`);
  }, 100);
}, true);
"""


# htmx says so of a request that a newer one of the same part takes the place of.
ABORTED = re.compile("htmx:(sendAbort|afterRequest),")


def take_picture(tab: Page, name: str) -> None:
    """Now and then Chromium can't, on a busy machine: no fault of what the picture is of."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^\w.-]+", "-", name)[:150]
    try:
        tab.screenshot(path=PICTURES / f"{plain}.png")
    except PictureFailed as failure:
        warnings.warn(f"no picture “{name}”: {failure}", stacklevel=2)


def faults_of(tab: Page) -> list[str]:
    """Grows by whatever is blocked or breaks in the tab."""
    faults: list[str] = []
    tab.on(
        "console",
        lambda said: (
            said.type == "error" and not ABORTED.match(said.text) and faults.append(said.text)
        ),
    )
    tab.on("pageerror", lambda error: faults.append(str(error)))
    return faults


TOO_WIDE = """
(width) => {
  if (document.documentElement.scrollWidth <= width) return null;
  const beyond = [...document.body.querySelectorAll("*")].filter(
    (one) => one.getBoundingClientRect().right > width + 0.5);
  return beyond.slice(-1).map((one) => one.outerHTML.slice(0, 160)).join();
}
"""


class Screen:
    """A tab's, which is as wide as it was last looked at."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.line = tab.context.new_cdp_session(tab)
        self.width = 0

    def too_wide(self, widths: Sequence[int]) -> list[str]:
        """What of the page is beyond a screen of one of the widths, looked at in each of them.

        The width that it has is the first: each change costs a layout.
        """
        found = []
        for width in sorted(widths, key=lambda one: one != self.width):
            if width != self.width:
                size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
                self.line.send("Emulation.setDeviceMetricsOverride", size)
                self.width = width
            if (what := self.tab.evaluate(TOO_WIDE, width)) is not None:
                found.append(f"wider than {width} pixels: {what}")
        return found


class Chromium:
    """A browser whose every page looks after the focus, and does not move what need not move."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def new_context(self, **how: Any) -> BrowserContext:
        context = self._browser.new_context(**{"reduced_motion": "reduce", **how})
        context.add_init_script(FOCUS_IS_KEPT)
        return context

    def pages(self) -> Iterator[Page]:
        for context in self._browser.contexts:
            yield from context.pages

    def close_all(self) -> None:
        for context in self._browser.contexts:
            context.close()
