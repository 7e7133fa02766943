"""Uploads: files that come in chunks, in whatever order and however often these are sent.

The server alone decides where a file goes on. A chunk is written down beside the file while it
arrives, and becomes part of it in a moment, under the lock of the upload's row, if the file still
ends where the chunk begins.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone, translation
from django.utils.translation import get_language
from django_scopes import scope

from config.row_security import across_workspaces
from segments import drafts, imports, kept_files, sources
from segments.contents import LOOKED_AT, refuse_other_kinds
from segments.encodings import UnreadableFile
from segments.formats import is_text
from segments.imports import MAX_ATTEMPTS
from segments.models import Source, Upload
from segments.sources import LONGEST_NAME, Refused
from segments.upload_files import (
    NoRoom,
    Part,
    clean_name,
    directory_of,
    disk_full_told,
    file_of,
    free_bytes,
    old_directories,
    remove,
    remove_old_scratch,
    source_name_of,
)
from workspaces import audit, locks
from workspaces.models import User, Workspace
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _
from workspaces.silence import silent

MOST_CHUNK_BYTES = 16 * 1024 * 1024
MOST_UNFINISHED = 10
KEPT = timedelta(days=1)
SILENCE = timedelta(seconds=60)
# Text of this size is examined while the browser waits: that takes less than a worker's turn.
AT_ONCE_BYTES = 4_000_000


class Elsewhere(Exception):
    """The file does not go on where the chunk begins, but at `offset`."""

    def __init__(self, offset: int) -> None:
        self.offset = offset


class Damaged(Exception):
    """What arrived is not what was sent."""


def begin(
    workspace: Workspace,
    *,
    file_name: str,
    file_bytes: int,
    by: User,
    source: Source | None,
    source_name: str = "",
    fingerprint: str = "",
) -> Upload:
    """A new upload, or the member's unfinished one of the same file. Raises `Refused`."""
    name = clean_name(file_name)
    with transaction.atomic():
        # One at a time counts what is unfinished.
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        unfinished = Upload.objects.filter(state=Upload.State.RECEIVING)
        known = unfinished.filter(
            source=source,
            started_by=by,
            file_name=name,
            file_bytes=file_bytes,
            fingerprint=fingerprint,
        ).first()
        if known and fingerprint:
            known.source_name, known.heartbeat_at = source_name, timezone.now()
            known.save(update_fields=["source_name", "heartbeat_at"])
            return known
        if unfinished.count() >= MOST_UNFINISHED:
            raise Refused(
                _("%(count)d uploads are unfinished. Go on with one of them, or discard it.")
                % {"count": MOST_UNFINISHED}
            )
        _ensure_room(file_bytes)
        return Upload.objects.create(
            workspace=workspace,
            source=source,
            source_name=source_name,
            file_name=name,
            file_bytes=file_bytes,
            fingerprint=fingerprint,
            started_by=by,
            language=get_language() or "",
        )


def _ensure_room(file_bytes: int) -> None:
    """Counts what other uploads, of whatever workspace, have still to bring."""
    with across_workspaces():
        promised = Upload.objects.filter(state=Upload.State.RECEIVING).aggregate(
            bytes=Sum(F("file_bytes") - F("received"))
        )["bytes"]
    if file_bytes + (promised or 0) > free_bytes():
        raise Refused(no_room())


def no_room() -> Sentence:
    return _(
        "The server’s disk has no room for this file. Ask whoever runs this system to make some,"
        " then try again."
    )


def append(
    upload: Upload, offset: int, blocks: Iterable[bytes], length: int, checksum: int | None = None
) -> None:
    """Adds a chunk of that length that begins at the offset; the last one has the file examined.

    Raises `Elsewhere` when the file does not go on there, `Damaged`, `NoRoom`, or
    `UnreadableFile` when its beginning shows that it is no table. A chunk counts whole or not at
    all.
    """
    if upload.state != Upload.State.RECEIVING or offset != upload.received:
        raise Elsewhere(upload.received)
    part = Part(directory_of(upload.workspace_id, upload.pk), blocks)
    try:
        if part.size != length or checksum not in (None, part.checksum):
            raise Damaged
        if offset == 0:
            _refuse_other_kinds(upload, part)
        _add(upload, offset, part)
    finally:
        part.drop()
    if upload.state == Upload.State.WAITING:
        _have_examined(upload)


def _refuse_other_kinds(upload: Upload, part: Part) -> None:
    try:
        refuse_other_kinds(part.start(LOOKED_AT))
    except UnreadableFile as problem:
        _refuse(upload, str(problem))
        raise


def _add(upload: Upload, offset: int, part: Part) -> None:
    with transaction.atomic():
        now = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        if now is None or now.state != Upload.State.RECEIVING or now.received != offset:
            raise Elsewhere(now.received if now else 0)
        part.add(offset)
        upload.received = offset + part.size
        upload.heartbeat_at = timezone.now()
        if upload.received == upload.file_bytes:
            upload.state = Upload.State.WAITING
            audit.record(
                upload.workspace,
                "upload.received",
                actor=upload.started_by,
                target=upload,
                bytes=upload.file_bytes,
            )
        upload.save(update_fields=["received", "heartbeat_at", "state"])


def _have_examined(upload: Upload) -> None:
    from segments.tasks import examine_upload_task

    path = file_of(directory_of(upload.workspace_id, upload.pk))
    if upload.file_bytes <= AT_ONCE_BYTES and is_text(path):
        examine(upload)
    else:
        examine_upload_task.delay(upload.workspace_id, upload.pk)


def examine(upload: Upload) -> None:
    """Finds out what the file is: it becomes a draft of its source, or is refused and gone."""
    with locks.held(locks.UPLOAD, upload.pk) as free:
        if not free:
            return
        upload.refresh_from_db()
        if upload.state not in (Upload.State.WAITING, Upload.State.EXAMINING):
            return
        if upload.attempts >= MAX_ATTEMPTS:
            _refuse(upload, imports.too_much())
            return
        _note(upload, state=Upload.State.EXAMINING, attempts=upload.attempts + 1)
        directory = directory_of(upload.workspace_id, upload.pk)
        try:
            with translation.override(upload.language or None), disk_full_told():
                found = drafts.examine(file_of(directory), upload.source)
        except UnreadableFile as problem:
            is_full = "No space left" in str(problem.__cause__)
            _refuse(upload, no_room() if is_full else problem.sentence)
        except NoRoom:
            _refuse(upload, no_room())
        except FileNotFoundError:
            _refuse(upload, kept_files.gone())
        else:
            _become_draft(upload, file_of(directory), found)
            remove(directory)


def _become_draft(upload: Upload, path: Path, found: drafts.Found) -> None:
    kept = kept_files.new_path(upload.workspace_id)
    with transaction.atomic():
        if not Upload.objects.select_for_update().filter(pk=upload.pk).exists():
            return
        by = upload.started_by
        source = upload.source or sources.create_source(upload.workspace, _free_name(upload), by=by)
        load = drafts.draft(source, upload.file_name, kept, upload.file_bytes, found, by=by)
        _note(upload, state=Upload.State.READY, source=source, load=load)
        # Not to be taken for one that was left, before this is on record.
        path.touch()
        path.replace(kept)


def _free_name(upload: Upload) -> str:
    wanted = upload.source_name or source_name_of(upload.file_name)
    wanted = name = wanted[: LONGEST_NAME - 10]
    number = 2
    while Source.objects.filter(name__iexact=name).exists():
        name, number = f"{wanted} ({number})", number + 1
    return name


def _refuse(upload: Upload, reason: Sentence | str) -> None:
    _note(upload, state=Upload.State.REFUSED, reason=reason)
    remove(directory_of(upload.workspace_id, upload.pk))


def _note(upload: Upload, **values: object) -> None:
    Upload.objects.filter(pk=upload.pk).update(heartbeat_at=timezone.now(), **values)
    for name, value in values.items():
        setattr(upload, name, value)


def cancel(upload: Upload, by: User) -> None:
    """Forgets the upload with all that has come of it; a draft that it became stays."""
    directory = directory_of(upload.workspace_id, upload.pk)
    with transaction.atomic():
        if upload.state != Upload.State.READY:
            audit.record(upload.workspace, "upload.cancelled", actor=by, target=upload)
        upload.delete()
    remove(directory)


def forget(upload: Upload) -> None:
    """Leaves no trace of an upload that was never one."""
    directory = directory_of(upload.workspace_id, upload.pk)
    upload.delete()
    remove(directory)


def open_uploads() -> QuerySet[Upload]:
    """Those of the workspace in scope that somebody may go on with, wait for, or wonder about."""
    return (
        Upload.objects.exclude(state=Upload.State.READY)
        .exclude(state=Upload.State.RECEIVING, fingerprint="")
        .select_related("source", "started_by")
        .order_by("-created_at")
    )


def too_large() -> Sentence:
    return _("The file is larger than %(most)s. Split it, or import it by command.") % {
        "most": filesizeformat(settings.MAX_UPLOAD_BYTES)
    }


def lost() -> list[tuple[int, int]]:
    """Workspace and upload of those whose examination lost its worker, once each."""
    found = []
    with across_workspaces():
        alone = Upload.objects.filter(
            silent("heartbeat_at", timezone.now(), SILENCE),
            state__in=[Upload.State.WAITING, Upload.State.EXAMINING],
        )
        keys = list(alone.values_list("workspace_id", "pk"))
    for workspace_id, upload_id in keys:
        with scope(workspace=workspace_id), locks.held(locks.UPLOAD, upload_id) as is_lost:
            if is_lost:
                Upload.objects.filter(pk=upload_id).update(heartbeat_at=timezone.now())
                found.append((workspace_id, upload_id))
    return found


def clear_old() -> int:
    """Forgets uploads that nobody went on with for a day, with their files; returns how many."""
    with across_workspaces():
        keys = list(_forgotten().values_list("workspace_id", "pk"))
    for workspace_id, upload_id in keys:
        with scope(workspace=workspace_id):
            _forgotten().filter(pk=upload_id).delete()
        remove(directory_of(workspace_id, upload_id))
    with across_workspaces():
        known = set(Upload.objects.values_list("workspace_id", "pk"))
    for workspace_id, upload_id, directory in old_directories(KEPT.total_seconds()):
        if (workspace_id, upload_id) not in known:
            remove(directory)
    remove_old_scratch(KEPT.total_seconds())
    return len(keys)


def _forgotten() -> QuerySet[Upload]:
    old = Upload.objects.filter(heartbeat_at__lt=timezone.now() - KEPT)
    return old.exclude(state__in=[Upload.State.WAITING, Upload.State.EXAMINING])
