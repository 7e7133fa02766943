"""Reads databases: whether one can be reached, its tables, and the rows of a query into a file.

Rows come by the piece, from a cursor that stays at the server: the memory that they take does not
grow with their number.
"""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segments.databases import problems, statements
from segments.databases.kinds import kind_of
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table, Target
from segments.dialect import MAX_COLUMNS
from workspaces.sentences import gettext as _

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Values above what a profile may hold are refused later: so much of each is enough to know.
MOST_CHARACTERS = 40_000
MOST_TABLES = 2_000
WRITTEN_AS_THEY_ARE = {int, float, date, datetime, type(None)}
TEXT = {str, type(None)}
FIRST_PIECE, MOST_IN_A_PIECE, PIECE_BYTES = 50, 5_000, 4_000_000
NOT_PEOPLES = {"information_schema", "mysql", "performance_schema", "sys", "pg_catalog"}


class _Clock:
    """When the time for a query is up; `is_up` once it was stopped for that."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self.is_up = False

    def check(self) -> None:
        if self.is_up or time.monotonic() > self.ends:
            raise problems.too_slow(self.seconds)


def reach(target: Target, seconds: float) -> None:
    """Raises `DatabaseProblem` unless the database can be reached and asked."""
    with _session(target, seconds) as (connection, _clock):
        connection.exec_driver_sql("SELECT 1").fetchall()


def tables(target: Target, seconds: float) -> list[Table]:
    """The tables and views of the database, in order of their names. Raises `DatabaseProblem`."""
    with _session(target, seconds) as (connection, clock):
        import sqlalchemy

        inspector = sqlalchemy.inspect(connection)
        own = inspector.default_schema_name
        found: list[Table] = []
        for schema in _schemas(inspector, target):
            clock.check()
            names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
            shown = "" if schema is None or schema == own else schema
            found += [Table(shown, name) for name in names]
            if len(found) > MOST_TABLES:
                break
    return sorted(set(found), key=lambda table: (table.schema, table.name))[:MOST_TABLES]


def _schemas(inspector: Any, target: Target) -> list[str | None]:
    if kind_of(target.kind).is_file or target.kind == "mysql":
        return [None]
    names = inspector.get_schema_names()
    return [one for one in names if one not in NOT_PEOPLES and not one.startswith("pg_")]


def select_all(target: Target, table: Table) -> str:
    """The query for all of a table, its names quoted as the database does it."""
    quote = kind_of(target.kind).engine(target, 1).dialect.identifier_preparer.quote_identifier
    names = [table.schema, table.name] if table.schema else [table.name]
    return f"SELECT * FROM {'.'.join(map(quote, names))}"  # noqa: S608 - quoted


def write(
    target: Target,
    statement: str,
    path: Path,
    *,
    seconds: float,
    most_bytes: int,
    most_rows: int = 0,
    progress: Callable[[int], None] = lambda rows: None,
) -> tuple[str, ...]:
    """Writes the rows of the query as CSV with a header, in UTF-8; returns the columns' names.

    Tells `progress` of each piece how many rows there are so far. Stops after `most_rows`, if that
    is not 0. Raises `DatabaseProblem`; the file may be there.
    """
    statement = statements.checked(statement)
    with (
        _session(target, seconds, most_rows) as (connection, clock),
        path.open("w", newline="", encoding="utf-8", errors="replace") as file,
    ):
        # Without parameters a percent sign is one.
        streamed = connection.execution_options(stream_results=True, no_parameters=True)
        result = streamed.exec_driver_sql(statement)
        if not result.returns_rows:
            raise DatabaseProblem(_("The query gives no table. Use a SELECT."), "statement")
        names = _checked_names(list(result.keys()))
        written = csv.writer(file, lineterminator="\n")
        written.writerow(names)
        rows, piece = 0, FIRST_PIECE
        while more := result.fetchmany(min(piece, most_rows - rows) if most_rows else piece):
            before = file.tell()
            written.writerows(zip(*map(_texts, zip(*more, strict=True)), strict=True))
            rows += len(more)
            size = file.tell()
            if size > most_bytes:
                raise _too_large(most_bytes)
            # Wide rows come in small pieces, narrow ones in large.
            piece = min(MOST_IN_A_PIECE, 1 + PIECE_BYTES * len(more) // max(1, size - before))
            clock.check()
            progress(rows)
            if rows == most_rows:
                break
    return names


@contextmanager
def _session(
    target: Target, seconds: float, most_rows: int = 0
) -> Iterator[tuple[Connection, _Clock]]:
    """A connection that only reads, for so long. Raises `DatabaseProblem` for whatever happens."""
    kind = kind_of(target.kind)
    clock = _Clock(seconds)
    connection = _connected(target, seconds, most_rows)
    raw: Any = connection.connection.dbapi_connection

    def stop() -> None:
        clock.is_up = True
        with suppress(Exception):
            kind.interrupt(raw)

    timer = threading.Timer(max(0.0, clock.ends - time.monotonic()), stop)
    timer.daemon = True
    timer.start()
    try:
        # Whoever asked may have gone: nothing is written for them any more.
        clock.check()
        yield connection, clock
    except DatabaseProblem:
        raise
    except Exception as error:
        if clock.is_up:
            raise problems.too_slow(seconds) from None
        # The driver's own error may hold what must not be seen: it goes no further.
        raise problems.on_reading(error, target) from None
    finally:
        timer.cancel()
        with suppress(Exception):
            kind.leave(raw)
        _leave(connection)


def _connected(target: Target, seconds: float, most_rows: int) -> Connection:
    kind = kind_of(target.kind)
    if not kind.is_installed:
        raise DatabaseProblem(
            _("The driver for %(kind)s is not installed. Ask your operator to install it.")
            % {"kind": kind.label},
            "kind",
        )
    try:
        connection = kind.engine(target, seconds).connect()
        for statement in kind.begin(connection, seconds, most_rows):
            connection.exec_driver_sql(statement)
    except DatabaseProblem:
        raise
    except Exception as error:
        raise problems.on_connecting(error, target) from None
    return connection


def _leave(connection: Connection) -> None:
    """Without asking for the rows that nobody wants any more."""
    with suppress(Exception):
        connection.invalidate()
    with suppress(Exception):
        connection.close()


def _checked_names(names: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for name in names]
    if len(names) > MAX_COLUMNS:
        raise DatabaseProblem(
            _("The query gives %(count)d columns, and %(most)d is the most. Name those you need.")
            % {"count": len(names), "most": MAX_COLUMNS},
            "statement",
        )
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name or len(name) > 255 or "\0" in name:
            raise DatabaseProblem(
                _(
                    "Column %(number)d of the query has no name, or one that can’t be used. Name it"
                    " with AS."
                )
                % {"number": number},
                "statement",
            )
        if name.lower() in seen:
            raise DatabaseProblem(
                _("Two columns of the query are named “%(name)s”. Rename one of them with AS.")
                % {"name": name},
                "statement",
            )
        seen.add(name.lower())
    return tuple(names)


def _texts(values: tuple[Any, ...]) -> Iterable[Any]:
    """A column's values as they are written; most need nothing done, which is quick to see."""
    kinds = set(map(type, values))
    if kinds <= WRITTEN_AS_THEY_ARE:
        return values
    if kinds <= TEXT and max(map(len, filter(None, values)), default=0) <= MOST_CHARACTERS:
        return values if not any("\0" in value for value in values if value) else map(_text, values)
    return map(_text, values)


def _text(value: Any) -> str:
    """As a file of the same table would have it; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, Decimal):
        text = format(value, "f")
    elif isinstance(value, datetime):
        text = value.isoformat(" ")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, bytes | bytearray | memoryview):
        text = bytes(value[: MOST_CHARACTERS // 2]).hex()
    elif isinstance(value, list | tuple | dict | set | frozenset):
        listed = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        text = json.dumps(listed, default=_text, ensure_ascii=False)
    else:
        text = str(value)
    return text[:MOST_CHARACTERS].replace("\0", "")


def _too_large(most_bytes: int) -> DatabaseProblem:
    return DatabaseProblem(
        _("The query gives more than %(most)d MB. Ask for fewer rows or columns.")
        % {"most": most_bytes // 1_000_000},
        "statement",
    )
