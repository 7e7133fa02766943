"""Making a segment as a person does, by keyboard alone, with the count following the rules."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from segments import sampling
from segments.models import Segment
from tests.segments.factories import SegmentFactory, group, make_customers, rule
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(workspace: Workspace, live_server: Any, settings: Any, browser: Any) -> Iterator[Page]:
    """A tab of a Contributor; fails when anything in it was blocked or broke."""
    make_customers(workspace)
    settings.BASE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    session = signed_in(workspace, "contributor").cookies["sessionid"].value
    base = f"{live_server.url}/w/{workspace.slug}/data/segments/"
    context = browser.new_context(base_url=base, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    faults: list[str] = []
    tab.on("console", lambda said: _is_fault(said) and faults.append(said.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    assert faults == []


def _is_fault(said: Any) -> bool:
    """A refused form and a look that a newer one replaced are on the console too."""
    is_expected = said.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
    return said.type == "error" and not is_expected and "422" not in said.text


def _keeps(answer: Any, entered: str) -> bool:
    return answer.status == 204 and entered in (answer.request.post_data or "")


def press(tab: Page, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def count(tab: Page) -> Any:
    return expect(tab.locator("#look"))


def test_what_is_typed_when_the_session_ends_is_there_after_signing_in(tab: Page) -> None:
    tab.goto("add/")
    tab.get_by_label("Name").fill("Parisians")
    tab.get_by_label("Attribute").first.select_option(label="City")
    with tab.expect_response(lambda answer: _keeps(answer, "value-0-0=Paris")):
        tab.get_by_label("Value", exact=True).fill("Paris")
    count(tab).to_contain_text("6 of 12 profiles")
    session = tab.context.cookies()
    tab.context.clear_cookies()
    tab.get_by_label("Description").fill("Gone")
    expect(tab).to_have_url(re.compile("/login/"))
    came_from = parse_qs(urlsplit(tab.url).query)["next"][0]
    tab.context.add_cookies(session)
    tab.goto(came_from)
    expect(tab.get_by_label("Name")).to_have_value("Parisians")
    expect(tab.get_by_label("Value", exact=True)).to_have_value("Paris")
    count(tab).to_contain_text("6 of 12 profiles")


def test_whom_the_rules_find_stands_beside_them(tab: Page) -> None:
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto("add/")
    places = [tab.locator(part).bounding_box() for part in ("#rules", "#look", "#id_name")]
    rules, found, name = [place for place in places if place]
    assert rules["width"] > 1.5 * found["width"]
    assert rules["x"] + rules["width"] < found["x"]
    assert found["y"] < name["y"] + name["height"]


def test_a_segment_with_nested_rules_is_made_by_keyboard(tab: Page) -> None:
    tab.goto("add/")
    count(tab).to_contain_text("Choose an attribute.")
    tab.get_by_label("Name").focus()
    tab.keyboard.type("Loyal Parisians")
    press(tab, "Tab", "Tab", "Tab")
    expect(tab.get_by_label("Attribute").first).to_be_focused()
    tab.keyboard.type("City")
    expect(tab.get_by_label("Comparison")).to_have_value("is")
    expect(tab.get_by_label("Attribute").first).to_be_focused()
    press(tab, "Tab", "Tab")
    tab.keyboard.type("Paris")
    count(tab).to_contain_text("6 of 12 profiles")
    expect(tab.locator("#sample tbody tr")).to_have_count(6)

    tab.locator("#add-group-0").focus()
    press(tab, "Enter")
    inner = tab.get_by_role("group", name="Group of rules")
    expect(inner.get_by_label("Attribute")).to_be_focused()
    tab.keyboard.type("Points")
    expect(inner.get_by_label("Comparison")).to_have_value("equals")
    inner.get_by_label("Comparison").focus()
    tab.keyboard.type("is at least")
    expect(inner.get_by_label("Comparison")).to_have_value("at_least")
    press(tab, "Tab")
    tab.keyboard.type("4")
    count(tab).to_contain_text("2 of 12 profiles")

    tab.locator("#add-rule-0-1").focus()
    press(tab, "Enter")
    second = inner.get_by_role("group", name="Rule", exact=True).nth(1)
    expect(second.get_by_label("Attribute")).to_be_focused()
    tab.keyboard.type("Born")
    expect(second.get_by_label("Comparison")).to_have_value("between")
    second.get_by_label("Comparison").focus()
    press(tab, "ArrowDown")
    expect(second.get_by_label("Comparison")).to_have_value("on")
    press(tab, "ArrowDown", "ArrowDown")
    expect(second.get_by_label("Value", exact=True)).to_be_visible()
    expect(second.get_by_label("Comparison")).to_have_value("before")
    press(tab, "Tab")
    tab.keyboard.type("01011981")
    count(tab).to_contain_text("3 of 12 profiles")

    tab.get_by_label("Name").focus()
    press(tab, "Enter")
    expect(tab.get_by_role("heading", name="Loyal Parisians", level=1)).to_be_visible()
    segment = Segment.objects.get()
    assert segment.rules == group(
        rule("city", "is", "Paris"),
        group(rule("points", "at_least", 4), rule("born", "before", "1981-01-01"), match="any"),
    )


def test_removing_a_rule_keeps_the_focus_and_counts_anew(tab: Page, workspace: Workspace) -> None:
    rules = group(rule("city", "is", "Paris"), rule("points", "at_least", 4))
    segment = SegmentFactory(workspace=workspace, rules=rules)
    tab.goto(f"{segment.pk}/edit/")
    count(tab).to_contain_text("2 of 12 profiles")
    tab.get_by_label("Description").fill("Not lost")
    tab.locator("#remove-0-1").focus()
    press(tab, "Enter")
    count(tab).to_contain_text("6 of 12 profiles")
    expect(tab.get_by_label("Description")).to_have_value("Not lost")
    assert tab.evaluate("document.activeElement !== document.body"), "the focus is lost"


def test_a_rule_that_makes_no_sense_is_shown_in_place_and_mended(tab: Page) -> None:
    tab.goto("add/")
    tab.get_by_label("Name").fill("Half done")
    tab.get_by_label("Attribute").select_option(label="Points")
    expect(tab.get_by_label("Comparison")).to_have_value("equals")
    tab.get_by_role("button", name="Save", exact=True).last.click()
    problem = tab.get_by_role("alert").filter(has_text="Give a value.")
    expect(problem).to_be_visible()
    expect(tab.get_by_label("Name")).to_have_value("Half done")
    tab.get_by_label("Value").fill("4")
    count(tab).to_contain_text("1 of 12 profiles")
    tab.get_by_role("button", name="Save", exact=True).last.click()
    expect(tab.get_by_role("heading", name="Half done", level=1)).to_be_visible()


def test_frequent_values_are_chosen_by_a_press_and_given_back_by_another(
    tab: Page, workspace: Workspace
) -> None:
    segment = SegmentFactory(workspace=workspace, rules=group(rule("city", "is_any_of", ["Rome"])))
    tab.goto(f"{segment.pk}/edit/")
    tab.get_by_text("Choose from frequent values").click()
    paris = tab.get_by_role("button", name="Paris 6")
    expect(tab.get_by_role("button", name="Rome 6")).to_have_attribute("aria-pressed", "true")
    paris.click()
    count(tab).to_contain_text("12 of 12 profiles")
    expect(tab.get_by_label("Values, one a line")).to_have_value("Rome\nParis")
    paris.click()
    count(tab).to_contain_text("6 of 12 profiles")


def test_a_value_is_chosen_from_those_there_are_by_keyboard(
    tab: Page, workspace: Workspace
) -> None:
    segment = SegmentFactory(workspace=workspace, rules=group(rule("city", "is", "Oslo")))
    tab.goto(f"{segment.pk}/edit/")
    count(tab).to_contain_text("0 of 12 profiles")
    field = tab.get_by_role("combobox", name="Value")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.fill("R")
    options = tab.locator("[data-combobox] [role=option]:visible")
    expect(options).to_have_text(["Rome6", "Paris6"])
    press(tab, "ArrowDown", "ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    active = field.get_attribute("aria-activedescendant")
    assert active == options.nth(1).get_attribute("id")
    press(tab, "Enter")
    expect(field).to_have_value("Paris")
    expect(field).to_be_focused()
    expect(options).to_have_count(0)
    count(tab).to_contain_text("6 of 12 profiles")
    press(tab, "ArrowDown")
    expect(options).to_have_text(["Paris6"])
    press(tab, "Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("Paris")


def test_a_column_pasted_from_a_spreadsheet_is_counted_and_what_comes_again_told(
    tab: Page, workspace: Workspace
) -> None:
    segment = SegmentFactory(workspace=workspace, rules=group(rule("city", "is_any_of", ["Oslo"])))
    tab.goto(f"{segment.pk}/edit/")
    values = "\r\n".join(["Rome", *(f"Town {number}" for number in range(3_000)), "Rome"])
    # Typing so many lines takes a browser minutes, pasting them a moment.
    tab.get_by_label("Values, one a line").evaluate(
        "(field, values) => { field.value = values;"
        " field.dispatchEvent(new Event('input', { bubbles: true })); }",
        values,
    )
    count(tab).to_contain_text("6 of 12 profiles")
    expect(tab.locator("#note-0-0")).to_have_text("3,002 values; 1 of them again")


def test_in_a_large_workspace_the_exact_count_follows_the_estimate(
    tab: Page, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "ALL_UP_TO", 5)
    segment = SegmentFactory(workspace=workspace, rules=group(rule("city", "is", "Oslo")))
    answers: list[str] = []
    tab.on("response", lambda one: "/preview/" in one.url and answers.append(one.text()))
    tab.goto(f"{segment.pk}/edit/")
    count(tab).to_contain_text("0 of 12 profiles")
    tab.get_by_role("combobox", name="Value").fill("Paris")
    count(tab).to_contain_text("6 of 12 profiles")
    expect(tab.locator("#look .look-note")).to_have_count(0)
    expect(tab.locator("#sample tbody tr")).to_have_count(6)
    estimates = ["counting exactly" in answer for answer in answers]
    assert estimates[-2:] == [True, False]


def test_a_segment_is_started_from_a_template(tab: Page) -> None:
    tab.goto("new/")
    tab.get_by_role("link", name="Birthday in the next 7 days").press("Enter")
    expect(tab.get_by_label("Name")).to_have_value("Birthday in the next 7 days")
    count(tab).to_contain_text("of 12 profiles")


def test_a_list_is_pasted_and_whoever_is_not_found_shown(tab: Page) -> None:
    tab.goto("new/")
    tab.get_by_role("link", name="Paste or upload a list").press("Enter")
    tab.get_by_label("Name").fill("Guests")
    tab.get_by_label("Keys or addresses").fill("c01\nc02\nnobody")
    tab.get_by_role("button", name="Save").press("Enter")
    expect(tab.get_by_text("3 entries are added to the list.")).to_be_visible()
    expect(tab.get_by_text("Not found: nobody")).to_be_visible()
