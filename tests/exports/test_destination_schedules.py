"""When exports run: with every refresh, at times of their own, or off; several at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone

from exports import scheduling
from exports.models import Destination, Run
from tests.exports.factories import ConnectionFactory, DestinationFactory, RunFactory
from tests.exports.pages import administrator, contributor, url, viewer, words
from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import AuditEntry, Refresh, Schedule
from workspaces.scheduling import run_due_hooks

OWN = {
    "schedule": "own",
    "days": ["1", "5"],
    "times": ["18:00", "07:30"],
    "time_zone": "Europe/Madrid",
}


@pytest.fixture
def destination(workspace: Any) -> Destination:
    return DestinationFactory(workspace=workspace, name="Weekly")


@pytest.fixture(autouse=True)
def no_worker(settings: Any) -> Iterator[None]:
    """Runs are queued; nobody takes them up."""
    with patch("exports.tasks.drive_run.delay"):
        yield


def due(destination: Destination, at: datetime) -> None:
    Destination.objects.filter(pk=destination.pk).update(
        schedule="own", days=[1, 2, 3, 4, 5, 6, 7], times=[time(7, 30)], next_run_at=at
    )


def test_an_own_schedule_is_saved_with_the_moment_it_next_starts(
    workspace: Any, destination: Destination
) -> None:
    client = administrator(workspace)
    client.post(url("destination_schedule", workspace, destination.pk), OWN)
    destination.refresh_from_db()
    assert destination.schedule == "own"
    assert destination.days == [1, 5]
    assert destination.times == [time(7, 30), time(18, 0)]
    assert destination.next_run_at is not None
    assert destination.next_run_at > timezone.now()
    assert AuditEntry.objects.get(action="destination.scheduled").actor == client.member.user
    assert "Own schedule" in words(client.get(url("destination_list", workspace)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"days": []}, "Choose at least one day."),
        ({"times": []}, "Add at least one time."),
        ({"times": ["25:99"]}, "Enter a valid time."),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
    ],
)
def test_a_schedule_that_never_starts_is_refused(
    workspace: Any, destination: Destination, changes: dict[str, Any], said: str
) -> None:
    page = administrator(workspace).post(
        url("destination_schedule", workspace, destination.pk), OWN | changes
    )
    assert page.status_code == 422
    assert said in words(page)
    destination.refresh_from_db()
    assert destination.schedule == "refresh"


def test_the_list_shows_when_each_export_runs_next(
    workspace: Any, destination: Destination
) -> None:
    client = administrator(workspace)
    where = url("destination_list", workspace)
    assert "The workspace’s schedule is off" in words(client.get(where))
    at = timezone.now() + timedelta(hours=5)
    Schedule.objects.create(workspace=workspace, enabled=True, next_run_at=at)
    assert client.get(where).context["lines"][0].next_run_at == at
    own = timezone.now() + timedelta(days=2)
    due(destination, own)
    assert client.get(where).context["lines"][0].next_run_at == own
    Destination.objects.update(schedule="off")
    page = client.get(where)
    assert page.context["lines"][0].next_run_at is None
    assert "Runs only on demand" in words(page)


def test_what_is_due_starts_once_and_says_what_started_it(
    workspace: Any, destination: Destination
) -> None:
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    due(destination, now - timedelta(days=3))
    run_due_hooks(now)
    run_due_hooks(now)
    run = Run.objects.get()
    assert (run.destination, run.trigger) == (destination, Run.Trigger.SCHEDULE)
    destination.refresh_from_db()
    assert destination.next_run_at == datetime(2026, 3, 3, 7, 30, tzinfo=UTC)


def test_what_is_not_due_or_off_or_rests_does_not_start(
    workspace: Any, destination: Destination
) -> None:
    now = timezone.now()
    due(destination, now + timedelta(minutes=1))
    off = DestinationFactory(workspace=workspace)
    due(off, now - timedelta(minutes=1))
    Destination.objects.filter(pk=off.pk).update(schedule="off")
    resting = DestinationFactory(workspace=workspace, connection=None)
    assert scheduling.next_run(resting) is None
    run_due_hooks(now)
    assert not Run.objects.exists()


def test_what_falls_due_during_a_refresh_starts_after_it(
    workspace: Any, destination: Destination
) -> None:
    now = timezone.now()
    due(destination, now - timedelta(minutes=1))
    refresh = Refresh.objects.create(workspace=workspace, trigger="member", state="running")
    run_due_hooks(now)
    assert not Run.objects.exists()
    Refresh.objects.filter(pk=refresh.pk).update(state="succeeded")
    run_due_hooks(now)
    assert Run.objects.count() == 1


def test_what_falls_due_while_it_runs_waits_for_its_next_time(
    workspace: Any, destination: Destination
) -> None:
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    due(destination, now)
    RunFactory(destination=destination, state=Run.State.SENDING, finished_at=None)
    run_due_hooks(now)
    assert Run.objects.count() == 1
    destination.refresh_from_db()
    assert destination.next_run_at == datetime(2026, 3, 3, 7, 30, tzinfo=UTC)


def test_every_workspaces_exports_start(workspace: Any, destination: Destination) -> None:
    from django_scopes import scope

    from config.row_security import across_workspaces

    other = WorkspaceFactory()
    with scope(workspace=other):
        theirs = DestinationFactory(workspace=other)
        due(theirs, timezone.now())
    due(destination, timezone.now())
    run_due_hooks(timezone.now())
    with across_workspaces():
        assert {run.workspace_id for run in Run.objects.all()} == {workspace.pk, other.pk}


def select(client: Any, workspace: Any, chosen: list[Destination], **values: Any) -> Any:
    return client.post(
        url("schedule_several", workspace),
        {"selected": [one.pk for one in chosen], **values},
        follow=True,
    )


def test_a_new_schedule_is_defined_for_all_selected(
    workspace: Any, destination: Destination
) -> None:
    second = DestinationFactory(workspace=workspace)
    left = DestinationFactory(workspace=workspace)
    page = select(
        administrator(workspace), workspace, [destination, second], handling="define", **OWN
    )
    assert "The schedules of 2 exports are saved." in words(page)
    for one in (destination, second):
        one.refresh_from_db()
        assert (one.schedule, one.days) == ("own", [1, 5])
    left.refresh_from_db()
    assert left.schedule == "refresh"


def test_individual_schedules_are_kept_when_switched_off_and_on(
    workspace: Any, destination: Destination
) -> None:
    due(destination, timezone.now() + timedelta(days=1))
    second = DestinationFactory(workspace=workspace)
    client = administrator(workspace)
    select(client, workspace, [destination, second], handling="off")
    for one in (destination, second):
        one.refresh_from_db()
        assert (one.schedule, one.next_run_at) == ("off", None)
    select(client, workspace, [destination, second], handling="on")
    destination.refresh_from_db()
    second.refresh_from_db()
    assert (destination.schedule, destination.times) == ("own", [time(7, 30)])
    assert destination.next_run_at is not None
    assert second.schedule == "refresh"


def test_a_new_schedule_for_several_must_make_sense(
    workspace: Any, destination: Destination
) -> None:
    page = select(
        administrator(workspace), workspace, [destination], handling="define", schedule="own"
    )
    assert "Choose at least one day." in words(page)
    destination.refresh_from_db()
    assert destination.schedule == "refresh"


def test_a_contributor_schedules_several_but_not_those_that_are_not_shared(
    workspace: Any, destination: Destination
) -> None:
    private = DestinationFactory(
        workspace=workspace,
        connection=ConnectionFactory(workspace=workspace, sharing="administrators"),
    )
    client = contributor(workspace)
    page = client.get(
        url("schedule_several", workspace), {"selected": [destination.pk, private.pk]}
    )
    assert "1 more is left as it is" in words(page)
    select(client, workspace, [destination, private], handling="off")
    destination.refresh_from_db()
    private.refresh_from_db()
    assert (destination.schedule, private.schedule) == ("off", "refresh")


def test_a_viewer_schedules_nothing(workspace: Any, destination: Destination) -> None:
    client = viewer(workspace)
    where = url("destination_schedule", workspace, destination.pk)
    assert client.post(where, OWN).status_code == 403
    assert select(client, workspace, [destination], handling="off").status_code == 403


def test_run_all_runs_those_with_an_active_schedule(
    workspace: Any, destination: Destination
) -> None:
    off = DestinationFactory(workspace=workspace, schedule="off")
    DestinationFactory(workspace=workspace, connection=None)
    page = administrator(workspace).post(url("run_all", workspace), follow=True)
    assert "1 run is started." in words(page)
    assert [run.destination for run in Run.objects.all()] == [destination]
    assert not Run.objects.filter(destination=off).exists()


def test_run_all_by_a_contributor_leaves_out_what_is_not_shared(
    workspace: Any, destination: Destination
) -> None:
    DestinationFactory(
        workspace=workspace,
        connection=ConnectionFactory(workspace=workspace, sharing="administrators"),
    )
    contributor(workspace).post(url("run_all", workspace))
    assert [run.destination for run in Run.objects.all()] == [destination]


def test_run_all_says_which_is_running_already(workspace: Any, destination: Destination) -> None:
    RunFactory(destination=destination, state=Run.State.SENDING, finished_at=None)
    page = administrator(workspace).post(url("run_all", workspace), follow=True)
    assert "Weekly: This export is running already" in words(page)
