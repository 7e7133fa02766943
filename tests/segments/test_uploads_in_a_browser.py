"""Uploading as a person does, over lines that break, to the end of the import."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from segments.models import Import, Profile, Upload
from tests.conftest import wait_until
from tests.segments.line import Line
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROWS = 15_000
SIZE = 8_000_000


@pytest.fixture
def line(live_server: Any) -> Iterator[Line]:
    line = Line(urlsplit(live_server.url).port or 0)
    yield line
    line.close()


@pytest.fixture
def tab(workspace: Workspace, line: Line, settings: Any, browser: Any) -> Iterator[Page]:
    """A tab of a Contributor, at the other end of the line; fails when anything in it broke."""
    settings.BASE_URL = line.url
    settings.CSRF_TRUSTED_ORIGINS = [line.url]
    session = signed_in(workspace, "contributor").cookies["sessionid"].value
    base = f"{line.url}/w/{workspace.slug}/data/"
    context = browser.new_context(base_url=base, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": line.url}])
    tab = context.new_page()
    tab.on("dialog", lambda dialog: dialog.accept())
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda said: "Content Security" in said.text and faults.append(said.text))
    yield tab
    assert faults == []


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    """Text of several chunks, more than is examined while the browser waits."""
    file = tmp_path / "customers.csv"
    rows = "".join(f"k{n:06},p{n:06}@example.com,{n},{'x' * 530}\n" for n in range(ROWS))
    file.write_text(f"id,email,points,note\n{rows}")
    assert file.stat().st_size > SIZE
    return file


def choose(tab: Page, customers: Path) -> None:
    tab.goto("sources/add/")
    tab.get_by_label("Name of the source").fill("Web shop")
    tab.locator("input[name=file]").set_input_files(customers)
    tab.get_by_role("button", name="Upload").click()


def test_an_upload_goes_on_by_itself_after_the_line_was_cut(
    tab: Page, line: Line, customers: Path, worker: Any
) -> None:
    line.seconds_a_block = 0.005
    line.cut_after = SIZE // 2
    choose(tab, customers)
    expect(tab.locator("[data-said]")).to_contain_text("The connection is lost.")
    upload = Upload.objects.get()
    assert 0 < upload.received < SIZE
    assert upload.state == "receiving"
    line.passed = 0
    line.mend()
    expect(tab.get_by_role("heading", name="Choose columns")).to_be_visible(timeout=60_000)
    assert line.passed < SIZE * 3 / 4, "it began from the beginning"
    load = Import.objects.get()
    assert Path(load.file_path).read_bytes() == customers.read_bytes()
    tab.get_by_role("button", name="Import").click()
    expect(tab.locator("#import").get_by_text("Succeeded")).to_be_visible(timeout=60_000)
    assert Profile.objects.count() == ROWS


def test_an_upload_goes_on_after_the_page_was_closed(
    tab: Page, line: Line, customers: Path, worker: Any
) -> None:
    line.seconds_a_block = 0.1
    choose(tab, customers)
    wait_until(lambda: Upload.objects.filter(received__gt=0).exists(), what="a first chunk")
    expect(tab.get_by_text("left", exact=False).first).to_be_visible()
    tab.goto("sources/")
    received = Upload.objects.get().received
    assert received < SIZE
    line.passed = line.seconds_a_block = 0
    tab.get_by_role("link", name="customers.csv").click()
    other = customers.with_name("other.csv")
    other.write_bytes(customers.read_bytes()[::-1])
    again = tab.get_by_label("Choose the same file again")
    again.set_input_files(other)
    expect(tab.locator("[data-said]")).to_contain_text("This is another file.")
    again.set_input_files(customers)
    expect(tab.get_by_role("heading", name="Choose columns")).to_be_visible(timeout=60_000)
    assert line.passed < SIZE - received + 1_000_000
    assert Path(Import.objects.get().file_path).read_bytes() == customers.read_bytes()


def test_an_upload_is_paused_and_discarded_by_keyboard(
    tab: Page, line: Line, customers: Path, settings: Any
) -> None:
    line.seconds_a_block = 0.1
    choose(tab, customers)
    pause = tab.get_by_role("button", name="Pause")
    pause.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("[data-said]")).to_contain_text("Paused.")
    expect(tab.get_by_role("button", name="Go on")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(pause).to_be_focused()
    tab.get_by_role("button", name="Discard upload").first.focus()
    tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog")
    dialog.get_by_role("button", name="Discard").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("The upload of “customers.csv” is discarded.")).to_be_visible()
    assert not Upload.objects.exists()
    wait_until(
        lambda: not [one for one in Path(settings.UPLOAD_DIR).rglob("*") if one.is_file()],
        what="the end of the last chunk",
    )


def test_what_is_no_table_is_told_at_once(tab: Page, tmp_path: Path) -> None:
    file = tmp_path / "customers.xlsx"
    file.write_bytes(b"PK\x03\x04" + b"[Content_Types].xml xl/workbook.xml" + b"\0" * 5_000_000)
    choose(tab, file)
    expect(tab.get_by_text("This is an Excel workbook.")).to_be_visible()
    tab.get_by_role("link", name="Choose another file").click()
    expect(tab.get_by_role("heading", name="Add source")).to_be_visible()


def test_a_form_that_is_wrong_keeps_the_file_chosen(tab: Page, tmp_path: Path) -> None:
    empty = tmp_path / "customers.csv"
    empty.write_text("")
    choose(tab, empty)
    expect(tab.get_by_text("The file is empty.")).to_be_visible()
    expect(tab.get_by_label("Name of the source")).to_have_value("Web shop")
    assert (
        tab.locator("input[name=file]").evaluate("input => input.files[0].name") == "customers.csv"
    )
    good = tmp_path / "good.csv"
    good.write_text("id,name\n1,Ann\n")
    tab.locator("input[name=file]").set_input_files(good)
    tab.get_by_role("button", name="Upload").click()
    expect(tab.get_by_role("heading", name="Choose columns")).to_be_visible(timeout=60_000)
