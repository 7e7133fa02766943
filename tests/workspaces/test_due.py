"""What is due starts once: on time, late, or with two schedulers at once."""

import threading
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope

from tests.workspaces.factories import WorkspaceFactory
from workspaces import due, scheduling, services
from workspaces.models import Refresh, Schedule, Workspace


def schedule(workspace: Workspace, **values: Any) -> Schedule:
    with scope(workspace=workspace):
        chosen = {"enabled": True, "days": range(1, 8), "times": [time(6)], "time_zone": "UTC"}
        return services.save_schedule(workspace, **(chosen | values), by=None)


def refreshes(workspace: Workspace) -> list[Refresh]:
    with scope(workspace=workspace):
        return list(Refresh.objects.filter(workspace=workspace).order_by("id"))


def end_all() -> None:
    for workspace in Workspace.objects.all():
        with scope(workspace=workspace):
            Refresh.objects.update(state=Refresh.State.SUCCEEDED)


@pytest.mark.django_db
def test_a_due_schedule_starts_a_refresh_once() -> None:
    workspace = WorkspaceFactory()
    due_at = schedule(workspace).next_run_at

    due.start_due(due_at - timedelta(seconds=1))
    assert refreshes(workspace) == []
    due.start_due(due_at)
    due.start_due(due_at + timedelta(seconds=20))

    (refresh,) = refreshes(workspace)
    assert (refresh.trigger, refresh.due_at) == (Refresh.Trigger.SCHEDULE, due_at)


@pytest.mark.django_db
def test_what_was_missed_while_down_runs_once() -> None:
    workspace = WorkspaceFactory()
    due_at = schedule(workspace, times=[time(6), time(12), time(18)]).next_run_at
    a_week_later = due_at + timedelta(days=7, minutes=5)

    for seconds in range(0, 100, 20):
        due.start_due(a_week_later + timedelta(seconds=seconds))
        end_all()

    assert len(refreshes(workspace)) == 1
    with scope(workspace=workspace):
        assert Schedule.objects.get(workspace=workspace).next_run_at > a_week_later


@pytest.mark.django_db
def test_a_schedule_that_is_off_starts_nothing() -> None:
    workspace = WorkspaceFactory()
    schedule(workspace)
    schedule(workspace, enabled=False)
    due.start_due(timezone.now() + timedelta(days=30))
    assert refreshes(workspace) == []


@pytest.mark.django_db
def test_a_refresh_due_while_another_runs_starts_when_that_has_ended() -> None:
    workspace = WorkspaceFactory()
    due_at = schedule(workspace).next_run_at
    with scope(workspace=workspace):
        services.start_refresh(workspace, trigger=Refresh.Trigger.MEMBER)

    due.start_due(due_at)
    assert len(refreshes(workspace)) == 1
    end_all()
    due.start_due(due_at + timedelta(minutes=10))
    assert len(refreshes(workspace)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_start_a_refresh_once() -> None:
    workspaces = [WorkspaceFactory() for _number in range(5)]
    latest = max(schedule(workspace).next_run_at for workspace in workspaces)
    ready = threading.Barrier(4)

    def tick() -> None:
        try:
            ready.wait(20)
            due.start_due(latest)
            end_all()
            due.start_due(latest)
        finally:
            connection.close()

    threads = [threading.Thread(target=tick) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [len(refreshes(workspace)) for workspace in workspaces] == [1] * 5


@pytest.mark.django_db(transaction=True)
def test_a_schedule_that_another_scheduler_has_in_hand_is_left_to_it() -> None:
    workspace = WorkspaceFactory()
    due_at = schedule(workspace).next_run_at
    in_hand, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with scope(workspace=workspace), transaction.atomic():
                Schedule.objects.select_for_update(of=("self",)).get(workspace=workspace)
                in_hand.set()
                go_on.wait(20)
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert in_hand.wait(20)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        due.start_due(due_at)
        assert refreshes(workspace) == []
    finally:
        go_on.set()
        other.join(20)
        connection.close()
    due.start_due(due_at)
    assert len(refreshes(workspace)) == 1


@pytest.mark.django_db
def test_other_apps_hooks_are_called_and_one_that_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []

    def broken(now: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(scheduling, "_hooks", [])
    scheduling.add_due_hook(broken)
    scheduling.add_due_hook(called.append)
    now = timezone.now()
    due.start_due(now)
    assert called == [now]
