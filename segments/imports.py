"""Sources and their imports: taking a file in, choosing its columns, merging its rows."""

import hashlib
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from segments import erased, kept_files, ownership, profile_merge, reading, sql_loads, upload_files
from segments.columns import Column, Proposal, propose
from segments.conversion import SEPARATORS
from segments.dialect import Dialect, UnreadableFile, find_dialect
from segments.formats import as_csv
from segments.models import Attribute, Import, RefusedRow, Source
from workspaces import audit, locks
from workspaces.models import User, Workspace
from workspaces.sentences import Explained, Sentence, ngettext
from workspaces.sentences import gettext as _

LONGEST_NAME = 100
# Workers that may die of one import.
MAX_ATTEMPTS = 3
Found = tuple[Dialect, Proposal]


class Refused(Explained):
    """Why it can't be done, and what to do; the message is for people."""


class SourceBusy(Exception):
    """Another import of the same source is going on."""


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


def take_file(
    source: Source, file_name: str, blocks: Iterable[bytes], by: User | None = None
) -> Import:
    """Keeps a file and finds out how it is written: a draft, for a person to go over.

    Raises `UnreadableFile`; nothing is kept then.
    """
    path = kept_files.new_path(source.workspace_id)
    checksum, size = hashlib.sha256(), 0
    try:
        with path.open("wb") as kept:
            for block in blocks:
                size += len(block)
                checksum.update(block)
                kept.write(block)
        found = examine(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return draft(source, file_name, path, size, found, by=by, checksum=checksum.hexdigest())


def examine(path: Path) -> Found:
    """Finds out how the file is written and what its columns are; rewrites it as text, in place.

    Raises `UnreadableFile`.
    """
    dialect = as_csv(path) or find_dialect(path)
    proposal = propose(path, dialect)
    if not proposal.rows:
        raise UnreadableFile(_("The file has a header and no rows. Choose a file with rows."))
    return dialect, proposal


def draft(
    source: Source,
    file_name: str,
    path: Path,
    size: int,
    found: Found,
    *,
    by: User | None,
    checksum: str = "",
) -> Import:
    """An import of an examined file, for a person to go over; `size` is the file's as it came."""
    dialect, proposal = found
    known = {attribute.name: attribute for attribute in Attribute.objects.filter(source=source)}
    columns = [as_before(one, known) for one in ownership.as_before(source, proposal.columns)]
    return Import.objects.create(
        workspace_id=source.workspace_id,
        source=source,
        file_name=file_name[:255],
        file_path=str(path),
        file_bytes=size,
        checksum=checksum,
        dialect=dialect.as_json(),
        columns=[column.as_json() for column in columns],
        mode=source.mode,
        started_by=by,
    )


def as_before(column: Column, known: dict[str, Attribute]) -> Column:
    """A column that the source has filled before keeps its name and type."""
    attribute = known.get(column.attribute)
    if attribute is None:
        return column
    form = column.format
    if attribute.type != column.type or form in SEPARATORS:
        form = attribute.format
    return Column(
        column.column, column.attribute, attribute.label, attribute.type, column.keep, form
    )


def chosen_columns(load: Import) -> list[Column]:
    return [Column(**kept) for kept in load.columns]


def proposal_of(load: Import) -> Proposal:
    """The proposal again, with rows to show, for a draft."""
    return propose(Path(load.file_path), Dialect.from_json(load.dialect))


def queue(load: Import, *, by: User | None, **choice: Any) -> None:
    """Settles what was chosen, as `prepare`, and hands the import to a worker. Raises `Refused`."""
    from segments.tasks import run_import_task

    prepare(load, by=by, **choice)
    transaction.on_commit(lambda: run_import_task.delay(load.workspace_id, load.pk))


def prepare(
    load: Import,
    *,
    key: str,
    columns: list[Column],
    skip_refused: bool,
    by: User | None,
    mode: str | None = None,
    approved_removals: int = 0,
    taken_over: Collection[str] = (),
) -> None:
    """Settles what was chosen. Raises `Refused`.

    `mode` is the source's from now on (default: as it is). Up to `approved_removals` profiles may
    go; the attributes in `taken_over` may be taken from other sources.
    """
    _check_choice(load, key, columns, taken_over)
    source = load.source
    with transaction.atomic():
        if mode is not None:
            change_mode(source, mode, by)
        moved = Import.objects.filter(pk=load.pk, state=Import.State.DRAFT).update(
            state=Import.State.QUEUED,
            columns=[column.as_json() for column in columns],
            skip_refused=skip_refused,
            mode=source.mode,
            removals_asked=approved_removals or load.removals_asked,
            removals_approved=approved_removals > 0,
            taken_over=sorted(taken_over),
            started_by=by,
        )
        if not moved:
            raise Refused(_("This import has been started already."))
        if sql_loads.query_of(source) is None and not kept_files.is_there(load):
            raise Refused(gone())
        source.key_column = key
        source.save(update_fields=["key_column"])
        details: dict[str, Any] = {"file": load.file_name, "key": key}
        if approved_removals:
            details["approved_removals"] = approved_removals
        if taken_over:
            details["taken_over"] = sorted(taken_over)
        audit.record(
            source.workspace,
            "import.started",
            actor=by,
            target=source,
            **details,
        )
        load.refresh_from_db()
        sql_loads.keep_choice(load, by)


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


def _check_choice(
    load: Import, key: str, columns: list[Column], taken_over: Collection[str]
) -> None:
    if key not in {column.column for column in columns}:
        raise Refused(
            _("The file has no column “%(key)s”. It has: %(columns)s.")
            % {"key": key, "columns": ", ".join(column.column for column in columns)}
        )
    labels = [column.label.strip().lower() for column in columns if column.keep]
    if not labels:
        raise Refused(_("Keep at least one column."))
    if "" in labels:
        raise Refused(_("Every column that is kept needs a name."))
    if any("\0" in label for label in labels):
        raise Refused(_("The value has a character that no text can hold. Type it again."))
    names = [column.attribute.lower() for column in columns if column.keep]
    doubled = next((one for one in labels if labels.count(one) > 1), None)
    doubled = doubled or next((one for one in names if names.count(one) > 1), None)
    if doubled:
        raise Refused(
            _("Two columns would be named “%(name)s”. Give each its own name.") % {"name": doubled}
        )
    if objection := ownership.objection(load.source, columns, taken_over):
        raise Refused(objection)


def run_import(load: Import) -> None:
    """Carries an import out, from its beginning whoever began it before.

    Raises `SourceBusy` when an import of the same source goes on elsewhere.
    """
    with locks.held(locks.SOURCE, load.source_id) as free:
        if not free:
            raise SourceBusy
        load.refresh_from_db()
        if load.state not in (Import.State.QUEUED, Import.State.RUNNING):
            return
        if load.attempts >= MAX_ATTEMPTS:
            _end(load, Import.State.FAILED, reason=too_much())
            return
        _note(
            load,
            state=Import.State.RUNNING,
            stage="reading",
            started_at=timezone.now(),
            attempts=load.attempts + 1,
        )
        with upload_files.scratch(load.workspace_id) as scratch:
            try:
                _carry_out(load, Path(scratch))
            except UnreadableFile as problem:
                _end(load, Import.State.FAILED, reason=problem.sentence)
        sql_loads.forget_rows(load)


def _carry_out(load: Import, scratch: Path) -> None:
    path = Path(load.file_path)
    query = sql_loads.query_of(load.source)
    if query is not None:
        _note(load, stage="fetching")
        sql_loads.fetch(load, query, lambda rows: _note(load, read=rows))
        _note(load, stage="reading")
    elif not kept_files.is_there(load):
        raise UnreadableFile(gone())
    columns = chosen_columns(load)
    result = reading.read(
        path,
        Dialect.from_json(load.dialect),
        columns,
        load.source.key_column,
        scratch,
        load.source,
    )
    _note(load, read=result.read, superseded=result.superseded, refused=result.refused)
    with transaction.atomic():
        RefusedRow.objects.filter(source_import=load).delete()
        profile_merge.keep_refused(load.workspace_id, load.pk, result.refused_rows)
    if result.refused and not load.skip_refused:
        _note(load, superseded=0)
        _end(load, Import.State.FAILED, reason=_nothing_imported(result.refused, query is None))
        return
    _note(load, stage="storing")
    try:
        with transaction.atomic():
            met_erased = _store(load, result)
    except profile_merge.TooManyGone as too_many:
        _note(load, superseded=0, removals_asked=too_many.gone)
        _end(load, Import.State.FAILED, reason=_too_many_gone(too_many))
    else:
        if met_erased:
            # It holds somebody who asked not to be kept.
            path.unlink(missing_ok=True)


def _store(load: Import, result: reading.Reading) -> bool:
    """Whether the rows held somebody who was erased."""
    profile_merge.lock(load.workspace_id)
    # Attributes may have been renamed meanwhile.
    load.refresh_from_db(fields=["columns"])
    columns = chosen_columns(load)
    if objection := ownership.objection(load.source, columns, load.taken_over):
        _note(load, superseded=0)
        _end(load, Import.State.FAILED, reason=objection)
        return False
    owned = ownership.keep_attributes(load, columns)
    merged = profile_merge.merge(load.workspace_id, result.staged, owned, _replacing(load, result))
    if merged.erased:
        erased.keep_refused(load.workspace_id, load.pk, merged.erased)
    _end(
        load,
        Import.State.SUCCEEDED,
        refused=load.refused + merged.erased,
        added=merged.added,
        changed=merged.changed,
        unchanged=merged.unchanged,
        removed=merged.removed,
    )
    return merged.erased > 0


def _replacing(load: Import, result: reading.Reading) -> profile_merge.Replacing | None:
    """None when nobody is to be taken as gone."""
    if load.mode != Source.Mode.REPLACE or result.unparsable:
        # A row without a key could be anybody's.
        return None
    return profile_merge.Replacing(
        source_id=load.source_id,
        owned=list(load.source.attributes.values_list("name", flat=True)),
        spared=result.spared,
        approved=load.removals_asked if load.removals_approved else 0,
    )


def _too_many_gone(too_many: profile_merge.TooManyGone) -> Sentence:
    return ngettext(
        "%(gone)s of the %(held)s profiles of this source is not in it any more. That may be a file"
        " that is not whole, so nothing was imported. If they really are gone, import again and"
        " approve it.",
        "%(gone)s of the %(held)s profiles of this source are not in it any more. That may be a"
        " file that is not whole, so nothing was imported. If they really are gone, import again"
        " and approve it.",
        too_many.gone,
    ) % {"gone": f"{too_many.gone:,}", "held": f"{too_many.held:,}"}


def gone() -> Sentence:
    return _("The uploaded file is gone. Upload it again.")


def too_much() -> Sentence:
    return _(
        "The import broke off %(count)d times without a word, so it is not tried again; the file"
        " may want more memory than the workers have. Cut it into several files, or ask whoever"
        " runs this system to look at the workers."
    ) % {"count": MAX_ATTEMPTS}


def _nothing_imported(refused: int, is_file: bool) -> Sentence:
    if not is_file:
        return ngettext(
            "%(count)d row can't be read, so nothing was loaded. Mend it in the database or the"
            " query, or choose the columns again and skip such rows.",
            "%(count)d rows can't be read, so nothing was loaded. Mend them in the database or the"
            " query, or choose the columns again and skip such rows.",
            refused,
        ) % {"count": refused}
    return ngettext(
        "%(count)d row can't be read, so nothing was imported. Mend it in the file, or import"
        " again and choose to skip such rows.",
        "%(count)d rows can't be read, so nothing was imported. Mend them in the file, or import"
        " again and choose to skip such rows.",
        refused,
    ) % {"count": refused}


def _note(load: Import, **values: object) -> None:
    Import.objects.filter(pk=load.pk).update(heartbeat_at=timezone.now(), **values)
    for name, value in values.items():
        setattr(load, name, value)


def _end(load: Import, state: Import.State, **values: object) -> None:
    _note(load, state=state, stage="", finished_at=timezone.now(), **values)
    details: dict[str, Any] = {"removed": load.removed} if load.removed else {}
    audit.record(
        load.source.workspace, "import.finished", target=load.source, state=str(state), **details
    )


def import_again(load: Import, by: User | None) -> Import:
    """A draft of the same file, to choose otherwise. Raises `Refused` when it is no longer kept."""
    copied = kept_files.new_path(load.workspace_id)
    try:
        shutil.copyfile(load.file_path, copied)
    except FileNotFoundError:
        raise Refused(gone()) from None
    return Import.objects.create(
        workspace_id=load.workspace_id,
        source=load.source,
        file_name=load.file_name,
        file_path=str(copied),
        file_bytes=load.file_bytes,
        dialect=load.dialect,
        columns=load.columns,
        mode=load.source.mode,
        removals_asked=load.removals_asked,
        taken_over=load.taken_over,
        started_by=by,
    )


def discard(load: Import) -> None:
    """Forgets an import that is not to be, with its file."""
    load.delete()
    kept_files.remove([load.file_path])


def remove_source(source: Source, by: User | None) -> None:
    """Removes the source with its files and history. Profiles stay with what it gave them."""
    files = list(source.imports.values_list("file_path", flat=True))
    with transaction.atomic():
        audit.record(source.workspace, "source.removed", actor=by, target=source)
        source.delete()
    kept_files.remove(files)
