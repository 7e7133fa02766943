"""Takes the pictures of the guides (docs/images/) from a demo of its own, in English and Catalan.

It starts the demo on free ports with data that is thrown away, lets some days of work happen in
it, and looks at each page. Names given as arguments take those pictures only.
"""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import FilePayload, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SAMPLE = ROOT / "segments" / "samples" / "prospective_buyers.csv"
SLUG, NEW_SLUG = "adventure-works", "harbour-books"
PASSWORD = "a demo harbour"  # noqa: S105 - the demo's, printed by it
WIDTH, HEIGHT = 1280, 860
COLOURS = 96
LANGUAGES = {"en": "", "ca": ".ca"}
WEST, PROFESSIONALS = "Families on the West Coast", "Professionals who earn well"


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
    page.locator("#segments input").nth(1).check()
    page.locator("#segments input").nth(2).check()
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
    Shot("export-form", f"/w/{SLUG}/data/exports/add/", do=entered, height=1240),
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


class Demo:
    """A demo that runs on free ports, with data of its own."""

    def __init__(self, data: Path) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.sandbox = f"http://localhost:{self.sandbox_port}"
        here = {"SEGUE_DATA_DIR": str(data), "BASE_URL": self.url}
        unset = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        self.environment = {k: v for k, v in os.environ.items() if k not in unset} | here

    @contextmanager
    def running(self) -> Iterator[None]:
        ports = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port)]
        process = subprocess.Popen(  # noqa: S603
            [*self._manage("up"), "--demo", *ports],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "Segue is ready" in line:
                    break
            else:
                raise SystemExit("The demo did not start:\n" + "".join(said[-20:]))
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)

    def command(self, *arguments: str, may_end: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(  # noqa: S603
            self._manage(*arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in may_end:
            raise SystemExit(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def at_provider(self, action: str, **values: Any) -> Any:
        asked = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{self.sandbox}/_control/{action}", json.dumps(values).encode()
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            return json.load(answer)

    def _manage(self, *arguments: str) -> list[str]:
        return [str(ROOT / ".venv/bin/python"), "manage.py", *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


CONFIGURATION = """
segue: 1
schedule:
  enabled: true
  days: [mon, tue, wed, thu, fri]
  times: ["06:00"]
  time_zone: America/Los_Angeles
segments:
  {professionals}:
    description: For the catalogue of road bikes.
    tags: [catalogue]
    rules:
      match: all
      rules:
        - {{attribute: Occupation, operator: is_any_of, value: [Professional, Management]}}
        - {{attribute: YearlyIncome, operator: at_least, value: {income}}}
destinations:
  Road bike catalogue:
    connection: Newsletter account
    list: Customers
    matching: {{email: EmailAddress, first_name: FirstName}}
    segments: [{professionals}]
  Family weekend:
    connection: Newsletter account
    list: Events
    matching: {{email: EmailAddress, first_name: FirstName, last_name: LastName}}
    segments: [{west}]
    schedule: {{runs: own, days: [fri], times: ["09:00"], time_zone: America/Los_Angeles}}
"""


def let_days_pass(demo: Demo, scratch: Path) -> None:
    """Work as a small shop has it: files that change, people who say no, a rule that goes wrong."""
    configure(demo, scratch, income=80_000)
    for state, moved in (("WA", 40), ("UT", 60), ("TX", 30), ("CA", 60)):
        changed = scratch / "prospective_buyers.csv"
        changed.write_text(with_moves(SAMPLE.read_text(encoding="utf-8-sig"), state, moved))
        key, name = "--key=ProspectAlternateKey", "--name=Prospective buyers"
        demo.command("import_profiles", SLUG, str(changed), key, name)
        demo.command("refresh", SLUG)
        if state == "UT":
            demo.command("run_export", SLUG, "Family weekend", "--wait")
    account = demo.at_provider("accounts")[0]
    newsletter = account["lists"]["Newsletter"]
    people = sorted(demo.at_provider("members", list_id=newsletter))
    for email in people[40:46]:
        demo.at_provider("unsubscribe", email=email)
    for email in people[80:83]:
        demo.at_provider("take_off", email=email, list_id=newsletter)
    demo.command("run_export", SLUG, "Monthly newsletter", "--full", "--wait")
    configure(demo, scratch, income=120_000)
    make_operator = "from workspaces.models import User; User.objects.update(is_staff=True)"
    demo.command("shell", "-c", make_operator)


def configure(demo: Demo, scratch: Path, *, income: int) -> None:
    file = scratch / "segue.yaml"
    file.write_text(CONFIGURATION.format(professionals=PROFESSIONALS, west=WEST, income=income))
    demo.command("config", "apply", SLUG, str(file))
    # The workers refresh what was changed; a refresh of all waits for its end, and for its exports.
    demo.command("refresh", SLUG, may_end=(0, 1, 3, 75))


def with_moves(text: str, state: str, moved: int) -> str:
    """The file with so many people moved to a state, and one income that is no number."""
    header, *lines = text.splitlines()
    place = header.split("|").index("StateProvinceCode")
    for number in range(moved):
        cells = lines[number * 7].split("|")
        cells[place] = state
        lines[number * 7] = "|".join(cells)
    return "\n".join([header, *lines])


def walk(page: Page) -> None:
    """What only the screens can do: a new workspace, suppressions, an invitation."""
    sign_in(page)
    go(page, "/workspaces/new/")
    page.locator("#id_name").fill("Harbour Books")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(f"/w/{NEW_SLUG}/"))
    go(page, f"/w/{SLUG}/data/suppressions/add/")
    page.locator("#id_addresses").fill("\n".join(f"{name}@example.org" for name in NOES))
    page.locator("#id_reason").fill("Asked by telephone")
    page.locator("main form button[type=submit]").first.click()
    go(page, f"/w/{SLUG}/admin/members/invite/")
    page.locator("#id_email").fill("marta@example.com")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile("/admin/members/$"))
    import_with_refusals(page)


NOES = ("joan.serra", "lena", "m.okafor", "office", "rosa.vidal")


def import_with_refusals(page: Page) -> None:
    lines = SAMPLE.read_text(encoding="utf-8-sig").splitlines()
    place = lines[0].split("|").index("YearlyIncome")
    for number, value in ((12, "n/a"), (340, "forty"), (1200, "?")):
        cells = lines[number].split("|")
        cells[place] = value
        lines[number] = "|".join(cells)
    go(page, link(page, f"/w/{SLUG}/data/sources/", "Prospective buyers") + "upload/")
    content = "\n".join(lines).encode()
    file: FilePayload = {
        "name": "buyers-november.csv",
        "mimeType": "text/csv",
        "buffer": content,
    }
    page.locator("input[type=file]").first.set_input_files(file)
    page.locator("main form button[type=submit]").first.click()
    page.locator("input[name=skip_refused]").check()
    page.locator("main form .btn-primary").last.click()
    page.locator("#import .form-actions").wait_for()


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.locator("input[type=email]").fill("ada@example.com")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile("/w/"))


def settle(page: Page) -> None:
    """What a page asks for when it has come is there. Its network never rests: it follows what goes
    on."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(700)


def go(page: Page, path: str) -> None:
    """To a page, proving who it is on the way where that is asked."""
    page.goto(path)
    if "/reauthenticate/" in page.url:
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url(re.compile(re.escape(path)))
    settle(page)


def link(page: Page, path: str, name: str) -> str:
    page.goto(path)
    return str(page.get_by_role("link", name=name, exact=True).first.get_attribute("href"))


def places(page: Page) -> dict[str, str]:
    """Where the pages are whose addresses hold a number, by the names in SHOTS."""
    base = f"/w/{SLUG}/data"
    newsletter = link(page, f"{base}/exports/", "Monthly newsletter")
    page.goto(newsletter)
    runs = page.locator("#runs .row-link")
    first_run = runs.nth(runs.count() - 1).get_attribute("href")
    preview = link(page, f"{base}/exports/", "Family weekend")
    page.goto(link(page, f"{base}/exports/", "Road bike catalogue"))
    waiting = page.locator("#runs .row-link").first.get_attribute("href")
    page.goto(link(page, f"{base}/sources/", "Prospective buyers"))
    imported = page.locator("main .row-link").first.get_attribute("href")
    profile = link(page, f"{base}/profiles/?q=3003", "3003")
    segment = link(page, f"{base}/segments/", WEST)
    other = link(page, f"{base}/segments/", "Everyone with an address")
    chosen = [f"segment={one.rstrip('/').split('/')[-1]}" for one in (segment, other)]
    return {
        "import": str(imported),
        "profile": profile,
        "segment": segment,
        "segment-rules": segment + "edit/",
        "overlap": f"{base}/segments/overlap/?{'&'.join(chosen)}",
        "export": newsletter,
        "export-preview": preview,
        "run": str(first_run),
        "approval": str(waiting),
        "taken-off": newsletter + "taken-off/",
        "connection": link(page, f"/w/{SLUG}/admin/connections/", "Newsletter account"),
        "erase": profile + "erase/",
    }


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
