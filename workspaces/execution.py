"""Executes refreshes: step after step, once at a time, to an end even when workers die.

Whoever executes a refresh holds an advisory lock of its database session, which PostgreSQL frees
when the worker or its connection is gone: no lock, no worker.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from django_scopes import scope

from config.celery import app
from config.row_security import across_workspaces
from workspaces import audit, refresh_steps
from workspaces.models import Refresh, Workspace
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _
from workspaces.silence import silent

LOCK_CLASS = 0x5E60
MOST_ATTEMPTS = 5
PATIENCE = timedelta(seconds=60)


def send_to_worker(refresh: Refresh, *, expires: timedelta | None = None) -> None:
    app.send_task(
        "workspaces.tasks.run_refresh",
        args=[refresh.workspace_id, refresh.pk],
        expires=expires.total_seconds() if expires else None,
    )


def run_refresh(workspace_id: int, refresh_id: int) -> Refresh | None:
    """Executes the refresh in this process, from the first step that has not ended.

    Returns it when it has ended, or None when another process has it in hand.
    """
    workspace = Workspace.objects.get(pk=workspace_id)
    with scope(workspace=workspace), _in_hand(refresh_id) as mine:
        if not mine:
            return None
        refresh = Refresh.objects.get(pk=refresh_id)
        if refresh.is_active:
            _begin(refresh)
            _execute(refresh)
        return refresh


def resume_lost_refreshes(now: datetime) -> None:
    """Hands refreshes that no worker seems to have to the workers again."""
    with across_workspaces():
        unfinished = Refresh.objects.filter(
            silent("created_at", now, PATIENCE),
            state__in=Refresh.ACTIVE,
            workspace__delete_at__isnull=True,
        )
        for refresh in unfinished:
            if not is_in_hand(refresh.pk):
                send_to_worker(refresh, expires=PATIENCE)


@contextmanager
def _in_hand(refresh_id: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, _key(refresh_id)])
        (mine,) = cursor.fetchone()
    try:
        yield mine
    finally:
        if mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, _key(refresh_id)])


def is_in_hand(refresh_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
            " AND classid = %s AND objid = %s AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [LOCK_CLASS, _key(refresh_id)],
        )
        return bool(cursor.fetchone()[0])


def _key(refresh_id: int) -> int:
    return refresh_id % 2**31


def _begin(refresh: Refresh) -> None:
    refresh.state = Refresh.State.RUNNING
    refresh.started_at = refresh.started_at or timezone.now()
    refresh.attempts += 1
    refresh.save(update_fields=["state", "started_at", "attempts"])


def _execute(refresh: Refresh) -> None:
    if refresh.attempts > MOST_ATTEMPTS:
        _end(
            refresh,
            _(
                "The process doing the work stopped %(times)d times. The operator’s log says why;"
                " start the refresh again once it is solved."
            )
            % {"times": MOST_ATTEMPTS},
        )
        return
    if refresh.planned_at is None:
        refresh_steps.write(refresh)
    try:
        refresh_steps.carry_out_all(refresh)
    except refresh_steps.Closing:
        return
    _end(refresh, refresh_steps.outcome(refresh))


def _end(refresh: Refresh, reason: Sentence | None) -> None:
    refresh.state = Refresh.State.FAILED if reason else Refresh.State.SUCCEEDED
    refresh.reason = reason or ""
    refresh.finished_at = timezone.now()
    refresh.save(update_fields=["state", "reason", "finished_at"])
    audit.record(
        refresh.workspace,
        f"refresh.{refresh.state}",
        target=refresh,
        reason=reason.kept() if reason else "",
    )
