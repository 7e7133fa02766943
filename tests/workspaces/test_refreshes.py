"""A refresh does its steps in order, once at a time, and comes to an end whatever happens."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_scopes import scope

from tests.workspaces.factories import MembershipFactory, WorkspaceFactory
from workspaces import execution, services
from workspaces.models import AuditEntry, Refresh, RefreshStep, Workspace
from workspaces.refreshes import StepFailed


def start(workspace: Workspace) -> Refresh:
    return services.start_refresh(workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False)


def run(refresh: Refresh) -> Refresh | None:
    return execution.run_refresh(refresh.workspace_id, refresh.pk)


def ends(refresh: Refresh) -> dict[str, str]:
    return dict(refresh.steps.values_list("name", "state"))


def fails_at(*names: str) -> Callable[[RefreshStep], None]:
    def does(step: RefreshStep) -> None:
        if step.name in names:
            raise StepFailed(f"{step.name} makes no sense.")

    return does


def test_the_steps_are_done_in_order_and_leave_their_counts(
    workspace: Workspace, kinds: Any
) -> None:
    kinds.add("segment", {7: set(), 5: {("segment", 7)}}, lambda step: {"members": step.object_id})
    kinds.add("export", {1: {("segment", 5), ("segment", 99)}})

    refresh = run(start(workspace))

    assert kinds.seen == ["segment 7", "segment 5", "export 1"]
    assert (refresh.state, refresh.reason) == (Refresh.State.SUCCEEDED, "")
    assert [(step.counts, step.needs) for step in refresh.steps.all()] == [
        ({"members": 7}, []),
        ({"members": 5}, [0]),
        ({}, [1]),
    ]
    assert refresh.duration > timedelta(0)


def test_what_depends_on_a_failure_is_skipped_and_everything_else_goes_on(
    workspace: Workspace, kinds: Any
) -> None:
    kinds.add("source", {1: set(), 2: set()}, fails_at("source 1"))
    kinds.add("segment", {1: {("source", 1)}, 2: {("source", 2)}, 3: {("segment", 1)}})
    kinds.add("export", {1: {("segment", 3), ("segment", 2)}, 2: {("segment", 2)}})

    refresh = run(start(workspace))

    assert ends(refresh) == {
        "source 1": "failed",
        "source 2": "succeeded",
        "segment 1": "skipped",
        "segment 2": "succeeded",
        "segment 3": "skipped",
        "export 1": "skipped",
        "export 2": "succeeded",
    }
    assert kinds.skipped == ["segment 1", "segment 3", "export 1"]
    assert str(refresh.steps.get(name="export 1").reason) == (
        "It depends on “segment 3”, which did not succeed."
    )
    assert refresh.state == Refresh.State.FAILED
    assert str(refresh.reason) == (
        "“source 1” failed: source 1 makes no sense. 3 steps that depend on it were skipped."
    )
    assert AuditEntry.objects.filter(action="refresh.failed").count() == 1


def test_a_fault_of_our_own_fails_its_step_without_showing_its_text(
    workspace: Workspace, kinds: Any
) -> None:
    kinds.add("segment", {1: set(), 2: set()}, lambda step: {"ratio": 1 / (step.object_id - 1)})

    refresh = run(start(workspace))

    assert ends(refresh) == {"segment 1": "failed", "segment 2": "succeeded"}
    assert "division" not in str(refresh.reason)
    assert "operator" in str(refresh.reason)


def test_a_failed_step_is_done_again_with_what_was_skipped_for_it(
    workspace: Workspace, kinds: Any
) -> None:
    broken = ["segment 1", "segment 3"]
    kinds.add("segment", {1: set(), 2: {("segment", 1)}, 3: set()}, lambda s: fails_at(*broken)(s))
    kinds.add("export", {1: {("segment", 2)}, 2: {("segment", 3)}})
    refresh = run(start(workspace))
    broken.clear()
    kinds.seen.clear()
    member = MembershipFactory(workspace=workspace).user
    yesterday = timezone.now() - timedelta(days=1)
    Refresh.objects.update(started_at=yesterday)

    services.retry_refresh(refresh, step=refresh.steps.get(name="segment 1"), by=member)
    again = run(refresh)
    assert again.state == Refresh.State.FAILED
    assert again.started_at > yesterday, "relative dates start from the day of the retry"
    assert kinds.seen == ["segment 1", "segment 2", "export 1"]
    assert ends(refresh)["export 2"] == "skipped"

    services.retry_refresh(refresh, by=member)
    assert run(refresh).state == Refresh.State.SUCCEEDED
    assert kinds.seen[3:] == ["segment 3", "export 2"]
    assert AuditEntry.objects.filter(action="refresh.retried").count() == 2


def test_nothing_is_tried_again_while_another_refresh_runs_or_after_a_later_one(
    workspace: Workspace, kinds: Any
) -> None:
    kinds.add("segment", {1: set()}, fails_at("segment 1"))
    member = MembershipFactory(workspace=workspace).user
    first = run(start(workspace))
    second = start(workspace)
    with pytest.raises(services.RefreshActive):
        services.retry_refresh(first, by=member)
    run(second)
    with pytest.raises(services.RefreshOver):
        services.retry_refresh(first, by=member)
    services.retry_refresh(second, by=member)
    with pytest.raises(services.RefreshActive):
        start(workspace)


def test_only_one_refresh_of_a_workspace_at_a_time(workspace: Workspace) -> None:
    start(workspace)
    with pytest.raises(services.RefreshActive, match="already under way"):
        start(workspace)


def test_a_refresh_may_start_once_the_last_has_ended(workspace: Workspace, kinds: Any) -> None:
    run(start(workspace))
    assert run(start(workspace)).state == Refresh.State.SUCCEEDED


def test_an_ended_refresh_is_not_run_again(workspace: Workspace, kinds: Any) -> None:
    kinds.add("segment", {1: set()})
    refresh = start(workspace)
    run(refresh)
    run(refresh)
    assert kinds.seen == ["segment 1"]


def test_after_a_crash_it_goes_on_with_the_step_that_was_interrupted(
    workspace: Workspace, kinds: Any
) -> None:
    def lose_the_database_once(step: RefreshStep) -> None:
        if kinds.seen.count("export 1") == 1:
            raise OperationalError("server closed the connection unexpectedly")

    kinds.add("segment", {1: set()})
    kinds.add("export", {1: {("segment", 1)}}, lose_the_database_once)
    refresh = start(workspace)
    with pytest.raises(OperationalError):
        run(refresh)

    assert run(refresh).state == Refresh.State.SUCCEEDED
    assert kinds.seen == ["segment 1", "export 1", "export 1"]


def test_a_refresh_whose_worker_always_dies_ends_with_a_reason(
    workspace: Workspace, kinds: Any
) -> None:
    def die(step: RefreshStep) -> None:
        raise OperationalError("gone")

    kinds.add("segment", {1: set()}, die)
    refresh = start(workspace)
    for _attempt in range(execution.MOST_ATTEMPTS):
        with pytest.raises(OperationalError):
            run(refresh)

    ended = run(refresh)

    assert ended.state == Refresh.State.FAILED
    assert "stopped 5 times" in str(ended.reason)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_run_the_same_refresh_at_once(kinds: Any) -> None:
    workspace = WorkspaceFactory()
    inside, go_on = threading.Event(), threading.Event()

    def hold(step: RefreshStep) -> None:
        inside.set()
        go_on.wait(20)

    kinds.add("segment", {1: set()}, hold)
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
    assert kinds.seen == ["segment 1"]


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
        with scope(workspace=refresh.workspace):
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
