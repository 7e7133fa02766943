"""Takes the pictures of the guides (docs/images/) from a demo of its own, in English and Catalan.

It starts the demo, lets some days of work happen in it, and looks at each page. Names given as
arguments take those pictures only.
"""

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from scripts.guide_demo import ROOT, SAMPLE, SLUG, Demo, let_days_pass
from scripts.guide_pages import NEW_SLUG, go, places, settle, walk

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 860
COLOURS = 96
LANGUAGES = {"en": "", "ca": ".ca"}


@dataclass(frozen=True)
class Shot:
    """A picture of a page without its sidebar, or of what is from one selector to another.

    No part is higher than `height`. `do` is done on the page first. Operators' pages are read in
    English only.
    """

    name: str
    path: str
    part: str = ""
    until: str = ""
    whole: bool = False
    do: Callable[[Page], Any] | None = None
    height: int = HEIGHT
    languages: tuple[str, ...] = ("en", "ca")


def columns(page: Page) -> None:
    """The columns of a file that is uploaded and left there."""
    page.locator("input[type=file]").first.set_input_files(SAMPLE)
    page.locator("main form button[type=submit]").first.click()
    page.locator(".column-choice").wait_for()
    page.locator('input[name=key][value="ProspectAlternateKey"]').check()


def rules(page: Page) -> None:
    page.locator("#look .look-count").wait_for()
    page.locator("#sample table").wait_for()


def entered(page: Page) -> None:
    page.locator("#lists label").first.wait_for()
    page.locator("#lists label").nth(1).click()
    page.locator("#id_name").fill("Summer sale")
    settle(page)


def previewed(page: Page) -> None:
    page.locator("#preview button").click()
    page.locator(".preview-card").wait_for()


def found(page: Page) -> None:
    page.locator("#profile").fill("3003")
    page.locator(".find-form button").click()
    page.locator("#fates li").wait_for()


def many_columns(page: Page) -> None:
    page.locator(".column-button").click()
    page.locator(".column-menu").wait_for()


SHOTS = [
    Shot("first-steps", f"/w/{NEW_SLUG}/", whole=True),
    Shot("home", f"/w/{SLUG}/", whole=True, height=1000),
    Shot("source-add", f"/w/{SLUG}/data/sources/add/", height=640),
    Shot("columns", f"/w/{NEW_SLUG}/data/sources/add/", do=columns, height=900),
    Shot("import", "import", height=900),
    Shot("profiles", f"/w/{SLUG}/data/profiles/?q=alexander", do=many_columns, height=760),
    Shot("profile", "profile", height=900),
    Shot("attributes", f"/w/{SLUG}/data/attributes/", height=760),
    Shot("segments", f"/w/{SLUG}/data/segments/", height=700),
    Shot("segment-start", f"/w/{SLUG}/data/segments/new/"),
    Shot("segment-rules", "segment-rules", do=rules, height=900),
    Shot("segment", "segment", height=1000),
    Shot("overlap", "overlap", height=900),
    Shot("export-form", f"/w/{SLUG}/data/exports/add/", do=entered, height=760),
    Shot("export-preview", "export-preview", part="#preview", do=previewed),
    Shot("exports", f"/w/{SLUG}/data/exports/", height=560),
    Shot("export", "export", height=1000),
    Shot("run", "run", part="#run > .run-head", until=".account-card"),
    Shot("not-sent", "run", part="#find", until="#not-sent-card", do=found),
    Shot("approval", "approval", part="#run > .run-head"),
    Shot("taken-off", "taken-off", height=560),
    Shot("suppressions", f"/w/{SLUG}/data/suppressions/", height=560),
    Shot("connection-add", f"/w/{SLUG}/admin/connections/add/", height=980),
    Shot("connection", "connection", height=1120),
    Shot("members", f"/w/{SLUG}/admin/members/", height=640),
    Shot("sign-in", f"/w/{SLUG}/admin/members/sign-in/", height=560),
    Shot("schedule", f"/w/{SLUG}/admin/schedule/", height=900),
    Shot("notices", f"/w/{SLUG}/admin/notices/", height=900),
    Shot("retention", f"/w/{SLUG}/admin/settings/", part="#retention"),
    Shot("erase", "erase", height=900),
    Shot("audit", f"/w/{SLUG}/admin/audit/", height=760),
    Shot("system", "/operator/system/", height=900, languages=("en",)),
]


def take(page: Page, shot: Shot, path: str, target: Path) -> None:
    page.set_viewport_size({"width": WIDTH, "height": shot.height})
    go(page, path)
    if shot.do:
        shot.do(page)
    settle(page)
    page.evaluate("document.fonts.ready")
    if shot.part:
        page.evaluate("scrollTo(0, 0)")
        first = page.locator(shot.part).bounding_box()
        last = page.locator(shot.until or shot.part).bounding_box()
        if first is None or last is None:
            raise SystemExit(f"{shot.name}: {shot.part} is not on {path}")
        margin = 12
        top = first["y"] - margin
        clip = {
            "x": first["x"] - margin,
            "y": top,
            "width": first["width"] + 2 * margin,
            "height": min(last["y"] + last["height"] + margin - top, shot.height),
        }
        picture = page.screenshot(full_page=True, clip=clip, animations="disabled")  # type: ignore[arg-type]
    else:
        left = 0.0 if shot.whole else page.locator("main").bounding_box()["x"]  # type: ignore[index]
        view = {"x": left, "y": 0, "width": WIDTH - left, "height": shot.height}
        picture = page.screenshot(clip=view, animations="disabled")  # type: ignore[arg-type]
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def main() -> int:
    wanted = set(sys.argv[1:])
    known = {shot.name for shot in SHOTS}
    if wanted - known:
        print(f"There is no picture {', '.join(sorted(wanted - known))}.")
        return 64
    program = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if program is None:
        print("There is no chromium on the path: install it.")
        return 66
    began = time.monotonic()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        demo = Demo(Path(scratch) / "data")
        with demo.running():
            let_days_pass(demo, Path(scratch))
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            context = browser.new_context(
                base_url=demo.url, locale="en-GB", color_scheme="light", reduced_motion="reduce"
            )
            page = context.new_page()
            walk(page)
            where = places(page)
            for shot in SHOTS:
                for language in shot.languages if not wanted or shot.name in wanted else ():
                    cookie = {"name": "django_language", "value": language, "url": demo.url}
                    context.add_cookies([cookie])  # type: ignore[list-item]
                    target = IMAGES / f"{shot.name}{LANGUAGES[language]}.png"
                    take(page, shot, where.get(shot.path, shot.path), target)
            browser.close()
    pictures = list(IMAGES.glob("*.png"))
    size = sum(path.stat().st_size for path in pictures)
    took = time.monotonic() - began
    print(f"{took:.0f} s; docs/images has {len(pictures)} pictures now, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
