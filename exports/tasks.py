"""Celery's part in runs: hands them to the engine, and looks after those that lost their worker."""

from datetime import datetime, timedelta

from celery import shared_task
from django.db.models import Q, QuerySet
from django.utils import timezone

from config.row_security import across_workspaces
from exports import erased_at_provider, previews
from exports.engine.drive import attempt, drive, wait
from exports.engine.send import TryLater
from exports.models import Batch, ErasurePlace, Run
from workspaces.silence import silent
from workspaces.work import working_for

# A run that took no step for this long has lost its worker, or is planning (and holds its lock).
SILENCE = timedelta(seconds=45)

# A run's batches go in so many lanes, each batch queued when the one before it in its lane has
# gone: no more of a run wait in the queue, so that a small run never waits for a huge one's end.
IN_FLIGHT = 4


@shared_task
def drive_run(workspace_id: int, run_id: int) -> None:
    with working_for(workspace_id, while_closing=True):
        run = Run.objects.filter(pk=run_id).first()
        if run is None or not run.is_active:
            return
        again = drive(run, _hand_out)
        if again is not None:
            _look_again(drive_run, again, workspace_id, run_id)


@shared_task
def send_one_batch(workspace_id: int, batch_id: int) -> None:
    with working_for(workspace_id, while_closing=True):
        batches = Batch.objects.defer("body").select_related("run__destination__connection")
        batch = batches.get(pk=batch_id)
        run = batch.run
        try:
            attempt(run, batch)
        except TryLater as later:
            wait(run, later)
            _look_again(send_one_batch, later.at, workspace_id, batch_id)
            return
        planned = run.batches.filter(state=Batch.State.PLANNED)
        following = _firsts(planned.filter(number__gt=batch.number)).get(batch.number % IN_FLIGHT)
        if following is not None:
            send_one_batch.delay(workspace_id, following)
        elif not planned.exists():
            drive_run.delay(workspace_id, run.pk)


@shared_task
def make_preview(workspace_id: int, token: str) -> None:
    with working_for(workspace_id):
        if not previews.make(workspace_id, token):
            make_preview.apply_async((workspace_id, token), countdown=1)


@shared_task
def take_off_erased(workspace_id: int, place_id: int) -> None:
    with working_for(workspace_id, while_closing=True):
        place = ErasurePlace.objects.select_related("erasure", "workspace").get(pk=place_id)
        again = erased_at_provider.carry_out(place)
        if again is not None:
            _look_again(take_off_erased, again, workspace_id, place_id)


@shared_task
def sweep() -> None:
    """Takes up every run that no worker has touched for a while and that waits for nothing."""
    now = timezone.now()
    with across_workspaces():
        lost = (
            Run.objects.filter(silent("heartbeat_at", now, SILENCE), state__in=Run.ACTIVE)
            # A clock that was ahead has set when to look again, too.
            .filter(
                Q(waiting_until__isnull=True)
                | Q(waiting_until__lt=now)
                | Q(heartbeat_at__gt=now + SILENCE)
            )
            .exclude(state=Run.State.AWAITING_APPROVAL, cancel_requested_at__isnull=True)
            .values_list("workspace_id", "pk")
        )
        for workspace_id, run_id in list(lost):
            drive_run.delay(workspace_id, run_id)


def _hand_out(run: Run, batch_ids: list[int]) -> None:
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now(), waiting_until=None, why={})
    for batch_id in _firsts(run.batches.filter(pk__in=batch_ids)).values():
        send_one_batch.delay(run.workspace_id, batch_id)


def _firsts(batches: QuerySet[Batch]) -> dict[int, int]:
    """The next batch of each of a run's lanes, by lane."""
    found: dict[int, int] = {}
    for number, pk in batches.order_by("number").values_list("number", "pk"):
        found.setdefault(number % IN_FLIGHT, pk)
    return found


def _look_again(task: object, at: datetime, *arguments: int) -> None:
    """Soon by a countdown; later is the sweeper's, since a broker forgets and hands out twice."""
    delay = (at - timezone.now()).total_seconds()
    if delay <= SILENCE.total_seconds():
        task.apply_async(arguments, countdown=max(0.0, delay))  # type: ignore[attr-defined]
