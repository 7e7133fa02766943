"""How far a run is: its stages with their times, contacts sent and confirmed, time left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exports import whys
from exports.models import Batch, Run
from workspaces import waiting
from workspaces.estimates import Pace
from workspaces.stages import Stage, StageState

WATCHED_CLOSELY = timedelta(minutes=2)
# Of each batch.
NEEDED = ("state", "contacts", "sent_at", "ended_at")


@dataclass(frozen=True)
class Progress:
    """`rate` is contacts sent a second, once there is enough to measure.

    `awaits` is what the run waits for in the course of things. `look_again` is in so many seconds:
    whoever has watched for minutes sees as much by looking less often.
    """

    stages: list[Stage]
    to_send: int
    sent: int
    confirmed: int
    rate: float | None
    time_left: timedelta | None
    awaits: str
    look_again: int

    @property
    def steps_done(self) -> int:
        return self.sent + self.confirmed

    @property
    def steps(self) -> int:
        return 2 * self.to_send


def progress_of(run: Run, batches: Iterable[Batch] | None = None) -> Progress:
    """A batch counts as a whole: it is sent, and confirmed, or it is not.

    `batches` are all of the run's, where whoever asks has them.
    """
    if batches is None:
        batches = run.batches.only(*NEEDED)
    everyone = sent = ended = ever_sent = 0
    sent_at = moved_at = None
    for batch in batches:
        is_over = batch.state in (Batch.State.CONFIRMED, Batch.State.FAILED)
        everyone += batch.contacts
        sent += batch.contacts if is_over or batch.state == Batch.State.SENT else 0
        ended += batch.contacts if is_over else 0
        if batch.sent_at:
            ever_sent += batch.contacts
            sent_at = _later(sent_at, batch.sent_at)
        moved_at = _later(moved_at, batch.ended_at or batch.sent_at)
    goes_on = run.is_active and not run.is_waiting
    both = Pace(sent + ended, 2 * everyone, run.planned_at, moved_at)
    return Progress(
        stages=_stages(run),
        to_send=everyone,
        sent=sent,
        confirmed=ended,
        rate=Pace(ever_sent, everyone, run.planned_at, sent_at).rate,
        time_left=both.time_left if goes_on else None,
        awaits=_awaits(run),
        look_again=_look_again(run),
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _look_again(run: Run) -> int:
    if run.is_waiting or run.state == Run.State.AWAITING_APPROVAL:
        return 5
    return 1 if run.took < WATCHED_CLOSELY else 3


def _awaits(run: Run) -> str:
    if run.is_waiting:
        return "" if run.is_held_up else run.reason
    if run.is_active and run.state != Run.State.AWAITING_APPROVAL:
        waits = timezone.now() - (run.heartbeat_at or run.created_at)
        told = waiting.for_a_worker(waits, is_queued=run.state == Run.State.QUEUED)
        if told:
            return told
    if run.state == Run.State.CONFIRMING and run.removal.get("step"):
        return whys.text(whys.why("taking_off", count=run.to_remove))
    return ""


def _stages(run: Run) -> list[Stage]:
    """Plan, send, confirm, settle: each began when the one before it ended.

    A trial run only plans.
    """
    if run.dry_run and run.planned_at:
        ahead = [Stage(label, "ahead") for label in (_("Send"), _("Confirm"), _("Settle"))]
        return [Stage(_("Plan"), "done", run.started_at, run.planned_at), *ahead]
    settled = run.finished_at if run.state in SETTLED else None
    marks = [
        (_("Plan"), run.started_at, run.planned_at),
        (_("Send"), run.planned_at, run.sent_at),
        (_("Confirm"), run.sent_at, settled),
        (_("Settle"), settled, settled),
    ]
    stages = []
    for label, began_at, ended_at in marks:
        state: StageState = "ahead"
        if ended_at:
            state = "done"
        elif began_at:
            state = "now" if run.is_active else "stopped"
        stages.append(Stage(label, state, began_at, ended_at))
    return stages


SETTLED = (Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS)
