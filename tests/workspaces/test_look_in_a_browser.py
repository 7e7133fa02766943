"""What only a browser can tell: keyboard, small screens, the theme, nothing blocked or broken."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.workspaces.factories import MembershipFactory, signed_in
from workspaces import services

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def member(live_server: Any) -> Any:
    administrator = MembershipFactory().user
    workspace = services.create_workspace("Botiga", administrator=administrator)
    MembershipFactory(workspace=workspace, role="viewer")
    return signed_in(workspace)


@pytest.fixture
def tab(member: Any, live_server: Any, browser: Any) -> Iterator[Page]:
    """A tab in which the member is signed in; fails when anything in it was blocked or broke."""
    context = browser.new_context(base_url=f"{live_server.url}/w/botiga/", locale="en-GB")
    session = member.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    faults: list[str] = []
    tab.on("console", lambda said: said.type == "error" and faults.append(said.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    assert faults == []


def test_the_look_chosen_is_kept(tab: Page) -> None:
    tab.goto("admin/members/")
    page_colour = "getComputedStyle(document.body).backgroundColor"
    row_height = "document.querySelector('.table tbody td').getBoundingClientRect().height"
    light, comfortable = tab.evaluate(page_colour), tab.evaluate(row_height)
    tab.locator("[popovertarget=user-menu]").click()
    tab.get_by_role("button", name="Dark").click()
    expect(tab.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    tab.get_by_role("button", name="Compact").click()
    tab.reload()
    assert tab.evaluate(page_colour) != light
    assert tab.evaluate(row_height) < comfortable
    tab.locator("[popovertarget=user-menu]").click()
    tab.get_by_role("button", name="As the system").click()
    tab.get_by_role("button", name="Comfortable").click()
    tab.reload()
    assert tab.evaluate(page_colour) == light
    assert tab.evaluate(row_height) == comfortable


def test_a_menu_is_walked_by_keyboard_and_gives_the_focus_back(tab: Page) -> None:
    tab.goto("admin/members/")
    opener = tab.locator("[popovertarget^=member-]").last
    opener.focus()
    tab.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(tab.locator(".menu-item:focus")).to_contain_text("Change role")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".menu-item:focus")).to_contain_text("Remove")
    tab.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")


def test_on_a_telephone_the_sections_are_behind_a_button(tab: Page) -> None:
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto(".")
    members = tab.get_by_role("link", name="Members")
    expect(members).to_be_hidden()
    tab.get_by_role("button", name="Menu").click()
    members.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Members")


def test_the_first_stop_of_the_keyboard_skips_to_the_content(tab: Page) -> None:
    tab.goto("admin/members/")
    tab.keyboard.press("Tab")
    link = tab.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("main")).to_be_focused()


def test_the_first_error_is_where_the_person_is_taken(tab: Page) -> None:
    tab.goto("admin/members/invite/")
    tab.get_by_label("E-mail address").fill("nonsense")
    tab.get_by_role("button", name="Send invitation").click()
    expect(tab.get_by_label("E-mail address")).to_be_focused()
    expect(tab.get_by_label("E-mail address")).to_have_value("nonsense")


def test_a_schedule_with_two_times_is_turned_on(tab: Page) -> None:
    tab.goto("admin/schedule/")
    times = tab.get_by_label("Time", exact=True)
    expect(times.first).to_be_hidden()
    tab.get_by_label("Refresh on a schedule").check()
    times.first.fill("06:15")
    tab.get_by_role("button", name="Add another time").click()
    expect(times.nth(1)).to_be_focused()
    times.nth(1).fill("18:45")
    tab.get_by_role("button", name="Add another time").click()
    tab.get_by_role("button", name="Remove this time").last.click()
    tab.get_by_role("button", name="Save schedule").click()
    expect(tab.get_by_text("The schedule is saved and on.")).to_be_visible()
    expect(tab.locator(".upcoming li")).to_have_count(3)
