"""The audit log: newest first, filtered, a page at a time."""

import re

import pytest
from django.urls import reverse

from tests.workspaces.factories import UserFactory, WorkspaceFactory, signed_in
from workspaces import audit
from workspaces.models import Workspace
from workspaces.paging import PAGE


def url(workspace: Workspace) -> str:
    return reverse("workspaces:audit", args=[workspace.slug])


def test_it_says_who_did_what_to_what_with_details(workspace: Workspace) -> None:
    ada = UserFactory(first_name="Ada", last_name="Byron")
    audit.record(workspace, "member.role_changed", actor=ada, target=ada, was="viewer")
    audit.record(workspace, "refresh.succeeded")
    page = signed_in(workspace).get(url(workspace)).content.decode()
    assert page.index("Refresh succeeded") < page.index("Role changed")
    assert "Segue itself" in page
    assert "Ada Byron" in page
    assert re.search(r"was:</span> Viewer", page)


def test_changes_are_told_field_by_field_and_of_a_whole_schedule(workspace: Workspace) -> None:
    by_field = {
        "segments": [["A", "B"], ["A"]],
        "mode": ["", "mirror"],
        "matching": [{}, {"x": "y"}],
    }
    audit.record(workspace, "destination.changed", changes=by_field)
    audit.record(workspace, "workspace.changed", changes={"name": {"was": "Old", "becomes": "New"}})
    schedule = [{"schedule": "off"}, {"schedule": "own", "days": [1], "times": ["07:30"]}]
    audit.record(workspace, "destination.scheduled", changes=schedule)
    page = signed_in(workspace).get(url(workspace)).content.decode()
    assert "A, B → A" in page
    assert "– → mirror" in page
    assert "– → x: y" in page
    assert "Old → New" in page
    assert "off → " in page
    assert "Mon, " in page
    assert "07:30" in page
    assert signed_in(workspace).get(url(workspace) + "download/").getvalue()


def test_a_telephone_is_shown_no_label_of_details_that_say_nothing(workspace: Workspace) -> None:
    audit.record(workspace, "schedule.changed", days=[], note="")
    page = signed_in(workspace).get(url(workspace)).content.decode()
    assert 'details nothing" data-label="Details"></td>' in page


def test_entries_outlive_the_account_of_their_person(workspace: Workspace) -> None:
    ada = UserFactory(first_name="Ada", last_name="Byron")
    audit.record(workspace, "schedule.changed", actor=ada)
    ada.delete()
    assert "Ada Byron" in signed_in(workspace).get(url(workspace)).content.decode()


def test_it_is_filtered_by_action_and_person(workspace: Workspace) -> None:
    ada, bo = UserFactory(first_name="Ada"), UserFactory(first_name="Bo")
    for actor, zone in ((ada, "zone-of-ada"), (bo, "zone-of-bo")):
        audit.record(workspace, "schedule.changed", actor=actor, time_zone=zone)
    audit.record(workspace, "workspace.changed", actor=ada, note="another action")
    page = signed_in(workspace).get(url(workspace), {"action": "schedule.changed", "person": "Ada"})
    text = page.content.decode()
    assert "zone-of-ada" in text
    assert "zone-of-bo" not in text
    assert "another action" not in text


def test_pages_go_back_and_forth_without_losing_or_repeating_an_entry(
    workspace: Workspace,
) -> None:
    total = 2 * PAGE + 10
    for number in range(total):
        audit.record(workspace, "schedule.changed", note=f"entry-{number}.")
    client = signed_in(workspace)
    seen, pages, query = [], [], ""
    while True:
        answer = client.get(url(workspace) + query)
        numbers = [int(n) for n in re.findall(r"entry-(\d+)\.", answer.content.decode())]
        pages.append(numbers)
        seen += numbers
        query = answer.context["next_url"]
        if not query:
            break
    assert seen == list(range(total - 1, -1, -1))

    back = client.get(url(workspace) + answer.context["previous_url"])
    assert [int(n) for n in re.findall(r"entry-(\d+)\.", back.content.decode())] == pages[-2]
    oldest = client.get(url(workspace), {"sort": "when"}).content.decode()
    assert [int(n) for n in re.findall(r"entry-(\d+)\.", oldest)] == list(range(PAGE))


def test_it_shows_this_workspace_only(workspace: Workspace) -> None:
    from django_scopes import scope

    other = WorkspaceFactory()
    with scope(workspace=other):
        audit.record(other, "workspace.changed", note="of the other workspace")
    assert "of the other workspace" not in signed_in(workspace).get(url(workspace)).content.decode()


@pytest.mark.parametrize("cursor", ["x", "-1", "99999999999999999999"])
def test_a_cursor_that_makes_no_sense_does_no_harm(workspace: Workspace, cursor: str) -> None:
    assert signed_in(workspace).get(url(workspace), {"before": cursor}).status_code == 200
