"""What a person does in the demo of the guides, and where its pages are."""

import re

from playwright.sync_api import FilePayload, Page

from scripts.guide_demo import SAMPLE, SLUG, WEST

NEW_SLUG = "harbour-books"
PASSWORD = "a demo harbour"  # noqa: S105 - the demo's, printed by it


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
