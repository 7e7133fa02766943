"""Which state may follow which: every change of a run's or a batch's state goes through here."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from exports import measures, notices
from exports.models import Batch, Run

RunState, BatchState = Run.State, Batch.State

RUN_ENDS = {
    RunState.SUCCEEDED,
    RunState.SUCCEEDED_WITH_REJECTIONS,
    RunState.FAILED,
    RunState.CANCELLED,
    RunState.SKIPPED,
}
RUN_TRANSITIONS: dict[str, set[Run.State]] = {
    RunState.QUEUED: {RunState.PLANNING, RunState.CANCELLED, RunState.SKIPPED, RunState.FAILED},
    RunState.PLANNING: {RunState.AWAITING_APPROVAL, RunState.SENDING, *RUN_ENDS},
    RunState.AWAITING_APPROVAL: {RunState.PLANNING, RunState.CANCELLED},
    RunState.SENDING: {RunState.CONFIRMING, *RUN_ENDS},
    RunState.CONFIRMING: RUN_ENDS,
}
BATCH_TRANSITIONS: dict[str, set[Batch.State]] = {
    # Nobody is left in it: everybody it carried was erased.
    BatchState.PLANNED: {BatchState.SENT, BatchState.FAILED, BatchState.CONFIRMED},
    BatchState.SENT: {BatchState.CONFIRMED, BatchState.FAILED},
}


class WrongState(Exception):
    """The state has changed meanwhile, or what was asked does not follow from it."""


def move_run(run: Run, to: Run.State, **fields: Any) -> None:
    """Moves the run on, only from the state it is believed to be in; stamps its end.

    What it waited for until now is over, and what it broke off at is behind it. Who is to know is
    told in the same transaction.

    Raises `WrongState` when another process moved it first.
    """
    if to not in RUN_TRANSITIONS.get(run.state, ()):
        raise WrongState(f"a run that is {run.state} can't become {to}")
    if to in RUN_ENDS:
        fields.setdefault("finished_at", timezone.now())
    fields = {"waiting_until": None, "why": {}, "broken_off": 0} | fields
    with transaction.atomic():
        _move(run, to, fields)
        notices.run_moved(run)
        measures.run_moved(run)


def move_batch(batch: Batch, to: Batch.State, **fields: Any) -> None:
    """Moves the batch on, as `move_run` does, and its run gets further by it.

    An ended batch lets go of its request.
    """
    if to not in BATCH_TRANSITIONS.get(batch.state, ()):
        raise WrongState(f"a batch that is {batch.state} can't become {to}")
    if to in (BatchState.CONFIRMED, BatchState.FAILED):
        fields |= {"ended_at": timezone.now(), "body": None}
    _move(batch, to, fields)
    Run.objects.filter(pk=batch.run_id, broken_off__gt=0).update(broken_off=0)
    measures.batch_moved(batch)


def _move(row: Run | Batch, to: str, fields: dict[str, Any]) -> None:
    moved = (
        type(row)
        .objects.filter(workspace_id=row.workspace_id, pk=row.pk, state=row.state)
        .update(state=to, **fields)
    )
    if not moved:
        raise WrongState(f"{row._meta.verbose_name} {row.pk} is no longer {row.state}")
    row.state = to
    for name, value in fields.items():
        setattr(row, name, value)
