"""Sources: made, changed and removed."""

from typing import Any

from django.db import IntegrityError, transaction

from segments import kept_files
from segments.models import Source
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.sentences import Explained
from workspaces.sentences import gettext as _

LONGEST_NAME = 100


class Refused(Explained):
    """Why it can't be done, and what to do; the message is for people."""


def create_source(workspace: Workspace, name: str, by: User | None = None) -> Source:
    """Raises `Refused` for a name that is missing, too long or taken."""
    if not 0 < len(name.strip()) <= LONGEST_NAME or "\0" in name:
        raise Refused(_("Give a name of at most %(most)d characters.") % {"most": LONGEST_NAME})
    try:
        with transaction.atomic():
            source = Source.objects.create(workspace=workspace, name=name, created_by=by)
            audit.record(workspace, "source.created", actor=by, target=source)
    except IntegrityError as conflict:
        raise Refused(
            _("Another source is named “%(name)s”. Choose a different name.") % {"name": name}
        ) from conflict
    return source


def change_mode(source: Source, mode: str, by: User | None) -> None:
    """What becomes of profiles that are gone from the source, from its next import on."""
    if mode not in Source.Mode.values:
        raise Refused(_("Choose what becomes of customers who are gone from the source."))
    if mode == source.mode:
        return
    with transaction.atomic():
        was, source.mode = source.mode, mode
        source.save(update_fields=["mode"])
        audit.record(
            source.workspace,
            "source.mode_changed",
            actor=by,
            target=source,
            was=was,
            becomes=mode,
        )


def keep_columns(source: Source, key: str, columns: list[dict[str, Any]], by: User | None) -> None:
    """How the next file is read, as `Source.columns` has it."""
    if (key, columns) == (source.key_column, source.columns):
        return
    source.key_column, source.columns = key, columns
    with transaction.atomic():
        source.save(update_fields=["key_column", "columns"])
        audit.record(
            source.workspace,
            "source.columns_changed",
            actor=by,
            target=source,
            key=key,
            columns=[one["column"] for one in columns if one["keep"]],
        )


def remove_source(source: Source, by: User | None) -> None:
    """Removes the source with its files and history. Profiles stay with what it gave them."""
    files = list(source.imports.values_list("file_path", flat=True))
    with transaction.atomic():
        audit.record(source.workspace, "source.removed", actor=by, target=source)
        source.delete()
    kept_files.remove(files)
