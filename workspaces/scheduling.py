"""When things are due: local times on days of the week, daylight saving included.

Apps above add a hook for what they schedule themselves; it is called at every tick of the
scheduler.
"""

import logging
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

logger = logging.getLogger(__name__)

DueHook = Callable[[datetime], None]

_hooks: list[DueHook] = []


def add_due_hook(hook: DueHook) -> None:
    """Adds a function of the moment, called outside any scope; it starts what is due by then."""
    _hooks.append(hook)


def next_occurrence(
    days: Iterable[int], times: Iterable[time], time_zone: str, after: datetime
) -> datetime | None:
    """The first due moment after `after`, in UTC; None without days or times.

    Days are ISO week days, times local. A time that the clocks skip is due at the first moment
    after the gap, a time that they repeat is due once, the first time.
    """
    return next(occurrences(days, times, time_zone, after), None)


def occurrences(
    days: Iterable[int], times: Iterable[time], time_zone: str, after: datetime
) -> Iterator[datetime]:
    """The due moments after `after`, in UTC, in order, without end."""
    wanted_days, wanted_times = set(days), set(times)
    if not wanted_days or not wanted_times:
        return
    zone = zoneinfo.ZoneInfo(time_zone)
    last = after
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        if day.isoweekday() in wanted_days:
            for moment in sorted({_moment(day, at, zone) for at in wanted_times}):
                if moment > last:
                    yield moment
                    last = moment
        day += timedelta(days=1)


def _moment(day: date, at: time, zone: zoneinfo.ZoneInfo) -> datetime:
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _end_of_gap(local, zone)


def _end_of_gap(local: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """The moment at which the clocks jumped over `local`, found by halving."""
    before = local.replace(fold=1).astimezone(UTC)
    after = local.replace(fold=0).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def run_due_hooks(now: datetime) -> None:
    """Calls every hook; one that fails is logged and tried again at the next tick."""
    for hook in _hooks:
        try:
            hook(now)
        except Exception:
            logger.exception("A hook for due work failed; the next tick tries again.")
