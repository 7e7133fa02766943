"""Deletes a workspace whose grace period is over: rows, files, keys in Redis, audit log.

Table by table, each in its own transaction, so that a worker that dies is followed by one that goes
on; the workspace's own row goes last, with whatever was written meanwhile. An hour later it is
looked at once more, for what a worker still had in its hands.
"""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from django_scopes import scope

from config.celery import app
from workspaces import cached, locks
from workspaces.leaving.models import DeletedWorkspace
from workspaces.leaving.tables import tenant_models
from workspaces.models import AuditEntry, AuditLink, Workspace

SWEPT_AFTER = timedelta(hours=1)
HANDED_OUT_SECONDS = 20
# Only a function of the database deletes it.
LOG = (AuditEntry, AuditLink)


def delete_due(now: datetime) -> None:
    """Hands out the workspaces that are to be deleted, or looked at once more."""
    ended = Workspace.objects.filter(delete_at__lte=now).values_list("pk", flat=True)
    gone = DeletedWorkspace.objects.filter(swept_at=None, deleted_at__lt=now - SWEPT_AFTER)
    for number in [*ended, *gone.values_list("number", flat=True)]:
        app.send_task(
            "workspaces.tasks.delete_workspace",
            args=[number],
            expires=HANDED_OUT_SECONDS,
        )


def delete(workspace_id: int) -> None:
    """Does it from wherever it is; nothing if it is not to be done now, or in other hands."""
    with (
        scope(workspace=workspace_id),
        locks.held(locks.WORKSPACE, workspace_id) as free,
    ):
        if not free:
            return
        gone = DeletedWorkspace.objects.filter(number=workspace_id, swept_at=None).first()
        if gone is not None:
            gone.rows += _delete_rows(workspace_id)
            gone.files += _delete_outside(workspace_id)
            gone.swept_at = timezone.now()
            gone.save()
        elif Workspace.objects.filter(pk=workspace_id, delete_at__lte=timezone.now()).exists():
            _delete(workspace_id)


def _delete(workspace_id: int) -> None:
    rows = _delete_rows(workspace_id)
    files = _delete_outside(workspace_id)
    with transaction.atomic(), connection.cursor() as cursor:
        # From here on nobody adds a row that refers to it.
        workspace = Workspace.objects.select_for_update().filter(pk=workspace_id).get()
        rows += _delete_rows(workspace_id)
        cursor.execute("SELECT * FROM workspaces_delete_audit(%s)", [workspace.pk])
        entries, head = cursor.fetchone()
        cursor.execute("DELETE FROM workspaces_workspace WHERE id = %s", [workspace.pk])
        DeletedWorkspace.objects.create(
            number=workspace_id,
            rows=rows,
            files=files,
            audit_entries=entries,
            audit_head=head or "",
        )


def _delete_rows(workspace_id: int) -> int:
    return sum(_delete_from(model, workspace_id) for model in tenant_models() if model not in LOG)


def _delete_from(model: type[models.Model], workspace_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE workspace_id = %s",  # noqa: S608 - our tables
            [workspace_id],
        )
        return int(cursor.rowcount)


def _delete_outside(workspace_id: int) -> int:
    """What lies on disk and in Redis; returns how many files."""
    directory = Path(settings.UPLOAD_DIR) / str(workspace_id)
    files = sum(1 for path in directory.rglob("*") if path.is_file())
    shutil.rmtree(directory, ignore_errors=True)
    cached.forget(workspace_id)
    return files
