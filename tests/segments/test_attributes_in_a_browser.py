"""Another type for an attribute, by keyboard alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from segments import attribute_changes
from segments.models import Attribute, AttributeChange, Profile
from tests.segments.factories import AttributeFactory, ProfileFactory
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(workspace: Workspace, live_server: Any, settings: Any, browser: Any) -> Iterator[Page]:
    """A tab of a Contributor; fails when anything in it was blocked or broke."""
    AttributeFactory(workspace=workspace, name="points", label="Points")
    for number, value in enumerate(["5", "7", "many"]):
        ProfileFactory(workspace=workspace, key=f"k{number}", attributes={"points": value})
    settings.BASE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    session = signed_in(workspace, "contributor").cookies["sessionid"].value
    base = f"{live_server.url}/w/{workspace.slug}/data/attributes/"
    context = browser.new_context(base_url=base, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    faults: list[str] = []
    tab.on("console", lambda said: said.type == "error" and faults.append(said.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    assert faults == []


def test_a_type_is_tried_and_changed_by_keyboard(tab: Page, workspace: Workspace) -> None:
    tab.goto("./")
    tab.get_by_role("link", name="Points").focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("link", name="Change type").focus()
    tab.keyboard.press("Enter")
    preview = tab.locator("#preview")
    expect(preview).to_contain_text("This is its type now.")
    tab.get_by_label("Type").focus()
    tab.keyboard.type("Whole number")
    expect(preview).to_contain_text("Do not convert")
    expect(preview.get_by_role("row", name="k2 many")).to_be_visible()
    preview.get_by_label("Empty the values that do not convert").focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("button", name="Change to Whole number")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("Waiting for a worker")).to_be_visible()
    attribute_changes.run_change(AttributeChange.objects.get())
    expect(tab.get_by_text("Succeeded")).to_be_visible()
    expect(tab.locator("main")).to_contain_text("Emptied")
    assert Attribute.objects.get().type == "integer"
    assert Profile.objects.get(key="k0").attributes == {"points": 5}
