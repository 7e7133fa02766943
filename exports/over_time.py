"""Runs over the weeks and requests over the days, as pictures with their figures."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, DateField, DateTimeField, F, Func, QuerySet, Sum, Value
from django.db.models.functions import Cast
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from config.kept_queries import KeptQuery
from exports.account import LEFT_OUT
from exports.models import Destination, Run
from workspaces.charts import BarChart, Series, bar_chart
from workspaces.written import duration, in_short, number

WEEKS = 12
DAYS = 14
MINUTE = 60


def volumes_and_durations(destination: Destination) -> tuple[BarChart | None, BarChart | None]:
    """What the export's runs of each of the last weeks sent, left out and took on average."""
    monday = _today() - timedelta(days=timezone.localtime().weekday())
    weeks = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    of_weeks = _of_weeks(
        destination=destination.pk,
        since=_midnight(weeks[0]),
        zone=timezone.get_current_timezone_name(),
    )
    found = {row["week"]: row for row in of_weeks}
    rows: list[Any] = [found.get(week, {}) for week in weeks]
    labels = [formats.date_format(week, "SHORT_DATE_FORMAT") for week in weeks]
    volumes = bar_chart(
        labels,
        [
            Series(_("Sent"), "good", [row.get("all_sent", 0) for row in rows]),
            Series(_("Unchanged"), "idle", [row.get("all_unchanged", 0) for row in rows]),
            Series(_("Not sent"), "warn", [row.get("not_sent", 0) for row in rows]),
        ],
        lambda value: number(round(value)),
        on_scale=lambda value: in_short(round(value)),
    )
    seconds = [took.total_seconds() if (took := row.get("average")) else 0.0 for row in rows]
    unit = MINUTE if max(seconds) > MINUTE else 1
    average = Series(_("Average"), "busy", seconds, in_file=_("Average in seconds"))
    durations = bar_chart(labels, [average], duration, unit)
    return volumes, durations


def requests_of_days() -> list[tuple[date, int]]:
    """How much the workspace's runs asked of Constant Contact on each of the last days."""
    days = [_today() - timedelta(days=back) for back in reversed(range(DAYS))]
    zone = timezone.get_current_timezone_name()
    found = dict(_of_days(since=_midnight(days[0]), zone=zone))
    return [(day, found.get(day, 0)) for day in days]


def requests_by_day() -> BarChart | None:
    days = requests_of_days()
    return bar_chart(
        [formats.date_format(day, "SHORT_DATE_FORMAT") for day, _made in days],
        [Series(_("Requests"), "busy", [made for _day, made in days])],
        lambda value: number(round(value)),
        on_scale=lambda value: in_short(round(value)),
    )


@KeptQuery
def _of_weeks(destination: Any, since: Any, zone: Any) -> QuerySet[Run, Any]:
    left_out = sum((F(fate) for fate in LEFT_OUT[1:]), F(LEFT_OUT[0]))
    monday = Func(Value("week"), _local("finished_at", zone), function="date_trunc")
    runs = Run.objects.filter(
        destination=destination, dry_run=False, finished_at__gte=since, planned_at__isnull=False
    )
    weeks = runs.annotate(week=Cast(monday, DateField())).values("week")
    return weeks.annotate(
        all_sent=Sum(F("added") + F("changed")),
        all_unchanged=Sum("unchanged"),
        not_sent=Sum(left_out),
        average=Avg(F("finished_at") - F("started_at")),
    ).order_by()


@KeptQuery
def _of_days(since: Any, zone: Any) -> QuerySet[Run, tuple[date, int]]:
    runs = Run.objects.filter(created_at__gte=since)
    days = runs.annotate(day=Cast(_local("created_at", zone), DateField())).values_list("day")
    return days.annotate(requests=Sum("requests")).order_by()


def _local(moment: str, zone: Any) -> Func:
    """A column's moment as a clock in the zone showed it."""
    return Func(zone, F(moment), function="timezone", output_field=DateTimeField())


def _today() -> date:
    return timezone.localdate()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
