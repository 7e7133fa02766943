"""Runs over the weeks and requests over the days, as pictures with their figures."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, F, Sum
from django.db.models.functions import TruncDate, TruncWeek
from django.utils import formats, timezone
from django.utils.translation import gettext as _

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
    runs = Run.objects.filter(
        destination=destination,
        dry_run=False,
        finished_at__gte=_midnight(weeks[0]),
        planned_at__isnull=False,
    )
    left_out = sum((F(fate) for fate in LEFT_OUT[1:]), F(LEFT_OUT[0]))
    found = {
        timezone.localtime(row["week"]).date(): row
        for row in runs.annotate(week=TruncWeek("finished_at"))
        .values("week")
        .annotate(
            all_sent=Sum(F("added") + F("changed")),
            all_unchanged=Sum("unchanged"),
            not_sent=Sum(left_out),
            average=Avg(F("finished_at") - F("started_at")),
        )
        .order_by()
    }
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
    runs = Run.objects.filter(created_at__gte=_midnight(days[0]))
    found = dict(
        runs.annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(requests=Sum("requests"))
        .order_by()
    )
    return [(day, found.get(day, 0)) for day in days]


def requests_by_day() -> BarChart | None:
    days = requests_of_days()
    return bar_chart(
        [formats.date_format(day, "SHORT_DATE_FORMAT") for day, _made in days],
        [Series(_("Requests"), "busy", [made for _day, made in days])],
        lambda value: number(round(value)),
        on_scale=lambda value: in_short(round(value)),
    )


def _today() -> date:
    return timezone.localdate()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
