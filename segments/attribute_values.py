"""What an attribute's values become under another type: read out, converted as an import would."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from django.db import connection

from segments import attribute_sql as sql
from segments import line_ends
from segments.conversion import conversion
from segments.dialect import quoted
from segments.models import BLANKS, Attribute, AttributeType
from segments.operators import DAYS

EXAMPLES = 10
LONGEST_SHOWN = 200
MOST = 2**62


@dataclass(frozen=True)
class Example:
    """A value that does not convert, and whose it is."""

    profile_id: int
    key: str
    value: str


@dataclass(frozen=True)
class Outcome:
    """`path` is a CSV file of profile ids and JSON values, empty for what does not convert."""

    values: int
    failing: int
    examples: list[Example]
    path: Path

    @property
    def converting(self) -> int:
        return self.values - self.failing


@contextmanager
def converted(
    attribute: Attribute, kind: str, form: str, *, most: int = MOST, writes: bool = True
) -> Iterator[Outcome]:
    """Converts up to `most` values; the file is there inside the block, if it `writes` one."""
    with tempfile.TemporaryDirectory() as folder:
        values, written = Path(folder) / "values.csv", Path(folder) / "converted.csv"
        with connection.cursor() as cursor, values.open("wb") as file:
            parameters = {
                "workspace": attribute.workspace_id,
                "name": attribute.name,
                "most": most,
            }
            cursor.copy_expert(cursor.mogrify(sql.COPY_OUT, parameters).decode(), file)
        with duckdb.connect(config={"memory_limit": "500MB", "threads": 2}) as database:
            database.execute("SET TimeZone='UTC'")
            database.execute(f"SET temp_directory={quoted(str(Path(folder) / 'spill'))}")
            database.execute(_converted(attribute, kind, form, values))
            counts = database.execute(
                "SELECT count(v), count(*) FILTER (WHERE fails) FROM converted"
            ).fetchone()
            examples = database.execute(
                f"SELECT id, key, left(v, {LONGEST_SHOWN}) FROM converted"  # noqa: S608
                f" WHERE fails ORDER BY key LIMIT {EXAMPLES}"
            ).fetchall()
            if writes:
                database.execute(
                    f"COPY (SELECT id, nullif(json, '[]') FROM converted)"  # noqa: S608
                    f" TO {quoted(str(written))} (HEADER false)"
                )
        all_of_them, failing = counts or (0, 0)
        yield Outcome(all_of_them, failing, [Example(*one) for one in examples], written)


def _converted(attribute: Attribute, kind: str, form: str, values: Path) -> str:
    # Whatever its source writes, a day is kept in one form.
    read_as = "" if attribute.type in DAYS else form
    in_parts = "false" if line_ends.are_quoted(values) else "true"
    return f"""
    CREATE TABLE converted AS
    WITH read AS (
        SELECT id, key, nullif(trim(v, {quoted(BLANKS)}), '') AS v FROM read_csv(
            {quoted(str(values))}, header=false, auto_detect=false, delim=',', quote='"',
            escape='"', nullstr='', allow_quoted_nulls=false, max_line_size=100000000,
            parallel={in_parts},
            columns={{'id': 'BIGINT', 'key': 'VARCHAR', 'v': 'VARCHAR'}})
    ),
    meant AS (SELECT *, {_meant(attribute, kind)} AS m FROM read),
    done AS (SELECT id, key, v, {conversion(kind, read_as, "m")} AS json FROM meant)
    SELECT *, v IS NOT NULL AND json IS NULL AS fails FROM done
    """  # noqa: S608 - of expressions of ours


def _meant(attribute: Attribute, kind: str) -> str:
    """A moment is of the day that it falls on where the workspace is, a day begins there."""
    zone = quoted(attribute.workspace.tzinfo.key)
    change = (attribute.type, kind)
    if change == (AttributeType.DATETIME, AttributeType.DATE):
        day = f"strftime(timezone({zone}, TRY_CAST(v AS TIMESTAMPTZ)), '%Y-%m-%d')"
        return f"coalesce({day}, v)"
    if change == (AttributeType.DATE, AttributeType.DATETIME):
        return f"coalesce(timezone({zone}, TRY_CAST(v AS TIMESTAMP))::VARCHAR, v)"
    return "v"
