"""Loads of SQL sources: the rows of the query into a file, which then is imported as any other."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from config import cipher
from config.kept_queries import KeptQuery
from segments.databases import rows
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table, Target
from segments.dialect import Dialect
from segments.encodings import UnreadableFile
from segments.metering import Meter
from segments.models import Import, Source, SqlQuery
from workspaces import audit
from workspaces.models import User
from workspaces.sentences import gettext as _


def query_of(source: Source) -> SqlQuery | None:
    """None for a source of files."""
    return _query_of.first(source=source.pk)


@KeptQuery
def _query_of(source: Any) -> QuerySet[SqlQuery]:
    return SqlQuery.objects.select_related("source__workspace").filter(source=source)


def target_of(query: SqlQuery) -> Target:
    """Raises `DatabaseProblem`."""
    return Target(
        kind=query.kind,
        host=query.host,
        port=query.port,
        database=query.database,
        username=query.username,
        password=password_of(query),
        encryption=query.encryption,
        options=query.options,
        home=query.source.workspace.slug,
    )


def password_of(query: SqlQuery) -> str:
    """Raises `DatabaseProblem`."""
    if query.password is None:
        return ""
    try:
        return cipher.decrypt(query.password)
    except cipher.Unreadable:
        raise DatabaseProblem(
            _(
                "The stored password can’t be read with this installation’s keys. Type it again on"
                " the source’s page, or have your operator put the earlier key back."
            ),
            "password",
        ) from None


def apply(target: Target, query: SqlQuery) -> None:
    """Sets what the target says; the caller saves."""
    for name in ("kind", "host", "port", "database", "username", "encryption", "options"):
        setattr(query, name, getattr(target, name))
    query.password = cipher.encrypt(target.password) if target.password else None


def asked(target: Target, table: Table | None, statement: str) -> str:
    return rows.select_all(target, table) if table else statement


def sample(target: Target, statement: str, path: Path, *, seconds: float, most: int) -> Dialect:
    """Writes the first rows as CSV. Raises `DatabaseProblem`."""
    names = rows.write(
        target,
        statement,
        path,
        seconds=seconds,
        most_bytes=settings.MAX_UNPACKED_BYTES,
        most_rows=most,
    )
    return _dialect(names)


def fetch(load: Import, query: SqlQuery, meter: Meter) -> int:
    """Writes all the rows where the load's file is; returns how many. Raises `UnreadableFile`."""
    count = 0

    def progress(rows: int) -> None:
        nonlocal count
        count = rows

    try:
        target = target_of(query)
        with meter.at("fetching", lambda: count):
            names = rows.write(
                target,
                asked(target, query.table, query.statement),
                _ready(Path(load.file_path)),
                seconds=settings.SQL_SOURCES_SECONDS,
                most_bytes=settings.MAX_UNPACKED_BYTES,
                progress=progress,
            )
    except DatabaseProblem as problem:
        raise UnreadableFile(problem.sentence) from None
    _check_columns(load, names)
    # A password that an old key had encrypted is kept with the first.
    query.password = cipher.encrypt(target.password) if target.password else None
    query.save(update_fields=["password"])
    load.dialect = _dialect(names).as_json()
    load.file_bytes = Path(load.file_path).stat().st_size
    load.save(update_fields=["dialect", "file_bytes"])
    return count


def forget_rows(load: Import) -> None:
    """What a query gave can be asked for again; a file can't."""
    if query_of(load.source) is not None:
        Path(load.file_path).unlink(missing_ok=True)


def keep_choice(load: Import, by: User | None) -> None:
    """What was chosen of the columns counts for every load from now on."""
    query = query_of(load.source)
    if query is None:
        return
    now: dict[str, Any] = {"columns": load.columns, "skip_refused": load.skip_refused}
    if now != {name: getattr(query, name) for name in now}:
        SqlQuery.objects.filter(pk=query.pk).update(**now)
        audit.record(
            load.source.workspace,
            "source.columns_changed",
            actor=by,
            target=load.source,
            columns=[one["column"] for one in load.columns if one["keep"]],
        )


def _check_columns(load: Import, names: tuple[str, ...]) -> None:
    wanted = [load.source.key_column, *(one["column"] for one in load.columns if one["keep"])]
    missing = next((name for name in wanted if name not in names), None)
    if missing is not None:
        raise UnreadableFile(
            _("The query no longer gives a column “%(name)s”. Edit the query or its columns.")
            % {"name": missing}
        )


def _ready(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _dialect(names: tuple[str, ...]) -> Dialect:
    return Dialect("utf-8", ",", '"', '"', 0, names)
