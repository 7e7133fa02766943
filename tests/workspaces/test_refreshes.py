"""A refresh runs its stages in order, once at a time, and comes to an end whatever happens."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from tests.workspaces.factories import WorkspaceFactory
from workspaces import execution, services
from workspaces.models import AuditEntry, Refresh, Workspace
from workspaces.refreshes import StageFailed


def start(workspace: Workspace) -> Refresh:
    return services.start_refresh(workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False)


def run(refresh: Refresh) -> Refresh | None:
    return execution.run_refresh(refresh.workspace_id, refresh.pk)


def test_the_stages_run_in_order_and_leave_their_counts(workspace: Workspace, stages: Any) -> None:
    seen = []
    stages["segments"] = lambda refresh: seen.append("segments") or {"segments": 3}
    stages["exports"] = lambda refresh: seen.append("exports") or {"runs": 2}

    refresh = run(start(workspace))

    assert seen == ["segments", "exports"]
    assert refresh.state == Refresh.State.SUCCEEDED
    assert [(stage["name"], stage["counts"]) for stage in refresh.stages] == [
        ("segments", {"segments": 3}),
        ("exports", {"runs": 2}),
    ]
    assert refresh.duration > timedelta(0)


def test_a_stage_that_fails_ends_the_refresh_with_its_reason(
    workspace: Workspace,
    stages: Any,
) -> None:
    def fail(refresh: Refresh) -> dict[str, object]:
        raise StageFailed("The segment “Barcelona” makes no sense.")

    stages["segments"] = fail
    stages["exports"] = lambda refresh: pytest.fail("it must not run")

    refresh = run(start(workspace))

    assert refresh.state == Refresh.State.FAILED
    assert refresh.reason == "The segment “Barcelona” makes no sense."
    assert [(stage["name"], stage["state"]) for stage in refresh.stages] == [("segments", "failed")]
    assert AuditEntry.objects.filter(action="refresh.failed").count() == 1


def test_a_fault_of_our_own_ends_the_refresh_without_showing_its_text(
    workspace: Workspace,
    stages: Any,
) -> None:
    stages["segments"] = lambda refresh: {"ratio": 1 / 0}

    refresh = run(start(workspace))

    assert refresh.state == Refresh.State.FAILED
    assert "division" not in refresh.reason
    assert "operator" in refresh.reason


def test_only_one_refresh_of_a_workspace_at_a_time(workspace: Workspace) -> None:
    start(workspace)
    with pytest.raises(services.RefreshActive, match="already under way"):
        start(workspace)


def test_a_refresh_may_start_once_the_last_has_ended(workspace: Workspace, stages: Any) -> None:
    run(start(workspace))
    assert run(start(workspace)).state == Refresh.State.SUCCEEDED


def test_an_ended_refresh_is_not_run_again(workspace: Workspace, stages: Any) -> None:
    seen = []
    stages["segments"] = lambda refresh: seen.append(1) or {}
    refresh = start(workspace)
    run(refresh)
    run(refresh)
    assert seen == [1]


def test_after_a_crash_it_goes_on_with_the_stage_that_was_interrupted(
    workspace: Workspace,
    stages: Any,
) -> None:
    seen = []

    def lose_the_database_once(refresh: Refresh) -> dict[str, object]:
        seen.append("exports")
        if seen.count("exports") == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return {}

    stages["segments"] = lambda refresh: seen.append("segments") or {}
    stages["exports"] = lose_the_database_once
    refresh = start(workspace)
    with pytest.raises(OperationalError):
        run(refresh)

    assert run(refresh).state == Refresh.State.SUCCEEDED
    assert seen == ["segments", "exports", "exports"]


def test_a_refresh_whose_worker_always_dies_ends_with_a_reason(
    workspace: Workspace,
    stages: Any,
) -> None:
    def die(refresh: Refresh) -> dict[str, object]:
        raise OperationalError("gone")

    stages["segments"] = die
    refresh = start(workspace)
    for _attempt in range(execution.MOST_ATTEMPTS):
        with pytest.raises(OperationalError):
            run(refresh)

    ended = run(refresh)

    assert ended.state == Refresh.State.FAILED
    assert "stopped 5 times" in ended.reason


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_run_the_same_refresh_at_once(stages: Any) -> None:
    workspace = WorkspaceFactory()
    inside, go_on = threading.Event(), threading.Event()
    seen = []

    def hold(refresh: Refresh) -> dict[str, object]:
        seen.append(1)
        inside.set()
        go_on.wait(20)
        return {}

    stages["segments"] = hold
    with scope(workspace=workspace):
        refresh = start(workspace)
    first = in_thread(lambda: run(refresh))
    assert inside.wait(20)

    second = run(refresh)
    execution.resume_lost_refreshes(timezone.now() + timedelta(minutes=5))
    messages_sent = queued_messages()
    go_on.set()
    first.join(20)

    assert second is None
    assert messages_sent == 0, "a refresh in hand must not be sent to the workers again"
    assert seen == [1]


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_no_worker_has_is_sent_to_the_workers_again() -> None:
    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        refresh = start(workspace)
        Refresh.objects.filter(pk=refresh.pk).update(state=Refresh.State.RUNNING)

    execution.resume_lost_refreshes(timezone.now())
    assert queued_messages() == 0, "it has only just been queued"
    execution.resume_lost_refreshes(timezone.now() + timedelta(minutes=5))
    assert queued_messages() == 1


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_takes_up_a_refresh(worker: Any) -> None:
    from tests.conftest import wait_until

    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        refresh = services.start_refresh(workspace, trigger=Refresh.Trigger.MEMBER)

    def ended() -> bool:
        with scopes_disabled():
            return not Refresh.objects.get(pk=refresh.pk).is_active

    wait_until(ended, what="the end of the refresh")


def queued_messages() -> int:
    from config.celery import app

    with app.connection_for_read() as broker:
        return broker.default_channel.client.llen("default")


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    def connected() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=connected)
    thread.start()
    return thread
