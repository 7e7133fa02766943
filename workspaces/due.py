"""One tick of the scheduler: what is due starts, once, however many schedulers tick."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_scopes import scope

from config.row_security import across_workspaces
from workspaces import execution, far_ahead, scheduling, services
from workspaces.models import Refresh, Schedule, Workspace


def start_due(now: datetime | None = None) -> None:
    """Starts the refreshes and whatever else is due, and resumes those left behind.

    What was missed while nothing ran starts once.
    """
    now = now or timezone.now()
    far_ahead.mend_schedules(Schedule, Q(enabled=True), now)
    with across_workspaces():
        due = Schedule.objects.filter(
            enabled=True, next_run_at__lte=now, workspace__delete_at__isnull=True
        )
        workspaces = [schedule.workspace for schedule in due.select_related("workspace")]
    for workspace in workspaces:
        _start_due_refresh(workspace, now)
    execution.resume_lost_refreshes(now)
    scheduling.run_due_hooks(now)


def _start_due_refresh(workspace: Workspace, now: datetime) -> None:
    """Starts the workspace's refresh, unless another scheduler has it or one is still active.

    A refresh that falls due while another runs starts when that one has ended.
    """
    with scope(workspace=workspace), transaction.atomic():
        schedule = (
            Schedule.objects.select_for_update(skip_locked=True)
            .filter(enabled=True, next_run_at__lte=now)
            .first()
        )
        if schedule is None:
            return
        try:
            services.start_refresh(
                workspace, trigger=Refresh.Trigger.SCHEDULE, due_at=schedule.next_run_at
            )
        except services.RefreshActive:
            return
        schedule.next_run_at = scheduling.next_occurrence(
            schedule.days, schedule.due_times, schedule.time_zone, now
        )
        schedule.save(update_fields=["next_run_at"])
