"""Reads a file into rows ready to be merged, with DuckDB: flat in memory, both cores at work.

Every row ends as exactly one of: staged, superseded by a later row of its key, or refused with
its row number, column and reason. Rows count from 1, without the header.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson
from django.utils.translation import gettext as _

from segments.columns import Column
from segments.conversion import conversion
from segments.dialect import Dialect, UnreadableFile, cell, quoted
from segments.models import AttributeType

MEMORY_LIMIT = "700MB"
LONGEST_KEY = 255
LONGEST_VALUE = 32_000
LONGEST_SHOWN_VALUE = 200
# The row's number among the file's own columns, whose names never end with a blank.
ROW_NUMBER = '"row "'
REASONS = {
    AttributeType.INTEGER: "not_a_whole_number",
    AttributeType.NUMBER: "not_a_number",
    AttributeType.DATE: "not_a_date",
    AttributeType.DATETIME: "not_a_date_time",
    AttributeType.BOOLEAN: "not_yes_or_no",
    AttributeType.LIST: "not_a_list",
}


@dataclass(frozen=True)
class Reading:
    """What a file held. `staged` and `refused_rows` are CSV files for COPY, without a header."""

    read: int
    superseded: int
    refused: int
    staged: Path
    refused_rows: Path


def read(
    path: Path, dialect: Dialect, columns: Sequence[Column], key: str, scratch: Path
) -> Reading:
    """Reads the whole file. Raises `UnreadableFile`."""
    staged, refused_rows = scratch / "staged.csv", scratch / "refused.csv"
    kept = [column for column in columns if column.keep]
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2}) as connection:
        connection.execute("SET TimeZone='UTC'")
        connection.execute(f"SET temp_directory={quoted(str(scratch / 'spill'))}")
        try:
            connection.execute(
                f"CREATE TABLE raw AS SELECT row_number() OVER () AS {ROW_NUMBER}, *"  # noqa: S608
                f" FROM read_csv({quoted(str(path))}, {dialect.options})"
            )
            connection.execute(_judged(kept, key))
        except duckdb.Error as problem:
            raise UnreadableFile(
                _("The file can't be read to its end. Check that it is whole and try again.")
            ) from problem
        _refuse_unparsable(connection)
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM judged), (SELECT count(*) FROM refused),"
            " (SELECT count(*) FROM judged WHERE problem IS NULL),"
            " (SELECT count(DISTINCT key) FROM judged WHERE problem IS NULL),"
            " (SELECT count(*) FROM unparsable)"
        ).fetchone()
        rows, refused, good, keys, unparsable = counts or (0, 0, 0, 0, 0)
        connection.execute(f"COPY ({_LAST_OF_KEY}) TO {quoted(str(staged))} (HEADER false)")
        connection.execute(
            "COPY (SELECT n, col, said, reason FROM refused ORDER BY n)"  # noqa: S608 - quoted
            f" TO {quoted(str(refused_rows))} (HEADER false)"
        )
    return Reading(rows + unparsable, good - keys, refused, staged, refused_rows)


_LAST_OF_KEY = """
SELECT key, arg_max(attributes, n) FROM judged WHERE problem IS NULL GROUP BY key ORDER BY key
"""


def _judged(kept: Sequence[Column], key: str) -> str:
    """A table `judged`: each row's key and attributes as JSON text, or its first problem."""
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
        parts.append(f"{member} || {json}")
    attributes = f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'" if parts else "'{}'"
    key_name = quoted(key)
    return f"""
    CREATE TABLE judged AS
    WITH trimmed AS (
        SELECT {ROW_NUMBER} AS n, {key_value} AS key{"".join(trimmed)} FROM raw
    ),
    converted AS (SELECT *{"".join(converted)} FROM trimmed)
    SELECT n, key, {attributes} AS attributes,
        CASE WHEN key IS NULL THEN [{key_name}, '', 'no_key']
            WHEN length(key) > {LONGEST_KEY} THEN [{key_name}, left(key, 50), 'too_long']
            {" ".join(problems)} END AS problem
    FROM converted
    """  # noqa: S608 - of quoted names


def _json_text(name: str) -> str:
    return orjson.dumps(name).decode()


def _refuse_unparsable(connection: duckdb.DuckDBPyConnection) -> None:
    """Rows that the reader itself gave up on are refused too, each once, by their line."""
    connection.execute("CREATE TABLE unparsable (n BIGINT, col VARCHAR, reason VARCHAR)")
    with suppress(duckdb.CatalogException):
        connection.execute(
            "INSERT INTO unparsable SELECT line - 1, any_value(column_name),"
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
        " SELECT n + (SELECT count(*) FROM gaps WHERE good_before < n) AS n,"
        " problem[1] AS col, problem[2] AS said, problem[3] AS reason"
        " FROM judged WHERE problem IS NOT NULL"
        " UNION ALL SELECT n, coalesce(col, ''), '', reason FROM unparsable"
    )
