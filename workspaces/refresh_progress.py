"""How far a refresh is, and how long the rest will take by what it took before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean

from workspaces.estimates import rounded
from workspaces.models import Refresh, RefreshStep


@dataclass(frozen=True)
class Progress:
    done: int
    count: int
    time_left: timedelta | None


def progress_of(refresh: Refresh, steps: Sequence[RefreshStep] | None = None) -> Progress:
    """`steps` are all of the refresh's, where whoever asks has them."""
    if steps is None:
        steps = list(refresh.steps.all())
    return Progress(
        done=sum(step.finished_at is not None for step in steps),
        count=len(steps),
        time_left=_time_left(refresh, steps) if refresh.is_active else None,
    )


def _time_left(refresh: Refresh, steps: Sequence[RefreshStep]) -> timedelta | None:
    """What is ahead by what it took last time; what is new by the others of its kind in this one.

    None when something of another kind is new.
    """
    ahead = [step for step in steps if step.finished_at is None]
    before = _durations_before(refresh)
    of_kind = defaultdict(list)
    for step in steps:
        if step.state == RefreshStep.State.SUCCEEDED and step.duration is not None:
            of_kind[step.kind].append(step.duration.total_seconds())
    left = 0.0
    for step in ahead:
        seconds = before.get((step.kind, step.object_id))
        if seconds is None:
            if not of_kind[step.kind]:
                return None
            seconds = mean(of_kind[step.kind])
        taken = step.duration.total_seconds() if step.duration is not None else 0.0
        left += max(0.0, seconds - taken)
    return rounded(timedelta(seconds=left)) if ahead else None


def _durations_before(refresh: Refresh) -> dict[tuple[str, int], float]:
    """Seconds of what succeeded in the last refresh that has ended, by kind and object."""
    last = Refresh.objects.filter(finished_at__isnull=False, created_at__lt=refresh.created_at)
    steps = RefreshStep.objects.filter(
        refresh_id=last.order_by("-created_at").values("pk")[:1],
        state=RefreshStep.State.SUCCEEDED,
    )
    return {
        (step.kind, step.object_id): step.duration.total_seconds()
        for step in steps.order_by()
        if step.duration is not None
    }
