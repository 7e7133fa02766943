"""The main job without a browser: by command, and by itself on the workspace's schedule."""

import json
from datetime import time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from connections import services as connection_services
from exports.engine.drive import drive_to_end
from exports.models import Destination, Run
from exports.runs import start_run
from segments.models import Segment
from tests.conftest import celery_worker, wait_until
from tests.exports.engine_world import World, account
from workspaces import due, execution, refresh_steps, services
from workspaces.models import Refresh, RefreshStep, Schedule

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [
    *("run", "state", "reason", "in_segments", "sent", "unchanged", "duplicate", "invalid"),
    *("suppressed", "rejected", "added", "changed", "removed", "requests", "seconds"),
]


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add_people(3)
    world.add({"email": "PERSON0@example.com "}, {"email": "broken"}, {"first": "Nobody"})
    world.segment.rules = {
        "match": "any",
        "rules": [
            {"attribute": "first", "operator": "is_not_empty"},
            {"attribute": "email", "operator": "is_not_empty"},
        ],
    }
    world.segment.save()
    return world


def run_export(world: World, *options: str) -> dict[str, Any]:
    said = StringIO()
    call_command(
        "run_export", world.workspace.slug, world.destination.name, "--json", *options, stdout=said
    )
    found: dict[str, Any] = json.loads(said.getvalue())
    return found


def test_it_prints_the_account_and_nothing_else(world: World) -> None:
    first = run_export(world, "--wait")
    assert list(first) == NAMES
    assert first["state"] == "succeeded"
    assert (first["in_segments"], first["sent"], first["added"]) == (6, 3, 3)
    assert (first["duplicate"], first["invalid"]) == (1, 2)
    again = run_export(world, "--wait")
    assert (again["sent"], again["unchanged"], again["requests"]) == (0, 3, 2)
    full = run_export(world, "--wait", "--full")
    assert (full["sent"], full["changed"], full["unchanged"]) == (3, 3, 0)


def test_a_dry_run_counts_and_sends_nothing(world: World) -> None:
    trial = run_export(world, "--dry-run")
    assert (trial["state"], trial["sent"], trial["invalid"]) == ("succeeded", 3, 2)
    assert world.sandbox.control("statistics")["total"] == 0
    assert world.on_list() == set()
    assert run_export(world, "--wait")["added"] == 3


def test_without_waiting_the_workers_see_it_through(world: World) -> None:
    with celery_worker():
        assert run_export(world)["state"] == "queued"
        wait_until(lambda: not Run.objects.get().is_active, 30, "the run's end")
    assert account(Run.objects.get()) == {"added": 3, "duplicate": 1, "invalid": 2}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("nowhere", "Newsletter"), "no workspace called 'nowhere'"),
        (("", "Nothing"), "no export called 'Nothing'"),
        (("", "987654321"), "no export called '987654321'"),
    ],
)
def test_what_is_not_there_is_named(world: World, names: tuple[str, str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("run_export", names[0] or world.workspace.slug, names[1], stdout=StringIO())


def test_a_run_that_fails_or_is_refused_ends_the_command_with_its_reason(world: World) -> None:
    connection_services.withdraw_consent(world.connection, by=world.connection.export_user)
    said = StringIO()
    with pytest.raises(CommandError, match="data privacy"):
        call_command(
            "run_export", world.workspace.slug, "Newsletter", "--wait", "--json", stdout=said
        )
    assert json.loads(said.getvalue())["state"] == "failed"
    start_run(world.destination, trigger=Run.Trigger.MEMBER, enqueue=False)
    with pytest.raises(CommandError, match="running already"):
        call_command("run_export", world.workspace.slug, "Newsletter", stdout=StringIO())


def test_a_refresh_by_command_makes_the_segments_and_runs_the_exports(world: World) -> None:
    Segment.objects.update(member_count=0)
    said = StringIO()
    call_command("refresh", world.workspace.slug, "--json", stdout=said)
    assert account(Run.objects.get()) == {"added": 3, "duplicate": 1, "invalid": 2}
    assert Segment.objects.get().member_count == 6
    assert json.loads(said.getvalue())["state"] == "succeeded"


def test_a_refresh_takes_up_the_run_that_a_dead_worker_had_started(world: World) -> None:
    refresh = services.start_refresh(
        world.workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False
    )
    refresh_steps.write(refresh)
    step = refresh.steps.get(kind="export")
    step.state, step.started_at = RefreshStep.State.RUNNING, timezone.now()
    step.save()
    run = start_run(world.destination, trigger=Run.Trigger.REFRESH, enqueue=False)
    execution.run_refresh(world.workspace.pk, refresh.pk)
    step.refresh_from_db()
    assert (step.state, step.counts) == ("succeeded", {"run": run.pk})
    assert Run.objects.get().state == Run.State.SUCCEEDED


def test_an_export_that_runs_already_is_no_failure_of_the_refresh(world: World) -> None:
    run = start_run(world.destination, trigger=Run.Trigger.MEMBER, enqueue=False)
    refresh = services.start_refresh(
        world.workspace, trigger=Refresh.Trigger.MEMBER, in_worker=False
    )
    execution.run_refresh(world.workspace.pk, refresh.pk)
    assert refresh.steps.get(kind="export").counts == {"run": run.pk}


def test_an_export_whose_segment_failed_is_skipped_with_the_reason(world: World) -> None:
    Segment.objects.update(rules={"match": "all", "rules": [{"attribute": "gone"}]})
    refresh = services.start_refresh(
        world.workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False
    )
    execution.run_refresh(world.workspace.pk, refresh.pk)
    step = refresh.steps.get(kind="export")
    assert step.state == RefreshStep.State.SKIPPED
    assert Segment.objects.get().name in str(step.reason)
    assert not Run.objects.exists()


def test_when_it_is_due_workers_refresh_and_run_every_export_that_goes_along(
    world: World,
) -> None:
    another = Destination.objects.get(pk=world.destination.pk)
    another.pk, another.name = None, "By hand only"
    another.schedule = Destination.Schedule.OFF
    another.save()
    Schedule.objects.update_or_create(
        workspace=world.workspace,
        defaults={
            "enabled": True,
            "days": [1, 2, 3, 4, 5, 6, 7],
            "times": [time(6)],
            "next_run_at": timezone.now() - timedelta(hours=30),
        },
    )
    due.start_due()
    due.start_due()
    refresh = Refresh.objects.get()
    assert refresh.trigger == Refresh.Trigger.SCHEDULE
    execution.run_refresh(world.workspace.pk, refresh.pk)
    run = Run.objects.get()
    drive_to_end(run)
    assert (run.destination, run.trigger) == (world.destination, Run.Trigger.REFRESH)
    assert account(run) == {"added": 3, "duplicate": 1, "invalid": 2}
    assert Schedule.objects.get().next_run_at > timezone.now()


def test_an_export_with_a_schedule_of_its_own_runs_when_that_says_once(world: World) -> None:
    Destination.objects.filter(pk=world.destination.pk).update(
        schedule=Destination.Schedule.OWN,
        days=[1, 2, 3, 4, 5, 6, 7],
        times=[time(6)],
        next_run_at=timezone.now() - timedelta(days=3),
    )
    due.start_due()
    due.start_due()
    run = Run.objects.get()
    assert run.trigger == Run.Trigger.SCHEDULE
    drive_to_end(run)
    assert account(run) == {"added": 3, "duplicate": 1, "invalid": 2}
