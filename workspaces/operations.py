"""What operators look at: queues, workers, the scheduler, and what stands still in workspaces.

Of workspaces nothing but addresses and numbers: operators are no members.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config import heartbeat, queues
from config.celery import app
from config.row_security import across_workspaces
from workspaces.execution import is_in_hand
from workspaces.models import Refresh

# A sweeper takes up what lost its worker after about a minute.
STUCK_AFTER = timedelta(minutes=15)
# What waits longer is more than its workers can do.
LONGEST_WAIT_SECONDS = 600
ASK_SECONDS = 1.0


@dataclass(frozen=True)
class Stuck:
    """Something that no worker takes on, and what to do about it."""

    kind: Promise
    workspace: str
    number: int
    since: datetime
    advice: Promise


@dataclass(frozen=True)
class Queue:
    name: str
    waiting: int
    oldest_seconds: float
    workers: int

    @property
    def is_well(self) -> bool:
        return self.workers > 0 and self.oldest_seconds < LONGEST_WAIT_SECONDS


@dataclass(frozen=True)
class Worker:
    name: str
    queues: tuple[str, ...]
    busy_with: tuple[str, ...]


@dataclass(frozen=True)
class System:
    """`beat` is when scheduler and a worker last were seen working together."""

    queues: list[Queue]
    workers: list[Worker]
    beat: datetime | None
    stuck: list[Stuck] = field(default_factory=list)

    @property
    def beat_is_late(self) -> bool:
        return self.beat is None or timezone.now() - self.beat > heartbeat.MISSED_AFTER

    @property
    def is_well(self) -> bool:
        waits = any(not queue.is_well for queue in self.queues)
        return not (waits or self.stuck or self.beat_is_late)


Finder = Callable[[datetime], Iterable[Stuck]]

_finders: list[Finder] = []


def add(finder: Finder) -> None:
    """Adds a function that tells what has stood still since before a moment, in all workspaces."""
    _finders.append(finder)


def look() -> System:
    """Takes about a second: workers are asked, and whoever has not answered by then is missing."""
    workers = _workers()
    found = [
        Queue(name, count, seconds, sum(name in one.queues for one in workers))
        for name, (count, seconds) in queues.waiting().items()
    ]
    longest = timezone.now() - STUCK_AFTER
    with across_workspaces():
        stuck = [one for finder in _finders for one in finder(longest)]
    return System(found, workers, heartbeat.last_beat(), sorted(stuck, key=lambda one: one.since))


def _workers() -> list[Worker]:
    asked = app.control.inspect(timeout=ASK_SECONDS)
    serving = asked.active_queues() or {}
    active = (asked.active() or {}) if serving else {}
    return [
        Worker(
            name,
            tuple(sorted(queue["name"] for queue in found)),
            tuple(sorted(task["name"] for task in active.get(name, []))),
        )
        for name, found in sorted(serving.items())
    ]


def stuck_refreshes(longest: datetime) -> Iterable[Stuck]:
    for refresh in Refresh.objects.filter(
        state__in=Refresh.ACTIVE, created_at__lt=longest
    ).select_related("workspace"):
        if not is_in_hand(refresh.pk):
            yield Stuck(
                _("Refresh"),
                refresh.workspace.slug,
                refresh.pk,
                refresh.started_at or refresh.created_at,
                _(
                    "It is handed to the workers of “default” again every minute. If it stays"
                    " here, none of them lives, or it ends them: look for “task” and its number in"
                    " their log lines."
                ),
            )
