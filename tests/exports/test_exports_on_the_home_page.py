"""What exports add to a workspace's home: steps, figures, recent runs, what needs a person."""

from typing import Any

from django.test import RequestFactory
from django.utils import timezone

from exports import home_parts
from tests.exports.factories import DestinationFactory, RunFactory
from tests.exports.pages import administrator, viewer, words
from tests.workspaces.factories import MembershipFactory


def home(workspace: Any, client: Any) -> str:
    return words(client.get(f"/w/{workspace.slug}/"))


def asked(workspace: Any, role: str = "administrator") -> Any:
    request = RequestFactory().get("/")
    request.workspace = workspace
    request.membership = MembershipFactory(workspace=workspace, role=role)
    return request


def test_the_first_steps_are_taken_once_an_export_has_run(workspace: Any) -> None:
    request = asked(workspace)
    assert not home_parts.configure(request).done
    destination = DestinationFactory(workspace=workspace)
    assert home_parts.configure(request).done
    RunFactory(destination=destination, dry_run=True)
    RunFactory(destination=destination, state="failed")
    assert not home_parts.run(request).done
    RunFactory(destination=destination)
    assert home_parts.run(request).done
    assert home_parts.configure(asked(workspace, "viewer")).url == ""


def test_recent_runs_are_shown_with_what_they_sent(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace, name="Weekly letter")
    RunFactory(destination=destination, added=1200, changed=34, unchanged=7)
    said = home(workspace, viewer(workspace))
    assert "Weekly letter" in said
    assert "1,234 sent, 7 unchanged" in said


def test_a_failed_export_needs_a_person_until_it_goes_well(workspace: Any) -> None:
    destination = DestinationFactory(workspace=workspace, name="Weekly letter")
    client = administrator(workspace)
    RunFactory(destination=destination, state="failed")
    assert "The last run of “Weekly letter” failed." in home(workspace, client)
    RunFactory(destination=destination, created_at=timezone.now())
    assert "The last run of “Weekly letter” failed." not in home(workspace, client)


def test_exports_that_rest_are_counted(workspace: Any) -> None:
    DestinationFactory(workspace=workspace)
    DestinationFactory(workspace=workspace, connection=None)
    figure = home_parts.exports(asked(workspace))
    assert (figure.value, figure.note) == (2, "1 rests")
