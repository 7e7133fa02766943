"""Proposes what each column of a file is: its type, and which one is the key."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from segments.conversion import DATE_FORMATS, JSON_LIST, NO, SEPARATORS, YES, conversion
from segments.dialect import Dialect, cell, identifier, quoted
from segments.encodings import UnreadableFile
from segments.looks import look
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

# What every value of a whole number, and of any number or moment, has to be like.
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
DIGIT = re.compile(r"[0-9]")

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
            _("The file can’t be read to its end. Check that it is whole and try again.")
        ) from problem


@dataclass(frozen=True)
class Facts:
    """What is asked of a column, and of all of them in one question: each costs milliseconds,
    however few the rows are.
    """

    rows: int
    filled: int
    distinct: int
    # Any of its values, and what separates texts in some of them.
    value: str | None
    held: tuple[str, ...]


def _propose(path: Path, dialect: Dialect) -> Proposal:
    with look() as connection:
        trimmed = ", ".join(f"{cell(name)} AS {identifier(name)}" for name in dialect.columns)
        connection.execute(
            f"CREATE TEMP TABLE sample AS SELECT {trimmed} FROM"  # noqa: S608 - quoted
            f" read_csv({quoted(str(path))}, {dialect.options}) LIMIT {SAMPLE_ROWS}"
        )
        facts = _facts(connection, dialect.columns)
        columns = tuple(_column(connection, name, facts[name]) for name in dialect.columns)
        rows = connection.execute(f"SELECT * FROM sample LIMIT {SHOWN_ROWS}").fetchall()  # noqa: S608
    shown = tuple(tuple("" if value is None else str(value) for value in row) for row in rows)
    return Proposal(columns, _key(facts), shown)


def _facts(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, Facts]:
    asked = ["count(*)"]
    for value in map(identifier, names):
        # `count(DISTINCT …)` takes twenty times as long where there are few rows.
        asked += [f"count({value})", f"len(list_distinct(list({value})))", f"any_value({value})"]
        asked += [f"bool_or(contains({value}, {quoted(one)}))" for one in SEPARATORS]
    [found] = connection.execute(f"SELECT {', '.join(asked)} FROM sample").fetchall()  # noqa: S608
    rows, *told = found
    each = len(told) // len(names)
    facts = {}
    for name, start in zip(names, range(0, len(told), each), strict=True):
        filled, distinct, value, *holds = told[start : start + each]
        held = tuple(one for one, some in zip(SEPARATORS, holds, strict=True) if some)
        facts[name] = Facts(rows, filled, distinct, value, held)
    return facts


def _column(connection: duckdb.DuckDBPyConnection, name: str, facts: Facts) -> Column:
    value = identifier(name)
    kind, form = AttributeType.TEXT.value, ""
    if not STAYS_TEXT.search(name):
        for candidate, candidate_format in _candidates():
            column = Column(name, name, name, candidate, True, candidate_format)
            if _may_convert(column, facts.value) and _all_convert(connection, column, value):
                kind, form = candidate, candidate_format
                break
        else:
            if not EMAIL_NAME.search(name):
                separators = (one for one in facts.held if _separates(connection, value, one))
                if separator := next(separators, ""):
                    kind, form = AttributeType.LIST.value, separator
    return Column(name, name, name, kind, True, form)


def _may_convert(column: Column, value: str | None) -> bool:
    """False where one of the values shows already that not all convert."""
    if value is None:
        return False
    if column.type == AttributeType.BOOLEAN:
        return value.lower() in (*YES, *NO)
    if column.type == AttributeType.INTEGER:
        return WHOLE.fullmatch(value) is not None
    if column.type == AttributeType.LIST:
        return "[" in value
    return DIGIT.search(value) is not None


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


def _key(facts: Mapping[str, Facts]) -> str:
    """The likeliest key: never empty, hardly doubled, named like one; else an e-mail column."""
    scored = []
    for position, (name, of) in enumerate(facts.items()):
        if not of.rows or of.filled < of.rows or of.distinct < 0.9 * of.rows:
            continue
        named = 2 if KEY_NAME.search(name) else 1 if EMAIL_NAME.search(name) else 0
        scored.append((named, of.distinct == of.rows, -position, name))
    return max(scored)[3] if scored else next(iter(facts))
