"""Celery's part in imports, changes of attributes and refreshes of segments."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone
from django_scopes import scope

from config.row_security import across_workspaces
from segments import erased, erasures, kept_files, uploads
from segments.attribute_changes import AttributeBusy, run_change
from segments.imports import SourceBusy, run_import
from segments.membership import SegmentBusy, SegmentRests
from segments.models import AttributeChange, Erasure, ErasureSecret, Import, Segment, Upload
from segments.refreshing import refresh_with_dependents
from workspaces import locks
from workspaces.models import Workspace
from workspaces.silence import silent
from workspaces.work import working_for

AGAIN_SECONDS = 2
SILENCE = timedelta(seconds=60)


@shared_task
def renew_erasure_secrets() -> None:
    """Lets go of encryption keys that are no longer in use."""
    for workspace in Workspace.objects.all():
        with scope(workspace=workspace):
            for secret in ErasureSecret.objects.all():
                erased.renew_secret(secret)


@shared_task
def run_import_task(workspace_id: int, import_id: int) -> None:
    with working_for(workspace_id):
        load = Import.objects.select_related("source").filter(pk=import_id).first()
        if load is None:
            return
        try:
            run_import(load)
        except Import.DoesNotExist:
            return
        except SourceBusy:
            run_import_task.apply_async((workspace_id, import_id), countdown=AGAIN_SECONDS)


@shared_task
def change_attribute_task(workspace_id: int, change_id: int) -> None:
    with working_for(workspace_id):
        change = AttributeChange.objects.filter(pk=change_id).first()
        if change is None:
            return
        try:
            run_change(change)
        except AttributeBusy:
            AttributeChange.objects.filter(pk=change_id).update(heartbeat_at=timezone.now())
            change_attribute_task.apply_async((workspace_id, change_id), countdown=AGAIN_SECONDS)


@shared_task
def refresh_segment_task(workspace_id: int, segment_id: int) -> None:
    with working_for(workspace_id):
        segment = Segment.objects.filter(pk=segment_id).first()
        if segment is None:
            return
        try:
            refresh_with_dependents(segment)
        except (Segment.DoesNotExist, SegmentRests):
            return
        except SegmentBusy:
            refresh_segment_task.apply_async((workspace_id, segment_id), countdown=AGAIN_SECONDS)


@shared_task
def finish_erasure_task(workspace_id: int, erasure_id: int) -> None:
    with working_for(workspace_id, while_closing=True):
        erasures.carry_on(Erasure.objects.get(pk=erasure_id))


@shared_task
def examine_upload_task(workspace_id: int, upload_id: int) -> None:
    with working_for(workspace_id):
        upload = Upload.objects.select_related("workspace").filter(pk=upload_id).first()
        if upload is not None:
            uploads.examine(upload)


@shared_task
def clear_old_uploads() -> None:
    uploads.clear_old()


@shared_task
def clear_old_files() -> None:
    kept_files.clear()


@shared_task
def sweep() -> None:
    """Takes up imports, examinations, changes, refreshes and erasures that lost their worker."""
    now = timezone.now()
    for workspace_id, upload_id in uploads.lost():
        examine_upload_task.delay(workspace_id, upload_id)
    with across_workspaces():
        begun = Erasure.objects.filter(silent("asked_at", now, SILENCE), finished_at__isnull=True)
        erasures_begun = list(begun.values_list("workspace_id", "pk"))
        lost = Import.objects.filter(
            silent("heartbeat_at", now, SILENCE),
            state__in=[Import.State.QUEUED, Import.State.RUNNING],
        )
        imports = list(lost.values_list("workspace_id", "pk", "source_id"))
        stopped = AttributeChange.objects.filter(
            silent("heartbeat_at", now, SILENCE),
            state__in=AttributeChange.UNFINISHED,
            attribute__isnull=False,
        )
        changes = list(stopped.values_list("workspace_id", "pk", "attribute_id"))
        waiting = Segment.objects.filter(
            silent("refresh_requested_at", now, SILENCE),
            refresh_state__in=[Segment.RefreshState.QUEUED, Segment.RefreshState.RUNNING],
        )
        segments = list(waiting.values_list("workspace_id", "pk"))
    for workspace_id, erasure_id in erasures_begun:
        finish_erasure_task.delay(workspace_id, erasure_id)
    for workspace_id, import_id, source_id in imports:
        with scope(workspace=workspace_id), locks.held(locks.SOURCE, source_id) as is_lost:
            if is_lost:
                Import.objects.filter(pk=import_id).update(heartbeat_at=timezone.now())
                run_import_task.delay(workspace_id, import_id)
    for workspace_id, change_id, attribute_id in changes:
        with scope(workspace=workspace_id), locks.held(locks.ATTRIBUTE, attribute_id) as is_lost:
            if is_lost:
                AttributeChange.objects.filter(pk=change_id).update(heartbeat_at=timezone.now())
                change_attribute_task.delay(workspace_id, change_id)
    for workspace_id, segment_id in segments:
        with scope(workspace=workspace_id), locks.held(locks.SEGMENT, segment_id) as is_lost:
            if is_lost:
                Segment.objects.filter(pk=segment_id).update(refresh_requested_at=timezone.now())
                # What is still not begun by the next look is handed over again by that.
                refresh_segment_task.apply_async(
                    (workspace_id, segment_id), expires=SILENCE.total_seconds()
                )
