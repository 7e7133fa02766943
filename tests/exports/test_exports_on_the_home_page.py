"""What exports add to a workspace's home: steps, figures, recent runs, what needs a person."""

import re
from datetime import timedelta
from typing import Any

from django.test import RequestFactory
from django.utils import timezone

from connections import home_parts as connection_parts
from exports import home_parts, selectors
from exports.models import Run
from segments import home_parts as segment_parts
from tests.exports.factories import ConnectionFactory, DestinationFactory, RunFactory
from tests.exports.pages import administrator, url, viewer, words
from tests.segments.factories import SegmentFactory
from tests.workspaces.factories import MembershipFactory


def home(workspace: Any, client: Any) -> str:
    return words(client.get(f"/w/{workspace.slug}/"))


def asked(workspace: Any, role: str = "administrator") -> Any:
    request = RequestFactory().get("/")
    request.workspace = workspace
    request.membership = MembershipFactory(workspace=workspace, role=role)
    return request


def test_the_first_steps_are_taken_once_an_export_has_run(workspace: Any) -> None:
    assert not home_parts.configure(asked(workspace)).done
    destination = DestinationFactory(workspace=workspace)
    assert home_parts.configure(asked(workspace)).done
    RunFactory(destination=destination, dry_run=True)
    RunFactory(destination=destination, state="failed")
    assert not home_parts.run(asked(workspace)).done
    RunFactory(destination=destination)
    assert home_parts.run(asked(workspace)).done
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


def test_home_follows_a_run_that_goes_on_and_says_what_comes_next(workspace: Any) -> None:
    soon = timezone.now() + timedelta(hours=3)
    DestinationFactory(workspace=workspace, name="Late", schedule="own", next_run_at=soon)
    DestinationFactory(
        workspace=workspace, name="Sooner", schedule="own", next_run_at=soon - timedelta(hours=1)
    )
    DestinationFactory(workspace=workspace, name="With all", schedule="refresh")
    DestinationFactory(
        workspace=workspace, name="Rests", schedule="own", next_run_at=soon, connection=None
    )
    assert [one.destination.name for one in selectors.coming_runs(None, 5)] == [
        "Sooner",
        "Late",
    ]
    assert selectors.coming_runs(timezone.now(), 5)[0].destination.name == "With all"
    run = RunFactory(destination=DestinationFactory(workspace=workspace), state="sending")
    client = viewer(workspace)
    part = url("home_runs", workspace)
    shown = client.get(f"/w/{workspace.slug}/").content.decode()
    assert re.search(f'id="recent-runs" data-moves [^>]*hx-get="{part}"', shown)
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    assert 'id="recent-runs" data-begins="run"' in client.get(part).content.decode()


def test_a_step_that_was_begun_leads_back_to_where_it_was_left(workspace: Any) -> None:
    assert connection_parts.connect(asked(workspace)).url.endswith("/add/")
    draft = ConnectionFactory(workspace=workspace, state="draft")
    step = connection_parts.connect(asked(workspace))
    assert (step.url, step.link) == (
        f"/w/{workspace.slug}/admin/connections/{draft.pk}/",
        "Go on",
    )
    segment = SegmentFactory(workspace=workspace, state="draft")
    begun = segment_parts.make_a_segment(asked(workspace))
    assert not begun.done
    assert begun.url.endswith(f"/segments/{segment.pk}/")
