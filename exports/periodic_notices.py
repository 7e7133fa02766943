"""Tells of what no single run tells: the day's requests nearly spent, the week's sum."""

from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.urls import reverse
from django_scopes import scope

from connections.access import todays_budget
from connections.models import Connection
from exports.models import Run
from exports.notices import WELL
from workspaces.models import Workspace
from workspaces.notices import telling
from workspaces.notices.models import Notice, Trouble
from workspaces.sentences import gettext as _

BUDGET, SUMMARY = "budget", "weekly_summary"
NEARLY_SPENT_PERCENT = 90
MONDAY = 1
SUMMARY_HOUR = 8


def tell_due(now: datetime) -> None:
    """At every tick of the scheduler; each is told once."""
    budget = todays_budget()
    spent = budget is not None and budget.used * 100 >= NEARLY_SPENT_PERCENT * budget.limit
    for workspace in Workspace.objects.all():
        monday = _is_summary_time(workspace, now)
        if not spent and not monday:
            continue
        with scope(workspace=workspace):
            if spent and budget is not None:
                _tell_of_budget(workspace, budget.used, budget.limit, now)
            if monday:
                _tell_of_week(workspace, now)


def _is_summary_time(workspace: Workspace, now: datetime) -> bool:
    local = now.astimezone(workspace.tzinfo)
    return local.isoweekday() == MONDAY and local.hour >= SUMMARY_HOUR


def _tell_of_budget(workspace: Workspace, used: int, limit: int, now: datetime) -> None:
    """Tomorrow it is whole again by itself: nobody is told of that."""
    if not Connection.objects.filter(state=Connection.State.ACTIVE).exists():
        return
    subject = f"day:{now.astimezone(UTC):%Y-%m-%d}"
    if _was_told(BUDGET, subject):
        return
    counts = {"used": used, "limit": limit}
    said = _(
        "%(used)s of today’s %(limit)s requests to Constant Contact are used. When they are spent,"
        " runs wait until midnight UTC and then go on by themselves."
    )
    text = said % counts
    path = reverse("exports:destination_list", args=[workspace.slug])
    telling.begins(workspace, BUDGET, subject, text, path, tone=Notice.Tone.WARN, data=counts)


def _tell_of_week(workspace: Workspace, now: datetime) -> None:
    """The seven days before this Monday; a week without runs is not worth a word."""
    end = now.astimezone(workspace.tzinfo).replace(hour=0, minute=0, second=0, microsecond=0)
    subject = f"week:{end:%G-W%V}"
    if _was_told(SUMMARY, subject):
        return
    week = Run.objects.filter(
        dry_run=False, finished_at__gte=end - timedelta(days=7), finished_at__lt=end
    ).aggregate(
        runs=Count("pk"),
        well=Count("pk", filter=Q(state__in=WELL)),
        failed=Count("pk", filter=Q(state=Run.State.FAILED)),
        sent=Sum(F("added") + F("changed"), default=0),
        removed=Sum("removed", default=0),
        rejected=Sum("rejected", default=0),
    )
    if not week["runs"]:
        return
    counts = {name: int(count) for name, count in week.items()}
    said = _(
        "Last week: runs that went well: %(well)s, failed: %(failed)s. Profiles sent: %(sent)s,"
        " taken off lists: %(removed)s, rejected: %(rejected)s."
    )
    text = said % counts
    path = reverse("workspaces:home", args=[workspace.slug])
    telling.once(workspace, SUMMARY, subject, text, path, data=counts)


def _was_told(topic: str, subject: str) -> bool:
    return Trouble.objects.filter(topic=topic, subject=subject).exists()
