"""What can be done with a workspace: making it, its schedule, starting its refreshes."""

from collections.abc import Iterable
from datetime import datetime, time

from django import forms
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django_scopes import scope

from config.handing_over import after_commit
from workspaces import audit, execution, refresh_steps, scheduling, selectors
from workspaces.models import (
    Membership,
    Refresh,
    RefreshStep,
    Role,
    Schedule,
    User,
    Workspace,
)


class RefreshActive(Exception):
    """A refresh of the workspace is queued or running; the message is for people."""


class WorkspaceClosing(RefreshActive):
    """The workspace is to be deleted; the message is for people."""


class RefreshOver(Exception):
    """Nothing of this refresh can be done again; the message is for people."""


def create_workspace(name: str, *, administrator: User, time_zone: str = "UTC") -> Workspace:
    """A workspace with its first Administrator and a schedule that is off."""
    with transaction.atomic():
        workspace = _with_free_slug(name, time_zone)
        with scope(workspace=workspace):
            Membership.objects.create(
                workspace=workspace, user=administrator, role=Role.ADMINISTRATOR
            )
            schedule_of(workspace)
            audit.record(workspace, "workspace.created", actor=administrator, target=workspace)
    return workspace


def _with_free_slug(name: str, time_zone: str) -> Workspace:
    base = slugify(name)[:50] or "workspace"
    slug, number = base, 1
    while True:
        try:
            with transaction.atomic():
                return Workspace.objects.create(name=name, slug=slug, time_zone=time_zone)
        except IntegrityError:
            number += 1
            slug = f"{base}-{number}"


def save_settings(form: forms.ModelForm, *, by: User | None) -> None:
    """Keeps what a form of the workspace's settings says that is valid."""
    with transaction.atomic():
        workspace = form.save()
        audit.record(
            workspace,
            "workspace.changed",
            actor=by,
            target=workspace,
            changes=audit.changes(form),
        )


def save_rejected_share(workspace: Workspace, percent: int, *, by: User | None) -> None:
    """Sets above which share of rejected profiles members are told of a run."""
    with transaction.atomic():
        workspace.rejected_share = percent
        workspace.save(update_fields=["rejected_share"])
        audit.record(
            workspace, "notices.share_changed", actor=by, target=workspace, percent=percent
        )


def schedule_of(workspace: Workspace) -> Schedule:
    """The workspace's schedule; made on first use: every day at six, but off."""
    if known := selectors.schedule.first(of=workspace.pk):
        return known
    schedule, _made = Schedule.objects.get_or_create(
        workspace=workspace,
        defaults={
            "days": [1, 2, 3, 4, 5, 6, 7],
            "times": [time(6, 0)],
            "time_zone": workspace.time_zone,
        },
    )
    return schedule


def save_schedule(
    workspace: Workspace,
    *,
    enabled: bool,
    days: Iterable[int],
    times: Iterable[time],
    time_zone: str,
    every_hours: int = 0,
    by: User | None,
) -> Schedule:
    """Sets when the workspace refreshes, from now on: what fell due before is forgotten."""
    with transaction.atomic():
        schedule_of(workspace)
        schedule = Schedule.objects.select_for_update(of=("self",)).get()
        schedule.enabled = enabled
        schedule.days = sorted(set(days))
        schedule.times = sorted(set(times)) or schedule.times
        schedule.every_hours = every_hours
        schedule.time_zone = time_zone
        schedule.next_run_at = None
        if enabled:
            schedule.next_run_at = scheduling.next_occurrence(
                schedule.days, schedule.due_times, time_zone, timezone.now()
            )
        schedule.save()
        audit.record(
            workspace,
            "schedule.changed",
            actor=by,
            enabled=enabled,
            days=schedule.days,
            times=[f"{at:%H:%M}" for at in schedule.due_times],
            time_zone=time_zone,
        )
    return schedule


def start_refresh(
    workspace: Workspace,
    *,
    trigger: str,
    by: User | None = None,
    due_at: datetime | None = None,
    in_worker: bool = True,
) -> Refresh:
    """Queues a refresh and hands it to a worker, or leaves its execution to the caller.

    Raises RefreshActive while another one of the workspace has not ended, and WorkspaceClosing.
    """
    if Workspace.objects.filter(pk=workspace.pk, delete_at__isnull=False).exists():
        raise WorkspaceClosing(_("This workspace is to be deleted: nothing starts in it."))
    try:
        with transaction.atomic():
            refresh = Refresh.objects.create(
                workspace=workspace, trigger=trigger, started_by=by, due_at=due_at
            )
            audit.record(
                workspace, "refresh.started", actor=by, target=refresh, trigger=str(trigger)
            )
    except IntegrityError as error:
        if "one_refresh_at_a_time" not in str(error):
            raise
        raise RefreshActive(
            _("A refresh is already under way. Wait for it to end, then start another.")
        ) from None
    if in_worker:
        after_commit(lambda: execution.send_to_worker(refresh))
    return refresh


def retry_refresh(refresh: Refresh, *, step: RefreshStep | None = None, by: User | None) -> None:
    """Does again what did not succeed: one failed step with what was skipped for it, or all.

    Raises RefreshActive while a refresh is under way, and RefreshOver for one that a later one has
    followed or that has nothing to do again.
    """
    with transaction.atomic():
        refresh = Refresh.objects.select_for_update(of=("self",)).get(pk=refresh.pk)
        if Refresh.objects.filter(state__in=Refresh.ACTIVE).exists():
            raise RefreshActive(
                _("A refresh is already under way. Wait for it to end, then try again.")
            )
        again = refresh_steps.to_try_again(refresh, step)
        if not again or Refresh.objects.filter(created_at__gt=refresh.created_at).exists():
            raise RefreshOver(_("There is nothing to do again here. Start a new refresh instead."))
        RefreshStep.objects.filter(pk__in=[one.pk for one in again]).update(
            state=RefreshStep.State.WAITING,
            reason="",
            counts={},
            started_at=None,
            finished_at=None,
        )
        refresh.state, refresh.reason = Refresh.State.QUEUED, ""
        # Its day is that of what is done now: relative dates start from it.
        refresh.started_at = refresh.finished_at = None
        refresh.attempts = 0
        try:
            with transaction.atomic():
                refresh.save(
                    update_fields=["state", "reason", "started_at", "finished_at", "attempts"]
                )
        except IntegrityError:
            raise RefreshActive(
                _("A refresh is already under way. Wait for it to end, then try again.")
            ) from None
        audit.record(
            refresh.workspace, "refresh.retried", actor=by, target=refresh, steps=len(again)
        )
    after_commit(lambda: execution.send_to_worker(refresh))
