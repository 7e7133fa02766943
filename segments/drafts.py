"""Drafts of imports: a file taken in and examined, its columns chosen, the import begun."""

import hashlib
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.db import transaction

from config.handing_over import after_commit
from segments import kept_files, ownership, sql_loads
from segments.columns import Column, Proposal, propose
from segments.conversion import SEPARATORS
from segments.dialect import Dialect, find_dialect, part_told, told_before, told_dialect
from segments.encodings import UnreadableFile
from segments.formats import as_csv
from segments.models import Attribute, Import, Source
from segments.sources import Refused, change_mode
from workspaces import audit
from workspaces.models import User
from workspaces.sentences import gettext as _

Found = tuple[Dialect, Proposal]


def take_file(
    source: Source,
    file_name: str,
    blocks: Iterable[bytes],
    by: User | None = None,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> Import:
    """Keeps a file and finds out how it is written: a draft, for a person to go over.

    `told` is how a text file is written, in some of what `told_dialect` takes. Raises
    `UnreadableFile`; nothing is kept then.
    """
    path = kept_files.new_path(source.workspace_id)
    checksum, size = hashlib.sha256(), 0
    try:
        with path.open("wb") as kept:
            for block in blocks:
                size += len(block)
                checksum.update(block)
                kept.write(block)
        found = examine(path, source, told)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return draft(source, file_name, path, size, found, by=by, checksum=checksum.hexdigest())


def examine(
    path: Path, source: Source | None, told: Mapping[str, Any] = MappingProxyType({})
) -> Found:
    """Finds out how the file is written and what its columns are; rewrites it as text, in place.

    What a person said of the source's last file counts for one like it. Raises `UnreadableFile`.
    """
    dialect = as_csv(path)
    if dialect is None and told:
        dialect = part_told(path, told)
    elif told:
        raise UnreadableFile(_("Only a text file can be read in another way."))
    elif dialect is None and (before := _last_told(source)) is not None:
        dialect = told_before(path, before)
    return _with_rows(path, dialect or find_dialect(path))


def _last_told(source: Source | None) -> Dialect | None:
    loads = Import.objects.filter(source=source).exclude(dialect={})
    last = loads.order_by("-created_at").first() if source else None
    dialect = Dialect.from_json(last.dialect) if last else None
    return dialect if dialect and dialect.is_told else None


def _with_rows(path: Path, dialect: Dialect) -> Found:
    proposal = propose(path, dialect)
    if not proposal.rows:
        raise UnreadableFile(_("The file has a header and no rows. Choose a file with rows."))
    return dialect, proposal


def read_as_told(load: Import, **written: Any) -> None:
    """Reads a draft's file as a person says it is written, as `told_dialect` takes it.

    Raises `Refused` and `UnreadableFile`; the draft stays as it was then.
    """
    path = Path(load.file_path)
    copied = path.with_name(f"{path.name}.told")
    try:
        with transaction.atomic():
            drafts = Import.objects.select_for_update(of=("self",))
            stored = drafts.filter(pk=load.pk, state=Import.State.DRAFT).first()
            if stored is None:
                raise Refused(
                    _("This import has been started already. Its page shows how far it is.")
                )
            shutil.copyfile(path, copied)
            before = Dialect.from_json(stored.dialect)
            dialect, proposal = _with_rows(copied, told_dialect(copied, before, **written))
            stored.dialect = dialect.as_json()
            stored.columns = [one.as_json() for one in _proposed(stored.source, proposal)]
            stored.save(update_fields=["dialect", "columns"])
            copied.replace(path)
    except FileNotFoundError:
        raise Refused(kept_files.gone()) from None
    finally:
        copied.unlink(missing_ok=True)


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
    return Import.objects.create(
        workspace_id=source.workspace_id,
        source=source,
        file_name=file_name[:255],
        file_path=str(path),
        file_bytes=size,
        checksum=checksum,
        dialect=dialect.as_json(),
        columns=[column.as_json() for column in _proposed(source, proposal)],
        mode=source.mode,
        started_by=by,
    )


def _proposed(source: Source, proposal: Proposal) -> list[Column]:
    known = {attribute.name: attribute for attribute in Attribute.objects.filter(source=source)}
    return [as_before(one, known) for one in ownership.as_before(source, proposal.columns)]


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
    after_commit(lambda: run_import_task.delay(load.workspace_id, load.pk))


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
            raise Refused(_("This import has been started already. Its page shows how far it is."))
        if sql_loads.query_of(source) is None and not kept_files.is_there(load):
            raise Refused(kept_files.gone())
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


def import_again(load: Import, by: User | None) -> Import:
    """A draft of the same file, to choose otherwise. Raises `Refused` when it is no longer kept."""
    copied = kept_files.new_path(load.workspace_id)
    try:
        shutil.copyfile(load.file_path, copied)
    except FileNotFoundError:
        raise Refused(kept_files.gone()) from None
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
