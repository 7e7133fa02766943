"""What can be done with an SQL source. Nothing is saved of a database that can't be reached."""

import csv
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db import transaction

from config.handing_over import after_commit
from segments import drafts, kept_files, ownership, sources, sql_loads
from segments.columns import Column, propose
from segments.databases import bounded, rows
from segments.databases.kinds import kind_of
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table, Target
from segments.dialect import Dialect
from segments.models import Attribute, Import, Source, SqlQuery
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.sentences import gettext as _
from workspaces.timing import Timing

# Somebody waits for a page.
TEST_SECONDS = 15
SAMPLE_SECONDS = 30
SAMPLE_ROWS = 10_000
PREVIEW_ROWS = 10


class LoadActive(sources.Refused):
    """The source is being loaded already."""

    def __init__(self, load: Import) -> None:
        super().__init__(_("This source is being loaded already. Wait for the end of that."))
        self.load = load


def create(workspace: Workspace, name: str, target: Target, by: User | None) -> SqlQuery:
    """A source that is not finished. Raises `DatabaseProblem` and `sources.Refused`."""
    _reach(target)
    with transaction.atomic():
        source = sources.create_source(workspace, name, by=by)
        query = SqlQuery(workspace=workspace, source=source, time_zone=workspace.time_zone)
        sql_loads.apply(target, query)
        query.save()
        _record_connection(query, by)
    return query


def change_connection(query: SqlQuery, target: Target, by: User | None) -> None:
    """Without a password the one at hand stays, for the same server and user only.

    Else whoever may change a source could have its password sent to a server of their own.
    Raises `DatabaseProblem`.
    """
    if not target.password and query.password is not None:
        if not _is_same_account(query, target):
            raise DatabaseProblem(
                _("Type the password again: it was given for the server and user as they were."),
                "password",
            )
        target = replace(target, password=sql_loads.password_of(query))
    _reach(target)
    with transaction.atomic():
        stored = SqlQuery.objects.select_for_update(of=("self",)).get(pk=query.pk)
        sql_loads.apply(target, stored)
        stored.save()
        _record_connection(stored, by)


def declare(
    source: Source,
    target: Target,
    *,
    table: Table | None,
    statement: str,
    columns: list[Column],
    skip_refused: bool,
    by: User | None,
) -> SqlQuery:
    """What the source asks, as a file says it: its first load tells whether the database agrees.

    The password at hand stays, for the same server and user only. Raises `DatabaseProblem`.
    """
    with transaction.atomic():
        found = SqlQuery.objects.select_for_update(of=("self",)).filter(source=source).first()
        query = found or SqlQuery(
            workspace=source.workspace, source=source, time_zone=source.workspace.time_zone
        )
        connection, chosen = _connection(query), (query.columns, query.skip_refused)
        if query.password is not None:
            if not _is_same_account(query, target):
                raise DatabaseProblem(
                    _(
                        "The password was given for the server and user as they were. Change these"
                        " on the source’s page, where it can be typed again."
                    ),
                    "password",
                )
            target = replace(target, password=sql_loads.password_of(query))
        sql_loads.apply(target, query)
        query.columns = [column.as_json() for column in columns]
        query.skip_refused = skip_refused
        query.save()
        if found is None or _connection(query) != connection:
            _record_connection(query, by)
        _keep_asked(query, table, statement, by)
        if (query.columns, query.skip_refused) != chosen:
            audit.record(
                source.workspace,
                "source.columns_changed",
                actor=by,
                target=source,
                columns=[column.column for column in columns if column.keep],
            )
    return query


def _connection(query: SqlQuery) -> list[Any]:
    names = ("kind", "host", "port", "database", "username", "encryption", "options")
    return [getattr(query, name) for name in names]


def _reach(target: Target) -> None:
    bounded.within(TEST_SECONDS, lambda: rows.reach(target, TEST_SECONDS))


def _is_same_account(query: SqlQuery, target: Target) -> bool:
    names = ("kind", "host", "port", "username", "encryption", "options")
    return all(getattr(query, name) == getattr(target, name) for name in names)


def _record_connection(query: SqlQuery, by: User | None) -> None:
    audit.record(
        query.source.workspace,
        "source.connection_changed",
        actor=by,
        target=query.source,
        kind=kind_of(query.kind).label,
        host=query.host,
        database=query.database,
        user=query.username,
    )


def tables(query: SqlQuery) -> list[Table]:
    """Raises `DatabaseProblem`."""
    target = sql_loads.target_of(query)
    return bounded.within(TEST_SECONDS, lambda: rows.tables(target, TEST_SECONDS))


def preview(
    query: SqlQuery, table: Table | None, statement: str
) -> tuple[list[str], list[list[str]]]:
    """The columns and the first rows. Raises `DatabaseProblem`."""
    target = sql_loads.target_of(query)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows"
        _sample(target, table, statement, path, PREVIEW_ROWS)
        with path.open(encoding="utf-8", newline="") as file:
            header, *found = csv.reader(file)
    return header, found


def _sample(target: Target, table: Table | None, statement: str, path: Path, most: int) -> Dialect:
    """The first rows into the file. Raises `DatabaseProblem`."""

    def sample() -> Dialect:
        asked = sql_loads.asked(target, table, statement)
        return sql_loads.sample(target, asked, path, seconds=SAMPLE_SECONDS, most=most)

    return bounded.within(SAMPLE_SECONDS, sample)


def ask(
    query: SqlQuery,
    table: Table | None,
    statement: str,
    by: User | None,
    failed: Import | None = None,
) -> Import:
    """Keeps what is asked, and makes a draft whose columns a person goes over.

    What a load that failed asked a member's word for, the draft asks again.

    Raises `DatabaseProblem` and `UnreadableFile`; nothing is kept then.
    """
    target = sql_loads.target_of(query)
    path = kept_files.new_path(query.workspace_id)
    try:
        dialect = _sample(target, table, statement, path, SAMPLE_ROWS)
        proposal = propose(path, dialect)
        if not proposal.rows:
            raise DatabaseProblem(
                _("It gives no rows, so nothing is known of its columns. Ask for others."),
                "statement",
            )
    except Exception:
        path.unlink(missing_ok=True)
        raise
    known = {one.name: one for one in Attribute.objects.filter(source=query.source)}
    before = {one["column"]: Column(**one) for one in query.columns}
    columns = [
        before.get(column.column) or drafts.as_before(column, known)
        for column in ownership.as_before(query.source, proposal.columns)
    ]
    with transaction.atomic():
        stored = SqlQuery.objects.select_for_update(of=("self",)).get(pk=query.pk)
        _keep_asked(stored, table, statement, by)
        earlier = Import.objects.filter(source=query.source, state=Import.State.DRAFT)
        abandoned = list(earlier.values_list("file_path", flat=True))
        earlier.delete()
        draft = Import.objects.create(
            workspace_id=query.workspace_id,
            source=query.source,
            file_name=stored.label[:255],
            file_path=str(path),
            file_bytes=path.stat().st_size,
            dialect=dialect.as_json(),
            columns=[column.as_json() for column in columns],
            skip_refused=query.skip_refused,
            mode=query.source.mode,
            removals_asked=failed.removals_asked if failed else 0,
            taken_over=failed.taken_over if failed else [],
            started_by=by,
        )
    kept_files.remove(abandoned)
    return draft


def _keep_asked(query: SqlQuery, table: Table | None, statement: str, by: User | None) -> None:
    before = (query.table, query.statement)
    query.statement = "" if table else statement
    query.table_schema = table.schema if table else ""
    query.table_name = table.name if table else ""
    if (query.table, query.statement) == before:
        return
    query.save()
    audit.record(
        query.source.workspace,
        "source.query_changed",
        actor=by,
        target=query.source,
        table=table.label if table else "",
    )


def begin_load(
    query: SqlQuery, *, trigger: str, by: User | None = None, in_worker: bool = True
) -> Import:
    """Queues a load of the source and hands it to a worker, or leaves that to the caller.

    Raises `sources.Refused`, as `LoadActive` while another load of it goes on.
    """
    from segments.tasks import run_import_task

    with transaction.atomic():
        stored = SqlQuery.objects.select_for_update(of=("self",)).get(pk=query.pk)
        source = stored.source
        if not stored.is_ready:
            raise sources.Refused(
                _("“%(name)s” is not finished: choose what it asks for, and its columns.")
                % {"name": source.name}
            )
        going_on = active_load(source)
        if going_on is not None:
            raise LoadActive(going_on)
        load = Import.objects.create(
            workspace_id=stored.workspace_id,
            source=source,
            file_name=stored.label[:255],
            file_path=str(kept_files.new_path(stored.workspace_id)),
            columns=stored.columns,
            skip_refused=stored.skip_refused,
            mode=source.mode,
            state=Import.State.QUEUED,
            trigger=trigger,
            started_by=by,
        )
        audit.record(
            source.workspace, "import.started", actor=by, target=source, key=source.key_column
        )
        if in_worker:
            after_commit(lambda: run_import_task.delay(load.workspace_id, load.pk))
    return load


def active_load(source: Source) -> Import | None:
    busy = (Import.State.QUEUED, Import.State.RUNNING)
    return Import.objects.filter(source=source, state__in=busy).order_by("created_at").first()


def reschedule(query: SqlQuery, *, timing: Timing, by: User | None) -> None:
    """Loads the source at these times from now on."""
    with transaction.atomic():
        stored = SqlQuery.objects.select_for_update(of=("self",)).get(pk=query.pk)
        before = Timing.of(stored)
        if before == timing:
            return
        timing.apply(stored)
        stored.next_run_at = stored.next_own_time()
        stored.save()
        audit.record(
            stored.source.workspace,
            "source.scheduled",
            actor=by,
            target=stored.source,
            changes=[before.described(), timing.described()],
        )
