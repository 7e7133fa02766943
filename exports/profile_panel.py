"""What exports add to a profile's page: where it was sent, and why not."""

from typing import Any

from django.db.models import QuerySet

from config.kept_queries import KeptQuery
from exports import fates, reasons
from exports.models import Rejection, Run
from segments.models import Profile

# Runs that are looked through for why a profile was not sent.
RECENT_RUNS = 10
MOST_LEFT_OUT = 8


def exports_of(profile: Profile) -> tuple[str, dict[str, Any]] | None:
    found = fates.latest(profile)
    if not found:
        return None
    return ("exports/_profile_panel.html", {"found": found, "left_out": _left_out(profile)})


def _left_out(profile: Profile) -> list[tuple[Rejection, str]]:
    """Newest first; of the last runs alone, whose rejections are found by their run."""
    found = _rejections(runs=_recent(), profile=profile.pk)
    return [(one, reasons.text(one.reason, one.detail)) for one in found]


@KeptQuery
def _recent() -> QuerySet[Run, int]:
    runs = Run.objects.filter(dry_run=False, planned_at__isnull=False).order_by("-created_at")
    return runs.values_list("pk", flat=True)[:RECENT_RUNS]


@KeptQuery
def _rejections(runs: Any, profile: Any) -> QuerySet[Rejection]:
    found = Rejection.objects.filter(run__pk__any_of=runs, profile_id=profile)
    return found.select_related("run__destination").order_by("-run_id")[:MOST_LEFT_OUT]
