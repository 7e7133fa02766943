"""Reads a file into rows ready to be merged, with DuckDB: flat in memory, both cores at work.

Every row ends as exactly one of: staged, superseded by a later row of its key, or refused with
its row number, column and reason. Rows count from 1, without the header.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson

from config.full_disk import is_full
from segments import line_ends
from segments.columns import Column
from segments.conversion import conversion
from segments.dialect import Dialect, cell, quoted
from segments.encodings import UnreadableFile
from segments.models import AttributeType
from workspaces.sentences import gettext as _

MEMORY_LIMIT = "700MB"
LOOKED_AT = 1024 * 1024
LONGEST_KEY = 255
LONGEST_VALUE = 32_000
LONGEST_SHOWN_VALUE = 200
REASONS = {
    AttributeType.INTEGER: "not_a_whole_number",
    AttributeType.NUMBER: "not_a_number",
    AttributeType.DATE: "not_a_date",
    AttributeType.DATETIME: "not_a_date_time",
    AttributeType.BOOLEAN: "not_yes_or_no",
    AttributeType.LIST: "not_a_list",
}


# Is in what goes on: the stage's name, what tells the share that is done, the rows if known.
Through = Callable[[str, Callable[[], float], int], AbstractContextManager[None]]


@dataclass(frozen=True)
class Reading:
    """What a file held.

    `staged` and `spared` are what `profile_merge` takes: the profiles, and the keys of rows that
    were refused. `unparsable` rows have no key that anybody could tell. `refused_rows` is CSV
    without a header.
    """

    read: int
    superseded: int
    refused: int
    unparsable: int
    staged: Path
    spared: Path
    refused_rows: Path


def read(
    path: Path,
    dialect: Dialect,
    columns: Sequence[Column],
    key: str,
    scratch: Path,
    through: Through = lambda stage, share, rows: nullcontext(),
) -> Reading:
    """Reads the whole file. Raises `UnreadableFile`."""
    try:
        kept = [column for column in columns if column.keep]
        return _read(path, dialect, kept, key, scratch, through)
    except duckdb.OutOfMemoryException as problem:
        if is_full(problem):
            raise
        raise UnreadableFile(
            _(
                "The file wants more memory than an import may have. Leave out columns that nobody"
                " needs, or cut it into several files."
            )
        ) from problem


def about_rows(path: Path) -> int:
    """How many there may be, by the length of the first ones."""
    with path.open("rb") as file:
        block = file.read(LOOKED_AT)
    return path.stat().st_size * block.count(b"\n") // max(1, len(block))


def _read(
    path: Path,
    dialect: Dialect,
    kept: Sequence[Column],
    key: str,
    scratch: Path,
    through: Through,
) -> Reading:
    staged, spared = scratch / "staged", scratch / "spared"
    refused_rows = scratch / "refused.csv"
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2}) as connection:
        connection.execute("SET TimeZone='UTC'")
        connection.execute(f"SET temp_directory={quoted(str(scratch / 'spill'))}")
        connection.execute("SET enable_progress_bar=true; SET enable_progress_bar_print=false")

        def share() -> float:
            return max(0.0, connection.query_progress()) / 100

        try:
            with through("reading", share, 0):
                connection.execute(_judged(path, dialect, kept, key))
        except duckdb.Error as problem:
            if isinstance(problem, duckdb.OutOfMemoryException) or is_full(problem):
                raise
            raise UnreadableFile(
                _("The file can’t be read to its end. Check that it is whole and try again.")
            ) from problem
        _refuse_unparsable(connection, dialect.skip)
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM judged), (SELECT count(*) FROM refused),"
            " (SELECT count(*) FROM judged WHERE problem IS NULL),"
            " (SELECT count(DISTINCT key) FROM judged WHERE problem IS NULL),"
            " (SELECT count(*) FROM unparsable)"
        ).fetchone()
        rows, refused, good, keys, unparsable = counts or (0, 0, 0, 0, 0)
        with through("sorting", share, keys):
            _write(connection, _staged(has_doubles=keys < good), staged)
        _write(connection, SPARED, spared)
        connection.execute(
            "COPY (SELECT n, col, said, reason FROM refused ORDER BY n)"  # noqa: S608 - quoted
            f" TO {quoted(str(refused_rows))} (HEADER false)"
        )
    return Reading(
        rows + unparsable, good - keys, refused, unparsable, staged, spared, refused_rows
    )


def _in_text_format(value: str) -> str:
    """SQL for DuckDB: the text as COPY's text format wants it."""
    for character, sign in (
        ("chr(92)", "\\\\"),
        ("chr(9)", "\\t"),
        ("chr(10)", "\\n"),
        ("chr(13)", "\\r"),
    ):
        value = f"replace({value}, {character}, {quoted(sign)})"
    return value


SPARED = f"""
SELECT DISTINCT {_in_text_format("key")} FROM judged
WHERE problem IS NOT NULL AND length(key) <= {LONGEST_KEY}
"""  # noqa: S608 - of constants


def _staged(*, has_doubles: bool) -> str:
    """The good rows in key order; of each key the last."""
    last = "rowid IN (SELECT max(rowid) FROM judged WHERE problem IS NULL GROUP BY key)"
    return f"""
    SELECT {_in_text_format("key")}, replace(attributes, chr(92), repeat(chr(92), 2))
    FROM judged WHERE {last if has_doubles else "problem IS NULL"} ORDER BY key
    """  # noqa: S608 - of constants


def _write(connection: duckdb.DuckDBPyConnection, statement: str, path: Path) -> None:
    copy = (
        f"COPY ({statement}) TO {quoted(str(path))}"
        " (HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '')"
    )
    try:
        connection.execute(copy)
    except duckdb.OutOfMemoryException:
        # Gigabytes of wide rows: the sort of one thread keeps to the limit where that of two can't.
        connection.execute("SET threads = 1")
        connection.execute(copy)


def _judged(path: Path, dialect: Dialect, kept: Sequence[Column], key: str) -> str:
    """A table `judged`: each row's key and attributes as JSON text, or its first problem.

    Its `rowid` is the row's place in the file: rows are kept in the order they were read in. The
    attributes come in the order in which PostgreSQL keeps them, which saves it the sorting.
    """
    trimmed, converted, problems, parts = [], [], [], []
    key_value = cell(key)
    for number, column in enumerate(kept):
        value = f"v{number}"
        trimmed.append(f", {cell(column.column)} AS {value}")
        converted.append(f", {conversion(column.type, column.format, value)} AS c{number}")
        reason = REASONS.get(AttributeType(column.type))
        name = quoted(column.column)
        test = f"length({value}) > {LONGEST_VALUE}"
        problems.append(f"WHEN {test} THEN [{name}, left({value}, 50), 'too_long']")
        if reason:
            problems.append(
                f"WHEN {value} IS NOT NULL AND c{number} IS NULL"
                f" THEN [{name}, left({value}, {LONGEST_SHOWN_VALUE}), '{reason}']"
            )
        member = quoted(f"{_json_text(column.attribute)}:")
        is_list = column.type == AttributeType.LIST
        json = f"nullif(c{number}, '[]')" if is_list else f"c{number}"
        parts.append((_place_in_jsonb(column), f"{member} || {json}"))
    # A reader that begins in the middle may take lines of a quoted value for rows.
    is_apart = line_ends.are_quoted(path, dialect.delimiter, dialect.quote)
    in_parts = "false" if is_apart else "true"
    members = ", ".join(part for _place, part in sorted(parts))
    attributes = f"'{{' || concat_ws(',', {members}) || '}}'" if parts else "'{}'"
    key_name = quoted(key)
    return f"""
    CREATE TABLE judged AS
    WITH trimmed AS (
        SELECT {key_value} AS key{"".join(trimmed)}
        FROM read_csv({quoted(str(path))}, {dialect.options}, parallel={in_parts})
    ),
    converted AS (SELECT *{"".join(converted)} FROM trimmed)
    SELECT key, {attributes} AS attributes,
        CASE WHEN key IS NULL THEN [{key_name}, '', 'no_key']
            WHEN length(key) > {LONGEST_KEY} THEN [{key_name}, left(key, 50), 'too_long']
            {" ".join(problems)} END AS problem
    FROM converted
    """  # noqa: S608 - of quoted names


def _place_in_jsonb(column: Column) -> tuple[int, bytes]:
    name = column.attribute.encode()
    return len(name), name


def _json_text(name: str) -> str:
    return orjson.dumps(name).decode()


def _refuse_unparsable(connection: duckdb.DuckDBPyConnection, skipped: int) -> None:
    """Rows that the reader itself gave up on are refused too, each once, by their line.

    It counts the lines that it was told to skip before the header.
    """
    connection.execute("CREATE TABLE unparsable (n BIGINT, col VARCHAR, reason VARCHAR)")
    with suppress(duckdb.CatalogException):
        connection.execute(
            f"INSERT INTO unparsable SELECT line - {1 + skipped}, any_value(column_name),"  # noqa: S608
            " CASE any_value(error_type)::VARCHAR"
            " WHEN 'MISSING COLUMNS' THEN 'missing_columns'"
            " WHEN 'TOO MANY COLUMNS' THEN 'too_many_columns'"
            " WHEN 'UNQUOTED VALUE' THEN 'bad_quotes'"
            " WHEN 'LINE SIZE OVER MAXIMUM' THEN 'too_long'"
            " ELSE 'unreadable' END FROM reject_errors GROUP BY line"
        )
    connection.execute(
        # The reader numbers the rows it could parse: those it gave up on before each come on top.
        "CREATE TABLE refused AS"
        " WITH gaps AS (SELECT n - row_number() OVER (ORDER BY n) AS good_before FROM unparsable)"
        ", bad AS (SELECT rowid + 1 AS n, problem FROM judged WHERE problem IS NOT NULL)"
        " SELECT n + (SELECT count(*) FROM gaps WHERE good_before < n) AS n,"
        " problem[1] AS col, problem[2] AS said, problem[3] AS reason"
        " FROM bad UNION ALL SELECT n, coalesce(col, ''), '', reason FROM unparsable"
    )
