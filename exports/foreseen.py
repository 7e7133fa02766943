"""What a run will take, told before it: the day's requests, and about how long."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count

from connections.access import todays_budget
from connections.limiter import Budget
from exports.models import Batch, Run

ENDED_WELL = (Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS)
EXPERIENCE = 20
# With nothing to go by: who opted out is asked for, and each import asked after some times.
USUAL_BESIDE = 8


@dataclass(frozen=True)
class Foreseen:
    """`requests` are all of them, the imports included; `took` is None before the first run.

    `budget` is the day's, None when it can't be told.
    """

    requests: int
    took: timedelta | None
    budget: Budget | None

    @property
    def is_beyond_today(self) -> bool:
        return self.budget is not None and self.requests > self.budget.left


def of(account_id: str, imports: int) -> Foreseen:
    """By the run to the account, among the last ones, that made most nearly as many imports."""
    runs = list(
        Run.objects.filter(
            destination__connection__account_id=account_id,
            dry_run=False,
            state__in=ENDED_WELL,
            finished_at__isnull=False,
        ).order_by("-created_at")[:EXPERIENCE]
    )
    batches = Batch.objects.filter(run__in=[run.pk for run in runs]).order_by()
    made = dict(batches.values_list("run_id").annotate(made=Count("id")))
    nearest = min(
        (run for run in runs if run.pk in made),
        key=lambda run: abs(made[run.pk] - imports),
        default=None,
    )
    if nearest is None:
        return Foreseen(imports + USUAL_BESIDE, None, todays_budget())
    beside = max(0, nearest.requests - made[nearest.pk])
    share = max(1.0, imports / made[nearest.pk])
    return Foreseen(imports + beside, nearest.took * share, todays_budget())
