"""Setting up a connection as a person does, over to Constant Contact's stand-in and back."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from connections.models import Connection
from tests.connections.factories import ConnectionFactory
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(workspace: Workspace, live_server: Any, sandbox: Any, settings: Any, browser: Any) -> Any:
    """A tab of an Administrator; fails when anything in it was blocked or broke."""
    settings.BASE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    session = signed_in(workspace).cookies["sessionid"].value
    base = f"{live_server.url}/w/{workspace.slug}/admin/connections/"
    context = browser.new_context(base_url=base, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    faults: list[str] = []
    tab.on("console", lambda said: _is_ours(said, sandbox) and faults.append(said.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    assert faults == []


def _is_ours(said: Any, sandbox: Any) -> bool:
    return said.type == "error" and not said.location["url"].startswith(sandbox.url)


def fill_in(tab: Page, name: str) -> None:
    tab.goto("add/")
    tab.get_by_label("Display name").fill(name)
    tab.get_by_label("Administrators and Contributors").check()
    tab.get_by_label("I agree").check()
    tab.get_by_role("button", name="Connect", exact=True).click()


def test_a_connection_is_set_up_in_a_minute(tab: Page) -> None:
    fill_in(tab, "Newsletter account")
    expect(tab.get_by_role("heading", name="Segue would like access")).to_be_visible()
    tab.get_by_role("button", name="Allow").click()
    expect(
        tab.get_by_text("You are connected to Constant Contact, account Harbour Books")
    ).to_be_visible()
    tab.get_by_role("link", name="Add me as export user").click()
    expect(tab.get_by_role("heading", name="Add me as export user")).to_be_visible()
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved. You vouch")).to_be_visible()
    expect(tab.locator(".status-badge")).to_have_text("Active")
    tab.get_by_role("button", name="Test it").click()
    expect(tab.get_by_text("It works: Constant Contact answered")).to_be_visible()
    assert Connection.objects.get().state == "active"


def test_who_says_no_there_is_told_and_can_try_again(tab: Page) -> None:
    fill_in(tab, "Newsletter account")
    tab.get_by_role("button", name="Deny").click()
    expect(tab.get_by_text("You did not allow access at Constant Contact")).to_be_visible()
    tab.get_by_role("button", name="Connect", exact=True).click()
    tab.get_by_role("button", name="Allow").click()
    expect(
        tab.get_by_text("You are connected to Constant Contact, account Harbour Books")
    ).to_be_visible()


def test_signing_in_to_another_account_asks_which_is_meant(
    tab: Page, workspace: Workspace, sandbox: Any
) -> None:
    connection = ConnectionFactory(workspace=workspace, account_name="Harbour Books")
    tab.goto(f"{connection.pk}/")
    tab.get_by_role("button", name="Sign in again").click()
    tab.get_by_label("Alpine Ski House").check()
    tab.get_by_role("button", name="Allow").click()
    expect(tab.get_by_role("heading", name="You signed in to another account")).to_be_visible()
    tab.get_by_role("button", name="Use Alpine Ski House instead").click()
    expect(tab.get_by_text("This connection is for Alpine Ski House now")).to_be_visible()


def test_consent_is_withdrawn_after_a_question_and_given_again(
    tab: Page, workspace: Workspace
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    tab.goto(f"{connection.pk}/")
    tab.get_by_role("button", name="Withdraw consent").click()
    tab.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(tab.get_by_text("Consent is withdrawn")).to_be_visible()
    expect(tab.locator(".status-badge")).to_have_text("Consent is missing")
    tab.get_by_label("I agree").check()
    tab.get_by_role("button", name="Record my consent").click()
    expect(tab.locator(".status-badge")).to_have_text("Active")
