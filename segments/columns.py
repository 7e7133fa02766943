"""Proposes what each column of a file is: its type, and which one is the key."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from segments.conversion import DATE_FORMATS, JSON_LIST, SEPARATORS, conversion
from segments.dialect import Dialect, UnreadableFile, cell, identifier, quoted
from segments.models import AttributeType
from workspaces.sentences import gettext as _

SAMPLE_ROWS = 10_000
SHOWN_ROWS = 5
KEY_NAME = re.compile(r"key|id$|^id|number|code|nummer|clau|clave", re.IGNORECASE)
EMAIL_NAME = re.compile(r"e-?mail|correu|correo", re.IGNORECASE)
# Digits that nobody adds up: as numbers they would lose their zeros.
STAYS_TEXT = re.compile(
    r"phone|zip|post|tel|mobile|fax|key|code|ssn|iban|number$|^id$|[_ -]id$|(?-i:[a-z]I[dD]$)",
    re.IGNORECASE,
)

# Of a comma's or another separator's list: how many values hold it, how long its texts are, and
# how often each comes back.
SOME_OF_THEM = 0.2
LONGEST_OF_LIST = 60
MANY_VALUES = 50


@dataclass(frozen=True)
class Column:
    """A column of the file and what becomes of it; `format` is a form of `segments.conversion`."""

    column: str
    attribute: str
    label: str
    type: str
    keep: bool = True
    format: str = ""

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class Proposal:
    columns: tuple[Column, ...]
    key: str
    rows: tuple[tuple[str, ...], ...]


def propose(path: Path, dialect: Dialect) -> Proposal:
    """What the columns seem to be, from the first rows; with a few rows to show.

    Raises `UnreadableFile`.
    """
    try:
        return _propose(path, dialect)
    except duckdb.Error as problem:
        raise UnreadableFile(
            _("The file can't be read to its end. Check that it is whole and try again.")
        ) from problem


def _propose(path: Path, dialect: Dialect) -> Proposal:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        trimmed = ", ".join(f"{cell(name)} AS {identifier(name)}" for name in dialect.columns)
        connection.execute(
            f"CREATE TABLE sample AS SELECT {trimmed} FROM"  # noqa: S608 - quoted
            f" read_csv({quoted(str(path))}, {dialect.options}) LIMIT {SAMPLE_ROWS}"
        )
        columns = tuple(_column(connection, name) for name in dialect.columns)
        rows = connection.execute(f"SELECT * FROM sample LIMIT {SHOWN_ROWS}").fetchall()  # noqa: S608
        key = _key(connection, dialect.columns)
    shown = tuple(tuple("" if value is None else str(value) for value in row) for row in rows)
    return Proposal(columns, key, shown)


def _column(connection: duckdb.DuckDBPyConnection, name: str) -> Column:
    value = identifier(name)
    kind, form = AttributeType.TEXT.value, ""
    if not STAYS_TEXT.search(name):
        for candidate, candidate_format in _candidates():
            column = Column(name, name, name, candidate, True, candidate_format)
            if _all_convert(connection, column, value):
                kind, form = candidate, candidate_format
                break
        else:
            if not EMAIL_NAME.search(name) and (separator := _separator(connection, value)):
                kind, form = AttributeType.LIST.value, separator
    return Column(name, name, name, kind, True, form)


def _candidates() -> list[tuple[str, str]]:
    return [
        (AttributeType.BOOLEAN.value, ""),
        (AttributeType.INTEGER.value, ""),
        (AttributeType.NUMBER.value, ""),
        *((AttributeType.DATE.value, form) for form in DATE_FORMATS),
        (AttributeType.DATETIME.value, ""),
        (AttributeType.LIST.value, JSON_LIST),
    ]


def _all_convert(connection: duckdb.DuckDBPyConnection, column: Column, value: str) -> bool:
    extra = "false"
    if column.type == AttributeType.BOOLEAN:
        extra = f"{value} IN ('0', '1')"
    elif column.type == AttributeType.INTEGER:
        # 40000.0000 is whole, but whoever writes it so has others in mind.
        extra = f"NOT regexp_full_match({value}, '-?(0|[1-9][0-9]{{0,14}})')"
    elif column.type == AttributeType.NUMBER:
        extra = f"regexp_matches({value}, '^0[0-9]') OR length({value}) > 15"
    elif column.type == AttributeType.DATE and column.format == DATE_FORMATS[0]:
        extra = (
            f"NOT regexp_full_match({value},"
            " '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00(:00(\\.0+)?)?)?')"
        )
    found = connection.execute(
        f"SELECT count({value}), count(*) FILTER (WHERE {value} IS NOT NULL"  # noqa: S608
        f" AND (({conversion(column.type, column.format, value)}) IS NULL OR {extra})) FROM sample"
    ).fetchone()
    return bool(found and found[0] and not found[1])


def _separator(connection: duckdb.DuckDBPyConnection, value: str) -> str:
    """What separates the texts of a list in the column; empty when it holds single texts."""
    return next((one for one in SEPARATORS if _separates(connection, value, one)), "")


def _separates(connection: duckdb.DuckDBPyConnection, value: str, separator: str) -> bool:
    """Some values hold it, and what is between is short and comes back.

    Commas are in names, addresses and numbers too: there, lists differ in length and keep to a few
    texts.
    """
    found = connection.execute(
        f"WITH filled AS (SELECT {value} AS v FROM sample WHERE {value} IS NOT NULL),"  # noqa: S608
        f" parts AS (SELECT trim(unnest(string_split(v, {quoted(separator)}))) AS part FROM filled)"
        f" SELECT count(*), count(*) FILTER (WHERE contains(v, {quoted(separator)})),"
        f" count(DISTINCT length(string_split(v, {quoted(separator)}))),"
        " (SELECT count(*) FROM parts), (SELECT count(DISTINCT part) FROM parts),"
        " (SELECT max(length(part)) FROM parts),"
        " bool_or(regexp_full_match(v, '[-+0-9.,]+')) FROM filled"
    ).fetchone()
    filled, holding, lengths, parts, different, longest, numbers = found or (0,) * 7
    if not filled or holding < SOME_OF_THEM * filled or longest > LONGEST_OF_LIST:
        return False
    if separator == ",":
        return bool(lengths > 1 and parts >= 3 * different and not numbers)
    return bool(parts >= 2 * different or (parts > different and filled < MANY_VALUES))


def _key(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> str:
    """The likeliest key: never empty, hardly doubled, named like one; else an e-mail column."""
    scored = []
    for position, name in enumerate(names):
        value = identifier(name)
        found = connection.execute(
            f"SELECT count(*), count({value}), count(DISTINCT {value}) FROM sample"  # noqa: S608
        ).fetchone()
        rows, filled, distinct = found or (0, 0, 0)
        if not rows or filled < rows or distinct < 0.9 * rows:
            continue
        named = 2 if KEY_NAME.search(name) else 1 if EMAIL_NAME.search(name) else 0
        scored.append((named, distinct == rows, -position, name))
    return max(scored)[3] if scored else names[0]
