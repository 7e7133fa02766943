"""Imports, carried out: rows read and judged, and merged with the profiles, all or none."""

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.full_disk import is_full
from segments import (
    erased,
    kept_files,
    measures,
    notices,
    ownership,
    population,
    profile_merge,
    reading,
    sql_loads,
    upload_files,
)
from segments.dialect import Dialect
from segments.drafts import chosen_columns
from segments.encodings import UnreadableFile
from segments.metering import Meter, metered
from segments.models import Import, RefusedRow, Source
from workspaces import audit, locks
from workspaces.sentences import Sentence, ngettext
from workspaces.sentences import gettext as _

# Workers that may die of one import.
MAX_ATTEMPTS = 3


class SourceBusy(Exception):
    """Another import of the same source is going on."""


def run_import(load: Import) -> None:
    """Carries an import out, from its beginning whoever began it before.

    Raises `SourceBusy` when an import of the same source goes on elsewhere, and
    `Import.DoesNotExist` when the source was removed meanwhile.
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
            **_beginning("reading"),
            started_at=timezone.now(),
            attempts=load.attempts + 1,
        )
        with upload_files.scratch(load.workspace_id) as scratch, metered(load) as meter:
            try:
                _carry_out(load, Path(scratch), meter)
            except UnreadableFile as problem:
                _ensure_there(load)
                _end(load, Import.State.FAILED, reason=problem.sentence)
            except Exception as problem:
                _ensure_there(load)
                if not is_full(problem):
                    raise
                _end(load, Import.State.FAILED, reason=_no_room())
        sql_loads.forget_rows(load)


def _ensure_there(load: Import) -> None:
    """Raises `Import.DoesNotExist` when it went with its source."""
    if not Import.objects.filter(pk=load.pk).exists():
        Path(load.file_path).unlink(missing_ok=True)
        raise Import.DoesNotExist


def _no_room() -> Sentence:
    return _(
        "The server’s disk is full, so nothing was imported. Ask your operator to make room, then"
        " import it again."
    )


def _rows_last_time(load: Import) -> int:
    """A query gives about as many again; 0 when there was no last time."""
    earlier = Import.objects.filter(source=load.source_id, state=Import.State.SUCCEEDED)
    return earlier.order_by("-created_at").values_list("read", flat=True).first() or 0


def _beginning(stage: str) -> dict[str, Any]:
    return {"stage": stage, "stage_at": timezone.now(), "done": 0, "whole": 0}


def _carry_out(load: Import, scratch: Path, meter: Meter) -> None:
    path = Path(load.file_path)
    query = sql_loads.query_of(load.source)
    if query is not None:
        _note(load, **_beginning("fetching"))
        meter.rows = _rows_last_time(load)
        meter.rows = sql_loads.fetch(load, query, meter)
        _note(load, **_beginning("reading"), read=meter.rows)
    elif kept_files.is_there(load):
        meter.rows = reading.about_rows(path)
    else:
        raise UnreadableFile(kept_files.gone())
    columns = chosen_columns(load)
    result = reading.read(
        path,
        Dialect.from_json(load.dialect),
        columns,
        load.source.key_column,
        scratch,
        meter.through,
    )
    _note(load, read=result.read, superseded=result.superseded, refused=result.refused)
    with transaction.atomic():
        RefusedRow.objects.filter(source_import=load).delete()
        profile_merge.keep_refused(load.workspace_id, load.pk, result.refused_rows)
    if result.refused and not load.skip_refused:
        _note(load, superseded=0)
        _end(load, Import.State.FAILED, reason=_nothing_imported(result.refused, query is None))
        return
    meter.rows = result.read - result.superseded - result.refused
    _note(load, **_beginning("storing"))
    try:
        with transaction.atomic():
            met_erased = _store(load, result, meter)
    except profile_merge.TooManyGone as too_many:
        _note(load, superseded=0, removals_asked=too_many.gone)
        _end(load, Import.State.FAILED, reason=_too_many_gone(too_many))
    else:
        if met_erased:
            # It holds somebody who asked not to be kept.
            path.unlink(missing_ok=True)


def _store(load: Import, result: reading.Reading, meter: Meter) -> bool:
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
    population.changed(load.workspace_id)
    merged = profile_merge.merge(
        load.workspace_id,
        load.source_id,
        result.staged,
        owned,
        _replacing(load, result),
        meter,
    )
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
    ) % {"gone": too_many.gone, "held": too_many.held}


def too_much() -> Sentence:
    return _(
        "The import broke off %(count)d times without a word, so it is not tried again; the file"
        " may want more memory than the workers have. Cut it into several files, or ask whoever"
        " runs this system to look at the workers."
    ) % {"count": MAX_ATTEMPTS}


def _nothing_imported(refused: int, is_file: bool) -> Sentence:
    if not is_file:
        return ngettext(
            "%(count)s row can’t be read, so nothing was loaded. Mend it in the database or the"
            " query, or choose the columns again and skip such rows.",
            "%(count)s rows can’t be read, so nothing was loaded. Mend them in the database or the"
            " query, or choose the columns again and skip such rows.",
            refused,
        ) % {"count": refused}
    return ngettext(
        "%(count)s row can’t be read, so nothing was imported. Mend it in the file, or import"
        " again and choose to skip such rows.",
        "%(count)s rows can’t be read, so nothing was imported. Mend them in the file, or import"
        " again and choose to skip such rows.",
        refused,
    ) % {"count": refused}


def _note(load: Import, **values: object) -> None:
    Import.objects.filter(pk=load.pk).update(heartbeat_at=timezone.now(), **values)
    for name, value in values.items():
        setattr(load, name, value)


def _end(load: Import, state: Import.State, **values: object) -> None:
    with transaction.atomic():
        _note(load, state=state, stage="", finished_at=timezone.now(), **values)
        details: dict[str, Any] = {"removed": load.removed} if load.removed else {}
        workspace = load.source.workspace
        audit.record(workspace, "import.finished", target=load.source, state=str(state), **details)
        notices.import_finished(load)
        transaction.on_commit(lambda: measures.import_ended(load), robust=True)
