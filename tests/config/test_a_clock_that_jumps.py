"""A clock set forward or back by hours: nothing is done twice, and nothing waits for it."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from config.beat import Scheduler
from config.celery import app
from exports import scheduling
from exports import tasks as run_tasks
from exports.models import Destination, Run
from segments import tasks as import_tasks
from segments.models import Import
from tests.exports.factories import RunFactory
from tests.segments.factories import ImportFactory
from tests.workspaces.factories import MembershipFactory
from workspaces import due
from workspaces.models import Endpoint, EndpointDelivery, Event, Notice, Refresh, Schedule
from workspaces.notices import emails, telling, topics, webhooks
from workspaces.sentences import gettext as _

HOURS = timedelta(hours=5)


def test_the_scheduler_goes_on_when_the_clock_is_set_back(tmp_path: Path) -> None:
    sent: list[str] = []

    class Recording(Scheduler):
        def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> None:
            sent.append(entry.task)

    scheduler = Recording(app, schedule_filename=str(tmp_path / "beat"), lazy=True)
    scheduler.setup_schedule()
    often = {
        name: one.task
        for name, one in scheduler.schedule.items()
        if getattr(one.schedule, "run_every", timedelta.max) < timedelta(minutes=1)
    }
    assert len(often) > 4

    def tick_for(seconds: int) -> set[str]:
        """What is sent within so many seconds of a clock that nobody touches meanwhile."""
        sent.clear()
        for name in often:
            scheduler.schedule[name].last_run_at -= timedelta(seconds=seconds)
        scheduler._heap = None
        for _turn in range(60):
            scheduler.tick()
        return set(sent)

    wanted = set(often.values())
    assert tick_for(60) >= wanted
    for entry in scheduler.schedule.values():
        entry.last_run_at += HOURS
    scheduler.tick()
    assert all(one.last_run_at <= app.now() for one in scheduler.schedule.values())
    assert tick_for(60) >= wanted
    scheduler.close()


def test_a_schedule_starts_what_is_due_once_whatever_the_clock_does(workspace: Any) -> None:
    at = datetime(2026, 3, 2, 6, tzinfo=UTC)
    schedule = Schedule.objects.create(
        workspace=workspace,
        enabled=True,
        days=[1, 2, 3, 4, 5, 6, 7],
        times=[time(6)],
        next_run_at=at,
    )

    def started(now: datetime) -> int:
        due.start_due(now)
        Refresh.objects.update(state="succeeded", finished_at=now)
        return Refresh.objects.count()

    before = at - timedelta(hours=1)
    assert started(before) == 0
    assert started(before + HOURS) == 1, "early, by the clock that it has"
    assert started(before) == 1
    assert started(at) == 1, "not a second time once the clock is right"
    assert started(at + timedelta(days=1)) == 2
    assert started(at + timedelta(days=1) - HOURS) == 2
    assert started(at + timedelta(days=1, minutes=1)) == 2, "nor when it was set back"
    schedule.refresh_from_db()
    assert schedule.next_run_at == at + timedelta(days=2)


@pytest.mark.parametrize("jump", [HOURS, -HOURS], ids=["ahead", "behind"])
def test_what_a_worker_noted_by_a_wrong_clock_is_taken_up_all_the_same(
    workspace: Any, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    taken_up: list[tuple[int, int]] = []
    for task in (run_tasks.drive_run, import_tasks.run_import_task):
        monkeypatch.setattr(task, "delay", lambda *known: taken_up.append(known))
    wrong = timezone.now() + jump
    run = RunFactory(
        destination__workspace=workspace, state="sending", finished_at=None, heartbeat_at=wrong
    )
    load = ImportFactory(source__workspace=workspace, state="running", heartbeat_at=wrong)
    Run.objects.filter(pk=run.pk).update(waiting_until=wrong + timedelta(seconds=5))
    run_tasks.sweep()
    import_tasks.sweep()
    assert sorted(taken_up) == sorted([(workspace.pk, run.pk), (workspace.pk, load.pk)])

    taken_up.clear()
    Run.objects.update(heartbeat_at=timezone.now(), waiting_until=timezone.now() + HOURS)
    Import.objects.update(heartbeat_at=timezone.now())
    run_tasks.sweep()
    import_tasks.sweep()
    assert taken_up == [], "what waits by a right clock waits"


def test_what_was_to_be_sent_by_a_clock_that_was_ahead_is_sent_when_it_is_right(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "_topics", {})
    topics.add(1, topics.Topic("leak", "A leak", "When it drips."))
    MembershipFactory(workspace=workspace)
    endpoint = Endpoint.objects.create(workspace=workspace, name="Shop", events=["tap.dripped"])
    event = Event.objects.create(workspace=workspace, kind="tap.dripped")
    telling.begins(workspace, "leak", "tap:1", _("It drips."), "/")

    def waits_for(wait: timedelta, attempts: int) -> tuple[bool, bool]:
        """Whether the e-mail, and the event, are due though they were to wait for so long."""
        mail.outbox.clear()
        at = timezone.now() + wait
        Notice.objects.update(email_at=at, email_attempts=attempts)
        EndpointDelivery.objects.all().delete()
        EndpointDelivery.objects.create(
            workspace=workspace, endpoint=endpoint, event=event, attempts=attempts, due_at=at
        )
        emails.send_due()
        ((_workspace_id, pk),) = webhooks.due() or [(0, 0)]
        return len(mail.outbox) == 1, bool(pk and webhooks._taken_up(pk))

    assert waits_for(HOURS, attempts=0) == (True, True), "never tried yet"
    assert waits_for(HOURS, attempts=1) == (True, True)
    assert waits_for(timedelta(seconds=9), attempts=1) == (False, False)
    assert waits_for(emails.WAITS[3], attempts=4) == (False, True)
    assert waits_for(webhooks.WAITS[7], attempts=8) == (True, False)
    assert waits_for(webhooks.LEASE, attempts=0) == (False, False), "in a worker's hands"


def test_a_schedule_that_a_clock_put_far_ahead_comes_back_to_its_time_after_the_next(
    workspace: Any,
) -> None:
    now = datetime(2026, 3, 2, 5, tzinfo=UTC)
    far = datetime(2031, 3, 2, 6, tzinfo=UTC)
    daily: dict[str, Any] = {"days": [1, 2, 3, 4, 5, 6, 7], "times": [time(6)]}
    schedule = Schedule.objects.create(workspace=workspace, enabled=True, next_run_at=far, **daily)
    export = RunFactory(destination__workspace=workspace, state="succeeded").destination
    Destination.objects.update(schedule="own", next_run_at=far, **daily)
    due.start_due(now)
    scheduling.start_due(now)
    after_next = datetime(2026, 3, 3, 6, tzinfo=UTC)
    for one in (schedule, export):
        one.refresh_from_db()
        assert one.next_run_at == after_next
    assert not Refresh.objects.exists()
