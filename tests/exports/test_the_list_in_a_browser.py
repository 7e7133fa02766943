"""The list of exports, made anew while somebody uses it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.exports.factories import DestinationFactory
from tests.exports.pages import url
from tests.screens import faults_of
from tests.workspaces.factories import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_list_made_anew_where_a_menu_was_opened_breaks_no_policy(
    workspace: Any, live_server: Any, browser: Any
) -> None:
    for name in ("Monthly newsletter", "Weekly letter"):
        DestinationFactory(workspace=workspace, name=name)
    session = signed_in(workspace).cookies["sessionid"].value
    context = browser.new_context(base_url=live_server.url, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    faults = faults_of(tab)
    tab.goto(url("destination_list", workspace))
    tab.get_by_role("button", name="Actions for Monthly newsletter").click()
    expect(tab.get_by_role("link", name="Schedule").locator("visible=true").first).to_be_visible()
    tab.keyboard.press("Escape")
    tab.get_by_role("searchbox").fill("monthly")
    weekly = tab.get_by_role("button", name="Actions for Weekly letter")
    expect(weekly).to_be_hidden()
    expect(tab.get_by_role("searchbox")).to_be_focused()
    expect(tab.get_by_text("1 row shown")).to_be_attached()
    assert tab.url.endswith("?search=monthly")
    tab.get_by_role("link", name="Clear").click()
    expect(weekly).to_be_visible()
    assert "monthly" not in tab.url
    assert faults == []
