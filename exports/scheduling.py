"""When exports run: with every refresh, at times of their own, or only when a member says so."""

import logging
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from exports.models import Destination, Run
from workspaces.models import Refresh, Schedule, Workspace
from workspaces.scheduling import next_occurrence

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """A destination's schedule; days, times and zone matter only with one of its own."""

    schedule: str
    days: tuple[int, ...] = ()
    times: tuple[time, ...] = ()
    time_zone: str = "UTC"

    @classmethod
    def of(cls, destination: Destination) -> "Timing":
        return cls(
            destination.schedule,
            tuple(destination.days),
            tuple(destination.times),
            destination.time_zone,
        )

    def apply(self, destination: Destination) -> None:
        destination.schedule = self.schedule
        destination.days = list(self.days)
        destination.times = list(self.times)
        destination.time_zone = self.time_zone

    def described(self) -> dict[str, Any]:
        if self.schedule != Destination.Schedule.OWN:
            return {"schedule": str(self.schedule)}
        return {
            "schedule": str(self.schedule),
            "days": list(self.days),
            "times": [f"{at:%H:%M}" for at in self.times],
            "time_zone": self.time_zone,
        }


def next_run(destination: Destination, after: datetime | None = None) -> datetime | None:
    """When its own schedule next starts it; None without one, and while it rests."""
    if destination.schedule != Destination.Schedule.OWN or destination.connection_id is None:
        return None
    return next_occurrence(
        destination.days, destination.times, destination.time_zone, after or timezone.now()
    )


def workspace_refreshes_at(workspace: Workspace) -> datetime | None:
    """When the next scheduled refresh starts; None while the workspace's schedule is off."""
    schedule = Schedule.objects.filter(workspace=workspace, enabled=True).first()
    return schedule.next_run_at if schedule else None


def start_due(now: datetime) -> None:
    """Starts every destination whose own time has come, once, however many times were missed.

    While the workspace refreshes they wait for it: their segments are being made.
    """
    with scopes_disabled():
        workspaces = list(
            Workspace.objects.filter(
                pk__in=Destination.objects.filter(
                    schedule=Destination.Schedule.OWN, next_run_at__lte=now
                ).values("workspace_id")
            )
        )
    for workspace in workspaces:
        with scope(workspace=workspace):
            if Refresh.objects.filter(state__in=Refresh.ACTIVE).exists():
                continue
            for pk in list(_due(now).values_list("pk", flat=True)):
                _start(pk, now)


def _start(pk: int, now: datetime) -> None:
    from exports.runs import RunRefused, start_run

    with transaction.atomic():
        destination = _due(now).select_for_update(skip_locked=True).filter(pk=pk).first()
        if destination is None:
            return
        destination.next_run_at = next_run(destination, after=now)
        destination.save(update_fields=["next_run_at"])
        try:
            start_run(destination, trigger=Run.Trigger.SCHEDULE)
        except RunRefused as refusal:
            logger.info("scheduled run of destination %s refused: %s", pk, refusal)


def _due(now: datetime) -> Any:
    return Destination.objects.filter(schedule=Destination.Schedule.OWN, next_run_at__lte=now)
