"""What may start by itself: with every refresh of its workspace, at times of its own, or never."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import scope

from config.row_security import across_workspaces
from workspaces import far_ahead, selectors
from workspaces.models import Refresh, Workspace
from workspaces.scheduling import next_occurrence, occurrences

UPCOMING = 5


class Timed(models.Model):
    """`days`, `times`, `time_zone` and `next_run_at` mean what they mean in
    `workspaces.Schedule`, and count only with a schedule of its own."""

    class Schedule(models.TextChoices):
        REFRESH = "refresh", _("With every refresh")
        OWN = "own", _("Own schedule")
        OFF = "off", _("Off")

    schedule = models.CharField(
        _("schedule"), max_length=20, choices=Schedule.choices, default=Schedule.REFRESH
    )
    days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    times = ArrayField(models.TimeField(), default=list, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    next_run_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def due_times(self) -> list[time]:
        return list(self.times)

    def next_own_time(self, after: datetime | None = None) -> datetime | None:
        """When its own schedule next starts it; None without one."""
        if self.schedule != self.Schedule.OWN:
            return None
        return next_occurrence(self.days, self.times, self.time_zone, after or timezone.now())


@dataclass(frozen=True)
class Timing:
    """When a thing starts; days, times and zone matter only with a schedule of its own."""

    schedule: str
    days: tuple[int, ...] = ()
    times: tuple[time, ...] = ()
    time_zone: str = "UTC"

    @classmethod
    def of(cls, thing: Timed) -> "Timing":
        return cls(thing.schedule, tuple(thing.days), tuple(thing.times), thing.time_zone)

    def apply(self, thing: Timed) -> None:
        thing.schedule = self.schedule
        thing.days = list(self.days)
        thing.times = list(self.times)
        thing.time_zone = self.time_zone

    def described(self) -> dict[str, Any]:
        if self.schedule != Timed.Schedule.OWN:
            return {"schedule": str(self.schedule)}
        return {
            "schedule": str(self.schedule),
            "days": list(self.days),
            "times": [f"{at:%H:%M}" for at in self.times],
            "time_zone": self.time_zone,
        }

    def upcoming(self) -> list[datetime]:
        """The next few moments of a schedule of its own."""
        if self.schedule != Timed.Schedule.OWN:
            return []
        moments = occurrences(self.days, self.times, self.time_zone, timezone.now())
        return list(islice(moments, UPCOMING))


def workspace_refreshes_at(workspace: Workspace) -> datetime | None:
    """When the next scheduled refresh starts; None while the workspace's schedule is off."""
    schedule = selectors.schedule.first(of=workspace.pk)
    return schedule.next_run_at if schedule and schedule.enabled else None


def start_due(
    model: type[Timed],
    now: datetime,
    next_time: Callable[[Any, datetime], datetime | None],
    start: Callable[[Any], None],
) -> None:
    """Starts every object whose own time has come, once, however many times were missed.

    While its workspace refreshes it waits for that: what it works on is being made. `start` is
    called in a transaction, with the object locked.
    """
    objects: Any = model._default_manager
    far_ahead.mend_schedules(model, Q(schedule=Timed.Schedule.OWN), now)
    with across_workspaces():
        workspaces = list(
            Workspace.objects.filter(
                pk__in=_due(objects, now).values("workspace_id"), delete_at__isnull=True
            )
        )
    for workspace in workspaces:
        with scope(workspace=workspace):
            if Refresh.objects.filter(state__in=Refresh.ACTIVE).exists():
                continue
            for pk in list(_due(objects, now).values_list("pk", flat=True)):
                with transaction.atomic():
                    due = _due(objects, now).select_for_update(skip_locked=True, of=("self",))
                    thing = due.filter(pk=pk).first()
                    if thing is not None:
                        thing.next_run_at = next_time(thing, now)
                        thing.save(update_fields=["next_run_at"])
                        start(thing)


def _due(objects: Any, now: datetime) -> Any:
    return objects.filter(schedule=Timed.Schedule.OWN, next_run_at__lte=now)
