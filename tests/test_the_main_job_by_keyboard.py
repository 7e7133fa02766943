"""The main job without a mouse: from signing in to the end of a run, each stop in sight."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.exports.engine_world import connect
from tests.exports.factories import DestinationFactory, RunFactory
from tests.screens import faults_of, take_picture
from tests.segments.factories import AttributeFactory, ProfileFactory
from tests.workspaces.factories import PASSWORD, MembershipFactory, signed_in
from workspaces.models import Role, Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_STOPS = 120
# Whether whoever looks sees where they are: on the screen, and marked.
SEEN = """
(wanted) => {
  const here = document.activeElement;
  const { width, height, top, bottom } = here.getBoundingClientRect();
  if (here !== document.body && width * height > 0 && (bottom < 0 || top > innerHeight))
    throw new Error(`out of sight: ${here.outerHTML.slice(0, 200)}`);
  if (here !== document.body && !here.matches(":focus-visible"))
    throw new Error(`not marked: ${here.outerHTML.slice(0, 200)}`);
  return here === wanted;
}
"""


LOOK_AGAIN = """
() => {
  const part = document.getElementById("run");
  htmx.ajax("GET", part.getAttribute("hx-get"), { target: part, swap: "outerHTML" });
}
"""


def go_to(tab: Page, place: Locator, key: str = "Tab") -> Locator:
    """Stop by stop, as somebody without a mouse does."""
    for _ in range(MOST_STOPS):
        if place.first.evaluate(SEEN):
            return place
        tab.keyboard.press(key)
    pytest.fail(f"{place} is not come to by {key}")


def press(tab: Page, place: Locator, key: str = "Enter") -> None:
    go_to(tab, place)
    tab.keyboard.press(key)


def write(tab: Page, place: Locator, text: str) -> None:
    go_to(tab, place)
    tab.keyboard.type(text)


def button(tab: Page, name: str) -> Locator:
    return tab.get_by_role("button", name=name, exact=True)


def link(tab: Page, name: str) -> Locator:
    return tab.get_by_role("link", name=name, exact=True)


def test_from_signing_in_to_the_runs_end_by_keyboard_alone(
    workspace: Workspace,
    live_server: Any,
    sandbox: Any,
    worker: Any,
    browser: Any,
    settings: Any,
) -> None:
    settings.BASE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    for place, name in enumerate(["email", "city"]):
        AttributeFactory(workspace=workspace, name=name, position=place)
    for name, city in [("ann", "Paris"), ("bob", "Paris"), ("cat", "Rome")]:
        attributes = {"email": f"{name}@example.com", "city": city}
        ProfileFactory(workspace=workspace, attributes=attributes)
    connect(workspace, sandbox)
    member = MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR).user
    tab = browser.new_context(base_url=live_server.url, locale="en-GB").new_page()
    faults = faults_of(tab)

    tab.goto("/accounts/login/")
    write(tab, tab.get_by_label("E-mail"), member.email)
    write(tab, tab.get_by_label("Password", exact=True), PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    take_picture(tab, "keyboard 1 signed in")

    press(tab, link(tab, "Segments"))
    expect(tab.get_by_role("heading", name="Segments", level=1)).to_be_visible()
    press(tab, link(tab, "Add segment").first)
    press(tab, tab.get_by_role("link", name="Choose by rules"))
    write(tab, tab.get_by_label("Name", exact=True), "Parisians")
    write(tab, tab.get_by_label("Attribute"), "City")
    expect(tab.get_by_label("Comparison")).to_have_value("is")
    write(tab, tab.get_by_role("combobox", name="Value"), "Paris")
    expect(tab.locator("#look")).to_contain_text("2 of 3 profiles")
    take_picture(tab, "keyboard 2 segment built")
    press(tab, button(tab, "Save").last)
    expect(tab.get_by_role("heading", name="Parisians", level=1)).to_be_visible()

    expect(tab.locator("#segment")).to_contain_text("Refreshed")
    press(tab, link(tab, "Exports"))
    press(tab, link(tab, "Add export").first)
    expect(tab.get_by_role("heading", name="Add export", level=1)).to_be_visible()
    write(tab, tab.get_by_label("Name", exact=True), "Monthly newsletter")
    go_to(tab, tab.locator("#list-choices input").first)
    go_to(tab, tab.get_by_label(re.compile("^Newsletter")).first, "ArrowDown")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Data matching", level=2)).to_be_focused()
    press(tab, button(tab, "Continue").last)
    expect(tab.get_by_role("heading", name="Segments", exact=True)).to_be_focused()
    press(tab, tab.locator("#segments input").first, "Space")
    press(tab, button(tab, "Continue").last)
    expect(tab.locator("#preview")).to_contain_text("2 contacts as they will arrive")
    take_picture(tab, "keyboard 3 export added")
    press(tab, button(tab, "Save").last)
    expect(tab.get_by_role("heading", name="Monthly newsletter", level=1)).to_be_visible()

    press(tab, button(tab, "Run now").first)
    expect(tab.get_by_text("Succeeded").first).to_be_visible()
    take_picture(tab, "keyboard 4 run")
    assert len(sandbox.control("members", list_id=sandbox.lists()["Newsletter"])) == 2
    assert faults == []


def test_a_run_that_waits_is_found_looked_into_and_approved_by_keyboard_alone(
    workspace: Workspace, live_server: Any, browser: Any, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    run = RunFactory(
        destination=DestinationFactory(workspace=workspace, name="Monthly newsletter"),
        state="awaiting_approval",
        finished_at=None,
        to_remove=150,
        removal={"held": 400, "sample": ["ann@example.com"]},
    )
    session = signed_in(workspace, Role.CONTRIBUTOR).cookies["sessionid"].value
    context = browser.new_context(base_url=live_server.url, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    faults = faults_of(tab)

    tab.goto(f"/w/{workspace.slug}/")
    press(tab, link(tab, "Decide"))
    expect(tab.get_by_text("This run waits for approval")).to_be_visible()
    press(tab, button(tab, "Refuse"))
    go_to(tab, tab.get_by_role("dialog").get_by_role("button", name="Close"))
    tab.keyboard.press("Escape")
    expect(button(tab, "Refuse")).to_be_focused()
    go_to(tab, button(tab, "Approve, take them off"))
    # The part that moves is there anew; whoever stood on the button still does.
    with tab.expect_response(lambda answer: "/progress/" in answer.url):
        tab.evaluate(LOOK_AGAIN)
    expect(button(tab, "Approve, take them off")).to_be_focused()
    take_picture(tab, "keyboard 5 approval")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("This run waits for approval")).to_have_count(0)
    run.refresh_from_db()
    assert run.state != "awaiting_approval"
    assert faults == []
