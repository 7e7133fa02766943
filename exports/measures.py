"""What operators see of runs: how they end, how long their stages take, which are stuck."""

import logging
from collections.abc import Iterator
from copy import copy
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.metrics import LONG, Counter, Gauge, Histogram, register, together
from config.row_security import across_workspaces
from exports.models import Batch, Run
from workspaces import operations

logger = logging.getLogger(__name__)
FATES = ("added", "changed", "unchanged", "duplicate", "invalid", "suppressed", "rejected")

ENDED = register(Counter("segue_runs_ended_total", "Runs that ended, by how.", ("state",)))
PROFILES = register(
    Counter("segue_run_profiles_total", "Profiles in ended runs, by their fate.", ("fate",))
)
REMOVED = register(Counter("segue_run_removed_total", "People taken off lists."))
STAGES = register(
    Histogram("segue_run_stage_seconds", "How long stages of runs took.", ("stage",), LONG)
)


def run_moved(run: Run) -> None:
    """When what moved it is committed. A trial run counts for nothing."""
    as_it_is = copy(run)
    transaction.on_commit(lambda: _tell(as_it_is), robust=True)


def _tell(run: Run) -> None:
    logger.info("run moved", extra={"run": run.pk, "state": str(run.state)})
    if run.is_active or run.dry_run:
        return
    with together():
        ENDED.add(state=run.state)
        for fate in FATES:
            if count := getattr(run, fate):
                PROFILES.add(count, fate=fate)
        if run.removed:
            REMOVED.add(run.removed)
        for stage, seconds in _stages(run):
            STAGES.observe(seconds, stage=stage)


def batch_moved(batch: Batch) -> None:
    told = {"run": batch.run_id, "batch": batch.pk, "state": str(batch.state)}
    transaction.on_commit(lambda: logger.info("batch moved", extra=told), robust=True)


def _stages(run: Run) -> Iterator[tuple[str, float]]:
    """Each stage that was gone through to its end, in seconds."""
    marks: tuple[datetime | None, ...] = (
        run.created_at,
        run.started_at,
        run.planned_at,
        run.sent_at,
        run.finished_at,
    )
    names = ("queued", "plan", "send", "confirm")
    for name, begun, ended in zip(names, marks, marks[1:], strict=False):
        if begun and ended:
            yield name, (ended - begun).total_seconds()


def stuck(longest: datetime) -> list[operations.Stuck]:
    """Each run that nobody has taken on since, whatever its workspace."""
    runs = (
        Run.objects.filter(state__in=Run.ACTIVE)
        .exclude(state=Run.State.AWAITING_APPROVAL)
        .filter(Q(heartbeat_at__lt=longest) | Q(heartbeat_at=None, created_at__lt=longest))
        .filter(Q(waiting_until=None) | Q(waiting_until__lt=longest))
    )
    advice = _(
        "It is handed to the workers of “runs” again every minute. If it stays here, none of them"
        " lives, or it ends them: look for “run” and its number in their log lines. On its page an"
        " Administrator can cancel it."
    )
    return [
        operations.Stuck(
            _("Run"), run.workspace.slug, run.pk, run.heartbeat_at or run.created_at, advice
        )
        for run in runs.select_related("workspace").order_by("pk")
    ]


def _active() -> Iterator[tuple[tuple[str, ...], float]]:
    with across_workspaces():
        found = dict(
            Run.objects.filter(state__in=Run.ACTIVE)
            .values_list("state")
            .annotate(Count("pk"))
            .order_by()
        )
    for state in Run.ACTIVE:
        yield (str(state),), found.get(state, 0)


def _stuck() -> Iterator[tuple[tuple[str, ...], float]]:
    with across_workspaces():
        yield (), len(stuck(timezone.now() - operations.STUCK_AFTER))


register(Gauge("segue_runs_active", "Runs under way, by state.", ("state",), _active))
register(Gauge("segue_runs_stuck", "Runs that no worker takes on.", (), _stuck))
