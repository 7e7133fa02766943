"""All of a workspace in one ZIP file, made by a worker, for Administrators to take along.

JSON Lines, a file for each table, and the files of imports that are kept. Read and written bit by
bit, all of it as of one moment. No secret is in it: no token, no key, no password.
"""

import json
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from config.celery import app
from config.row_security import across_workspaces
from workspaces import audit, locks
from workspaces.leaving.tables import tenant_models
from workspaces.models import Archive, Membership, User, Workspace
from workspaces.notices import telling
from workspaces.sentences import Explained, Sentence
from workspaces.sentences import gettext as _
from workspaces.silence import silent

KEPT = timedelta(days=7)
TOPIC = "archive"
# One that no worker took up by then is handed out again.
SILENCE = timedelta(seconds=60)
MOST_ATTEMPTS = 3
ROWS_AT_ONCE = 2_000
FORMAT = 1

Files = Callable[[], Iterator[tuple[str, Path]]]

_files: list[Files] = []


class ArchiveActive(Explained):
    """One is being made already; the message is for people."""


def add_files(files: Files) -> None:
    """Adds a function that tells the names and places of files of the workspace in scope."""
    _files.append(files)


def ask(workspace: Workspace, *, by: User | None) -> Archive:
    """Has a worker make one. Raises `ArchiveActive`."""
    try:
        with transaction.atomic():
            archive = Archive.objects.create(
                workspace=workspace, asked_by=by, file_name=f"{secrets.token_hex(16)}.zip"
            )
            audit.record(workspace, "workspace.archive_asked", actor=by, target=archive)
    except IntegrityError as conflict:
        if "one_archive_at_a_time" not in str(conflict):
            raise
        raise ArchiveActive(
            _("An archive is being made already: you are told when it is ready.")
        ) from None
    transaction.on_commit(lambda: _hand_out(workspace.pk, archive.pk))
    return archive


def path_of(archive: Archive) -> Path:
    return Path(settings.UPLOAD_DIR) / str(archive.workspace_id) / "archives" / archive.file_name


def make(workspace: Workspace, archive_id: int) -> None:
    """Makes the file of an archive that is waiting for it; nothing if another worker is at it."""
    with locks.held(locks.ARCHIVE, archive_id) as free:
        archive = Archive.objects.filter(pk=archive_id, state__in=Archive.ACTIVE).first()
        if not free or archive is None:
            return
        if archive.attempts >= MOST_ATTEMPTS:
            _end(
                archive,
                _("The process doing the work stopped again and again. Tell your operator."),
            )
            return
        archive.state, archive.attempts = Archive.State.RUNNING, archive.attempts + 1
        archive.save(update_fields=["state", "attempts"])
        path = path_of(archive)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(workspace, path)
        except OSError as problem:
            path.unlink(missing_ok=True)
            reason = _("The file could not be written: %(problem)s. Tell your operator.")
            _end(archive, reason % {"problem": problem.strerror or type(problem).__name__})
            return
        archive.bytes = path.stat().st_size
        _end(archive)


def _end(archive: Archive, reason: Sentence | str = "") -> None:
    now = timezone.now()
    archive.state = Archive.State.FAILED if reason else Archive.State.READY
    archive.reason, archive.finished_at, archive.expires_at = reason, now, now + KEPT
    with transaction.atomic():
        archive.save()
        text: Sentence = (
            _("The archive of this workspace could not be made.")
            if reason
            else _("The archive of this workspace is ready. It can be downloaded for 7 days.")
        )
        slug = archive.workspace.slug
        telling.once(
            archive.workspace,
            TOPIC,
            f"archive:{archive.pk}",
            text,
            reverse("workspaces:archive", args=[slug]),
        )


def look_after(now: datetime) -> None:
    """Deletes what has expired, and hands out again what no worker is at."""
    with across_workspaces():
        found = Archive.objects.filter(
            Q(expires_at__lte=now) | Q(state__in=Archive.ACTIVE) & silent("asked_at", now, SILENCE)
        )
        keys = list(found.values_list("workspace_id", "pk", "expires_at"))
    for workspace_id, pk, expires_at in keys:
        with scope(workspace=workspace_id):
            if expires_at is not None:
                _forget(pk)
                continue
            with locks.held(locks.ARCHIVE, pk) as is_lost:
                if is_lost:
                    _hand_out(workspace_id, pk)


def _forget(pk: int) -> None:
    archive = Archive.objects.get(pk=pk)
    path_of(archive).unlink(missing_ok=True)
    archive.delete()


def _hand_out(workspace_id: int, archive_id: int) -> None:
    app.send_task(
        "workspaces.tasks.make_archive",
        args=[workspace_id, archive_id],
        expires=SILENCE.total_seconds(),
    )


def _write(workspace: Workspace, path: Path) -> None:
    is_outermost = not connection.in_atomic_block
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        transaction.atomic(),
    ):
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        counts = {"people": _write_people(archive)}
        for model in reversed(tenant_models()):
            name = f"{model._meta.app_label}/{model._meta.model_name}"
            counts[name] = _write_table(archive, f"{name}.jsonl", model, workspace.pk)
        files = [name for each in _files for name in _write_files(archive, each)]
        about = {
            "format": FORMAT,
            "workspace": {
                field.attname: str(value) if (value := field.value_from_object(workspace)) else None
                for field in Workspace._meta.concrete_fields
            },
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "rows": counts,
            "files": files,
        }
        archive.writestr("workspace.json", json.dumps(about, indent=2, ensure_ascii=False))


def _write_people(archive: zipfile.ZipFile) -> int:
    members = Membership.objects.select_related("user").order_by("pk")
    lines = [
        json.dumps(
            {"user_id": one.user_id, "email": one.user.email, "name": one.user.get_full_name()},
            ensure_ascii=False,
        )
        for one in members
    ]
    archive.writestr("people.jsonl", "".join(f"{line}\n" for line in lines))
    return len(lines)


def _write_table(
    archive: zipfile.ZipFile, name: str, model: type[models.Model], workspace_id: int
) -> int:
    count = 0
    with (
        archive.open(name, "w", force_zip64=True) as file,
        connection.chunked_cursor() as cursor,
    ):
        cursor.execute(_select(model), [workspace_id])
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            file.write("".join(f"{line}\n" for (line,) in rows).encode())
            count += len(rows)
    return count


def _select(model: type[models.Model]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(
        quote(str(field.column)) for field in model._meta.concrete_fields if _may(field)
    )
    key = ", ".join(quote(str(field.column)) for field in model._meta.pk_fields)
    return (
        f"SELECT row_to_json(r)::text FROM (SELECT {columns} FROM {model._meta.db_table}"  # noqa: S608
        f" WHERE workspace_id = %s ORDER BY workspace_id, {key}) r"
    )


def _may(field: Any) -> bool:
    """Whether a column is for others to read: what is encrypted or hashed is not."""
    is_secret = field.name in getattr(field.model, "secrets", ())
    return field.column is not None and not is_secret and not isinstance(field, models.BinaryField)


def _write_files(archive: zipfile.ZipFile, files: Files) -> Iterator[str]:
    for name, path in files():
        try:
            source = path.open("rb")
        except FileNotFoundError:
            continue
        with source, archive.open(f"files/{name}", "w", force_zip64=True) as file:
            shutil.copyfileobj(source, file, 1024 * 1024)
        yield f"files/{name}"
