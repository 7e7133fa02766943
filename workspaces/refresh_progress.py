"""How far a refresh is, and how long the rest will take by what it took before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean

from django.db.models import Q, QuerySet

from workspaces.estimates import rounded
from workspaces.models import Refresh, RefreshStep


@dataclass(frozen=True)
class Progress:
    done: int
    count: int
    time_left: timedelta | None


def progress_of(
    refresh: Refresh,
    steps: Sequence[RefreshStep] | None = None,
    before: Sequence[RefreshStep] | None = None,
) -> Progress:
    """`steps` are all of the refresh's, `before` those that succeeded of the last one before it:
    each where whoever asks has them.
    """
    asked = Q(refresh_id=_last_before(refresh), state=RefreshStep.State.SUCCEEDED)
    if steps is None:
        found = list(RefreshStep.objects.filter(asked | Q(refresh=refresh)).order_by("position"))
        steps = [step for step in found if step.refresh_id == refresh.pk]
        before = [step for step in found if step.refresh_id != refresh.pk]
    elif before is None:
        before = list(RefreshStep.objects.filter(asked)) if refresh.is_active else []
    return Progress(
        done=sum(step.finished_at is not None for step in steps),
        count=len(steps),
        time_left=_time_left(steps, before or []) if refresh.is_active else None,
    )


def _last_before(refresh: Refresh) -> QuerySet[Refresh]:
    """The id of the last refresh before it that has ended."""
    last = Refresh.objects.filter(finished_at__isnull=False, created_at__lt=refresh.created_at)
    return last.order_by("-created_at").values("pk")[:1]  # type: ignore[return-value]


def _time_left(steps: Sequence[RefreshStep], before: Sequence[RefreshStep]) -> timedelta | None:
    """What is ahead by what it took last time; what is new by the others of its kind in this one.

    None when something of another kind is new.
    """
    ahead = [step for step in steps if step.finished_at is None]
    took = {(step.kind, step.object_id): _seconds(step) for step in before}
    of_kind = defaultdict(list)
    for step in steps:
        if step.state == RefreshStep.State.SUCCEEDED:
            of_kind[step.kind].append(_seconds(step))
    left = 0.0
    for step in ahead:
        seconds = took.get((step.kind, step.object_id))
        if seconds is None:
            if not of_kind[step.kind]:
                return None
            seconds = mean(of_kind[step.kind])
        left += max(0.0, seconds - _seconds(step))
    return rounded(timedelta(seconds=left)) if ahead else None


def _seconds(step: RefreshStep) -> float:
    """So far, or in all."""
    return step.duration.total_seconds() if step.duration is not None else 0.0
