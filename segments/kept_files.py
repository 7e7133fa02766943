"""The files of imports: where they are, how long they are kept, and what clears the rest.

What is kept is told by the imports alone, for the files that are there: whatever broke off between
a file and its row, the next look finds the file and judges it.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_scopes import scope

from segments.models import Import
from segments.upload_files import clean_name, old_kept
from workspaces.models import Workspace
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _

KEPT = timedelta(days=7)
# Younger files may belong to an import that is only about to be on record.
LEAST_AGE = timedelta(days=1)


def new_path(workspace_id: int) -> Path:
    """Where a file of the workspace may be put."""
    directory = Path(settings.UPLOAD_DIR) / str(workspace_id)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory / uuid.uuid4().hex


def is_there(load: Import) -> bool:
    return Path(load.file_path).is_file()


def remove(paths: Iterable[str]) -> None:
    """Deletes the files once it is certain that nobody wants them: with the transaction's end."""
    for path in paths:
        transaction.on_commit(partial(Path(path).unlink, missing_ok=True))


def gone() -> Sentence:
    return _("The uploaded file is gone. Upload it again.")


def note_activity(load: Import) -> None:
    """Somebody looks at a draft: its file is kept from now on for as long as a new one's."""
    Import.objects.filter(pk=load.pk, state=Import.State.DRAFT).update(heartbeat_at=timezone.now())


def of_archive() -> Iterator[tuple[str, Path]]:
    """The files that are there, of the workspace in scope: what each is called, and its place."""
    for load in Import.objects.exclude(file_path="").order_by("pk"):
        if is_there(load):
            yield f"{load.pk}-{clean_name(load.file_name)}", Path(load.file_path)


def clear() -> int:
    """Deletes the files that nobody wants any more; returns how many."""
    found: dict[int, list[Path]] = defaultdict(list)
    for workspace_id, path in old_kept(LEAST_AGE.total_seconds()):
        found[workspace_id].append(path)
    return sum(_clear(workspace_id, paths) for workspace_id, paths in found.items())


def _clear(workspace_id: int, paths: list[Path]) -> int:
    with scope(workspace=workspace_id):
        days = Workspace.objects.values_list("files_days", flat=True).filter(pk=workspace_id)
        longest = timedelta(days=days.first() or 0)
        known = Import.objects.values_list("file_path", "pk")
        # By their names: the directory may have been moved since.
        loads = {Path(path).name: pk for path, pk in known.iterator()}
        return sum(_let_go(path, loads.get(path.name), longest) for path in paths)


def _let_go(path: Path, import_id: int | None, longest: timedelta) -> bool:
    """Deletes the file unless its import wants it, or somebody is at that import just now."""
    with transaction.atomic():
        if import_id is not None:
            waiting = Import.objects.select_for_update(skip_locked=True)
            load = waiting.filter(pk=import_id).first()
            if load is None or _is_wanted(load, longest):
                return False
        path.unlink(missing_ok=True)
    return True


def _is_wanted(load: Import, longest: timedelta) -> bool:
    """`longest` is how long the workspace keeps a file at most once its import has ended."""
    state, lately = Import.State(load.state), timezone.now() - KEPT
    if state == Import.State.DRAFT:
        return load.heartbeat_at >= lately
    if state in (Import.State.QUEUED, Import.State.RUNNING):
        return True
    ended = load.finished_at or load.created_at
    if ended < timezone.now() - longest or (state == Import.State.FAILED and ended < lately):
        return False
    return not Import.objects.filter(
        workspace_id=load.workspace_id,
        source_id=load.source_id,
        state=Import.State.SUCCEEDED,
        finished_at__gt=ended,
    ).exists()
