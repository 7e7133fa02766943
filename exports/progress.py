"""How far a run is: its stages with their times, contacts sent and confirmed, time left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exports import whys
from exports.models import Batch, Run

MEASURED_AFTER = timedelta(seconds=2)
WATCHED_CLOSELY = timedelta(minutes=2)
StageState = Literal["done", "now", "ahead", "stopped"]


@dataclass(frozen=True)
class Stage:
    label: Promise
    state: StageState
    began_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def took(self) -> timedelta | None:
        return self.ended_at - self.began_at if self.began_at and self.ended_at else None


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
        batches = run.batches.only("state", "contacts", "sent_at")
    everyone = sent = ended = ever_sent = 0
    for batch in batches:
        is_over = batch.state in (Batch.State.CONFIRMED, Batch.State.FAILED)
        everyone += batch.contacts
        sent += batch.contacts if is_over or batch.state == Batch.State.SENT else 0
        ended += batch.contacts if is_over else 0
        ever_sent += batch.contacts if batch.sent_at else 0
    rate = time_left = None
    elapsed = (run.sent_at or timezone.now()) - run.planned_at if run.planned_at else timedelta()
    if elapsed >= MEASURED_AFTER and ever_sent:
        rate = ever_sent / elapsed.total_seconds()
    if run.is_active and not run.is_waiting and run.planned_at and rate:
        passed = timezone.now() - run.planned_at
        done = sent + ended
        ahead = 2 * everyone - done
        time_left = passed * ahead / done if done and ahead else None
    return Progress(
        stages=_stages(run),
        to_send=everyone,
        sent=sent,
        confirmed=ended,
        rate=rate,
        time_left=time_left,
        awaits=_awaits(run),
        look_again=_look_again(run),
    )


def _look_again(run: Run) -> int:
    if run.is_waiting or run.state == Run.State.AWAITING_APPROVAL:
        return 5
    return 1 if run.took < WATCHED_CLOSELY else 3


def _awaits(run: Run) -> str:
    if run.is_waiting:
        return run.reason if run.why.get("code") in whys.ROUTINE else ""
    if run.state == Run.State.QUEUED:
        return gettext("A worker takes it up as soon as one is free.")
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
