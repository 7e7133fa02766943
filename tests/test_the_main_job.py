"""The main job, as a person does it: in a browser, on the running system, with the sample file."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from tests.conftest import celery_worker
from tests.screens import take_picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAMPLE = Path("segments/samples/prospective_buyers.csv")
PASSWORD = "a quiet harbour at dawn"


@pytest.fixture
def page(browser: Any, live_server: Any, sandbox: Any, settings: Any) -> Any:
    """A tab with nobody signed in; the system, its worker and the sandbox run."""
    settings.BASE_URL = live_server.url
    with celery_worker():
        page = browser.new_context(base_url=live_server.url, locale="en-GB").new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        assert faults == []


def test_from_signing_up_to_seeing_every_profiles_fate(page: Page, sandbox: Any) -> None:
    steps = (sign_up, make_a_workspace, import_the_sample, make_a_segment, connect)
    for number, step in enumerate((*steps, add_a_destination, run_it), start=1):
        step(page)
        take_picture(page, f"main job {number} {step.__name__}")
    assert len(sandbox.control("members", list_id=sandbox.lists()["Newsletter"])) == 1904
    find_a_profile(page)


def sign_up(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("E-mail").fill("olga@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    link = re.search(r"http://\S+/accounts/confirm-email/\S+", str(mail.outbox[0].body))
    assert link is not None
    page.goto(link.group())
    page.locator("main form button[type=submit]").click()
    page.wait_for_load_state()
    if "/login" in page.url:
        page.get_by_label("E-mail").fill("olga@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.locator("main form button[type=submit]").first.click()


def make_a_workspace(page: Page) -> None:
    page.goto("/workspaces/new/")
    page.get_by_label("Name").fill("Bike Shop")
    page.locator("main form button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/w/bike-shop/$"))


def import_the_sample(page: Page) -> None:
    page.goto("/w/bike-shop/data/sources/add/")
    page.get_by_label("File", exact=True).set_input_files(SAMPLE)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="Choose columns")).to_be_visible()
    page.get_by_label("ProspectAlternateKey is the key").check()
    page.get_by_label("Name for FirstName").fill("First name")
    page.get_by_label("Keep Unknown").uncheck()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("link", name="Make a segment")).to_be_visible()
    expect(page.locator("#import")).to_contain_text("2,059")
    expect(page.locator("#import")).to_contain_text("2,053")


def make_a_segment(page: Page) -> None:
    page.get_by_role("link", name="Make a segment").click()
    page.get_by_label("Name", exact=True).fill("Everyone")
    page.get_by_label("Attribute").select_option(label="EmailAddress")
    page.get_by_label("Comparison").select_option(label="is not empty")
    expect(page.locator("#look")).to_contain_text("2,053")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_label("Attribute")).to_have_count(2)
    expect(page.locator("#rules:not([inert])")).to_be_visible()
    page.get_by_label("Attribute").nth(1).select_option(label="YearlyIncome")
    page.get_by_label("Value").fill("-1")
    page.get_by_label("Comparison").nth(1).select_option(label="is more than")
    expect(page.locator("#look")).to_contain_text("and YearlyIncome is more than")
    expect(page.locator("#look .look-count")).to_have_text("2,053")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Everyone")).to_be_visible()
    expect(page.locator("#segment")).to_contain_text("Refreshed")
    expect(page.locator("#segment .stat, #segment").first).to_contain_text("2,053")


def connect(page: Page) -> None:
    page.goto("/w/bike-shop/admin/connections/add/")
    page.get_by_label("Display name").fill("Newsletter account")
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Segue would like access")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("link", name="Add me as export user").click()
    page.wait_for_load_state()
    if page.get_by_label("Password").is_visible():
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main form button[type=submit]").first.click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Harbour Books").first).to_be_visible()
    expect(page.get_by_text("Active").first).to_be_visible()


def add_a_destination(page: Page) -> None:
    page.goto("/w/bike-shop/data/exports/add/")
    page.get_by_label("Name", exact=True).fill("Monthly newsletter")
    page.get_by_label("Newsletter", exact=False).first.check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Email required")).to_have_value("EmailAddress")
    page.get_by_role("button", name="Continue").click()
    page.locator("#segments input").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#preview")).to_contain_text("1,904")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Monthly newsletter")).to_be_visible()


def run_it(page: Page) -> None:
    page.get_by_role("button", name="Run now").first.click()
    confirm = page.locator("dialog[open] button[type=submit]")
    if confirm.is_visible():
        confirm.click()
    expect(page.get_by_text("Succeeded").first).to_be_visible()
    for figure in ("2,053", "1,904", "44", "105"):
        expect(page.locator("main")).to_contain_text(figure)


def find_a_profile(page: Page) -> None:
    page.get_by_label(re.compile("Profile key or")).fill("3003")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("main")).to_contain_text("aalonso@alpineskihouse.com")
