"""Takes a run as far as it can go now, from wherever a worker left it.

Every step may be repeated: a run's lock lets one process decide at a time, a batch's lock one
process send, and both die with their holder. Nothing but the database says what is done.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, connection
from django.db.models import Sum
from django.utils import timezone

from config import correlation
from config.full_disk import is_full
from connections.access import NotUsable, ensure_usable
from exports.configuration import ConfigurationError
from exports.engine import broken_off, confirm, preferences, remove, restored
from exports.engine.confirm import confirm_batches, poll_delay
from exports.engine.plan import CannotPlan, ListUnknown, NothingToPlan, plan_run
from exports.engine.remove import remove_leavers
from exports.engine.send import StopSending, TryLater, send_batch
from exports.engine.settle import settle_run
from exports.engine.states import move_batch, move_run
from exports.models import Batch, Run
from exports.whys import Why, why, why_of
from segments.models import Segment
from workspaces import locks

BUSY = timedelta(seconds=1)
DISK_FULL_WAIT = timedelta(seconds=60)
# Profiles; from here on planning takes seconds.
LARGE = 100_000
# After so many PostgreSQL is to count the ledger at once, not when autovacuum gets round to it.
MANY_SENT = 20_000

SendBatches = Callable[[Run, list[int]], None]


def drive(run: Run, send_batches: SendBatches) -> datetime | None:
    """Takes every step that can be taken now; returns when to look again, None if never.

    `send_batches` sees to it that the batches with these ids are sent, at once or by other
    workers, which then drive the run again.
    """
    with (
        correlation.bound(workspace=run.workspace_id, run=run.pk),
        locks.held(locks.RUN, run.pk) as free,
    ):
        if not free:
            return timezone.now() + BUSY
        run.refresh_from_db()
        if cause := broken_off.too_often(run):
            return _give_up(run, cause)
        try:
            with broken_off.counted(run):
                return _steps(run, send_batches)
        except TryLater as later:
            wait(run, later)
            return later.at
        except OperationalError as problem:
            if not is_full(problem):
                raise
            full = TryLater(why("disk_full"), timezone.now() + DISK_FULL_WAIT)
            wait(run, full)
            return full.at


def drive_to_end(run: Run) -> None:
    """Drives a run in this process until it ends or wants approval, sleeping while it waits."""

    def send_here(run: Run, batch_ids: list[int]) -> None:
        for batch_id in batch_ids:
            attempt(run, Batch.objects.defer("body").get(pk=batch_id))

    while True:
        again = drive(run, send_here)
        if again is None:
            run.refresh_from_db()
            if not run.is_active or run.state == Run.State.AWAITING_APPROVAL:
                return
            again = timezone.now() + BUSY
        time.sleep(max(0.0, (again - timezone.now()).total_seconds()))


def attempt(run: Run, batch: Batch) -> None:
    """Sends one batch, or stops the run's sending. Raises `TryLater`."""
    run.refresh_from_db(fields=["cancel_requested_at"])
    if run.cancel_requested_at is not None:
        _stop(run, Batch.Failure.CANCELLED, {})
        return
    if restored.was_planned_before(run):
        _stop(run, Batch.Failure.STOPPED, why("restored"))
        return
    try:
        with correlation.bound(workspace=run.workspace_id, run=run.pk, batch=batch.pk):
            send_batch(run, batch)
    except StopSending as stop:
        _stop(run, Batch.Failure.STOPPED, stop.why)


def wait(run: Run, later: TryLater) -> None:
    """Records until when the run waits, and why."""
    Run.objects.filter(pk=run.pk, state__in=Run.ACTIVE).update(
        waiting_until=later.at, why=later.why, heartbeat_at=timezone.now()
    )


def _steps(run: Run, send_batches: SendBatches) -> datetime | None:
    if run.state == Run.State.QUEUED:
        move_run(run, Run.State.PLANNING, started_at=timezone.now(), heartbeat_at=timezone.now())
    if run.state == Run.State.PLANNING:
        _plan(run)
    if run.state == Run.State.AWAITING_APPROVAL and run.cancel_requested_at is not None:
        move_run(run, Run.State.CANCELLED)
    if run.state == Run.State.SENDING:
        if run.dry_run:
            move_run(run, Run.State.SUCCEEDED)
            return None
        if not _send_all(run, send_batches):
            return None
    if run.state == Run.State.CONFIRMING:
        if not confirm_batches(run):
            return _next_poll(run)
        remove_leavers(run)
        settle_run(run)
    return None


def _give_up(run: Run, cause: Why) -> datetime | None:
    """Goes on without the work at which workers die; returns when to look again, as `drive`."""
    if run.state in (Run.State.QUEUED, Run.State.PLANNING):
        move_run(run, Run.State.FAILED, why=cause)
    elif run.state == Run.State.SENDING:
        _stop(run, Batch.Failure.STOPPED, cause)
        Run.objects.filter(pk=run.pk).update(broken_off=0)
        return timezone.now() + BUSY
    elif run.state == Run.State.CONFIRMING:
        confirm.give_up(run, cause)
        if run.to_remove and not run.removal.get("done"):
            remove.give_up(run, cause)
        settle_run(run, unread=cause)
    return None


def _send_all(run: Run, send_batches: SendBatches) -> bool:
    """Whether every batch has gone, and the run on with it."""
    planned = _planned(run)
    if planned:
        send_batches(run, planned)
        if _planned(run):
            return False
    run.refresh_from_db()
    if run.sent > MANY_SENT:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE exports_delivery")
    move_run(run, Run.State.CONFIRMING, sent_at=timezone.now())
    return True


def _plan(run: Run) -> None:
    if run.cancel_requested_at is not None:
        move_run(run, Run.State.CANCELLED)
        return
    try:
        if run.destination.connection is not None and not run.dry_run:
            ensure_usable(run.destination.connection)
            preferences.pull(run)
        try:
            _plan_in_turn(run)
        except ListUnknown as unknown:
            preferences.ask_for_list(run, unknown.requests)
            preferences.pull(run)
            _plan_in_turn(run)
    except NothingToPlan as nothing:
        move_run(run, Run.State.SKIPPED, why=nothing.why)
    except (CannotPlan, ConfigurationError, NotUsable, preferences.NotPulled) as problem:
        move_run(run, Run.State.FAILED, why=why_of(problem))


def _plan_in_turn(run: Run) -> None:
    """One large plan at a time, so that there are workers and memory left for the others."""
    segments = Segment.objects.filter(destinations=run.destination)
    if (segments.aggregate(members=Sum("member_count"))["members"] or 0) < LARGE:
        plan_run(run)
        return
    with locks.held(locks.LARGE_PLAN, 0) as free:
        if not free:
            raise TryLater(why("another_plan"), timezone.now() + BUSY)
        plan_run(run)


def _planned(run: Run) -> list[int]:
    return list(
        run.batches.filter(state=Batch.State.PLANNED)
        .order_by("number")
        .values_list("pk", flat=True)
    )


def _next_poll(run: Run) -> datetime:
    polls = int(run.read_back.get("polls", 0))
    run.read_back = {**run.read_back, "polls": polls + 1}
    run.heartbeat_at = timezone.now()
    run.save(update_fields=["read_back", "heartbeat_at"])
    return timezone.now() + timedelta(seconds=poll_delay(polls))


def _stop(run: Run, failure: Batch.Failure, why: Why) -> None:
    """Fails every batch that nobody is sending at this moment."""
    for batch in run.batches.filter(state=Batch.State.PLANNED).defer("body"):
        with locks.held(locks.BATCH, batch.pk) as free:
            if not free:
                continue
            batch.refresh_from_db(fields=["state"])
            if batch.state == Batch.State.PLANNED:
                move_batch(batch, Batch.State.FAILED, failure=failure, why=why)
