"""Finds out how a text file is written: its separator, its header, its columns."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from segments import delimiters, line_ends
from segments.encodings import UnreadableFile, in_utf8, must_be_utf8, rewrite
from segments.looks import look
from segments.models import BLANKS
from workspaces.sentences import gettext as _

SAMPLE_ROWS = 20_000
MAX_COLUMNS = 500


@dataclass(frozen=True)
class Dialect:
    encoding: str
    delimiter: str
    quote: str
    escape: str
    skip: int
    columns: tuple[str, ...]
    # Of a file that was a table in text when it came.
    is_text: bool = True
    # Not found out: a person said so.
    is_told: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Dialect":
        return cls(**{**kept, "columns": tuple(kept["columns"])})

    @property
    def options(self) -> str:
        """As `read_csv` takes them; every value is text, every fault of a row is kept."""
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in self.columns)
        return (
            f"auto_detect=false, delim={quoted(self.delimiter)}, quote={quoted(self.quote)},"
            f" escape={quoted(self.escape)}, header=true,"
            f" skip={self.skip}, columns={{{columns}}}, store_rejects=true, rejects_limit=0,"
            " max_line_size=4000000"
        )


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def cell(name: str) -> str:
    """The column's text without the blanks around it, NULL when nothing is left.

    Looking at both ends first is five times as fast as looking for everything that is to go.
    """
    value = identifier(name)
    return (
        f"CASE WHEN unicode({value}) BETWEEN 33 AND 126 AND unicode(right({value}, 1)) BETWEEN 33"
        f" AND 126 THEN {value} ELSE nullif(trim({value}, {quoted(BLANKS)}), '') END"
    )


def find_dialect(path: Path) -> Dialect:
    """How the file is written. Raises `UnreadableFile`."""
    if path.stat().st_size == 0:
        raise UnreadableFile(_("The file is empty. Choose a file with a header and rows."))
    encoding = in_utf8(path)
    line_ends.make_one(path, '"')
    if said := delimiters.said(path):
        return Dialect(encoding, said, '"', '"', 1, _names(path, said, '"', 1))
    delimiter, fits = delimiters.common(path)
    if not delimiter:
        delimiter = delimiters.unusual(path)
        fits = bool(delimiter)
    if fits:
        return Dialect(encoding, delimiter, '"', '"', 0, _names(path, delimiter, '"', 0))
    try:
        delimiter, quote, escape, skip = _sniffed(path)
    except duckdb.Error as problem:
        if not delimiter:
            raise _no_table() from problem
        quote, escape, skip = '"', '"', 0
    columns = _names(path, delimiter, quote, skip)
    return Dialect(
        encoding,
        delimiter,
        '"' if quote in ("(empty)", "") else quote,
        '"' if escape in ("(empty)", "") else escape,
        int(skip),
        columns,
    )


def told_dialect(
    path: Path, before: Dialect, *, encoding: str, delimiter: str, quote: str, skip: int
) -> Dialect:
    """As a person says that the file is written, which `before` has been read as; it is rewritten
    in place. Raises `UnreadableFile`, and the file may be anything then.
    """
    if encoding != before.encoding:
        rewrite(path, "utf-8", before.encoding)
        _rewrite_as_told(path, encoding)
    line_ends.make_one(path, quote)
    columns = _names(path, delimiter, quote, skip)
    return Dialect(encoding, delimiter, quote, quote, skip, columns, is_told=True)


def part_told(path: Path, told: Mapping[str, Any]) -> Dialect:
    """As a person says that a file is written, in some of what `told_dialect` takes; the rest is
    found out. It is rewritten in place. Raises `UnreadableFile`.
    """
    encoding = told.get("encoding")
    if encoding is None:
        encoding = in_utf8(path)
    else:
        _rewrite_as_told(path, encoding)
    delimiter = told.get("delimiter") or delimiters.common(path)[0] or delimiters.unusual(path)
    quote, skip = told.get("quote", '"'), told.get("skip", 0)
    line_ends.make_one(path, quote)
    columns = _names(path, delimiter or ",", quote, skip)
    return Dialect(encoding, delimiter or ",", quote, quote, skip, columns, is_told=True)


def _rewrite_as_told(path: Path, encoding: str) -> None:
    try:
        rewrite(path, encoding, "utf-8")
    except UnreadableFile as other:
        raise UnreadableFile(_("The file is not in this encoding. Choose another one.")) from other


def told_before(path: Path, before: Dialect) -> Dialect | None:
    """As an earlier file of the source was told to be written, if this one has the same header.

    It is in UTF-8 then, and else as it was.
    """
    try:
        columns = _names(path, before.delimiter, before.quote, before.skip, before.encoding)
        if columns != before.columns:
            return None
        if not before.encoding.startswith("utf-") and must_be_utf8(path):
            before = replace(before, encoding="utf-8")
        rewrite(path, before.encoding, "utf-8")
    except (UnreadableFile, UnicodeError):
        return None
    line_ends.make_one(path, before.quote)
    return before


def _sniffed(path: Path) -> Any:
    with look() as connection:
        return connection.execute(
            f"SELECT Delimiter, Quote, Escape, SkipRows FROM"  # noqa: S608 - quoted
            f" sniff_csv({quoted(str(path))}, sample_size={SAMPLE_ROWS},"
            f" all_varchar=true, ignore_errors=true, null_padding=true)"
        ).fetchone()


def _no_table() -> UnreadableFile:
    return UnreadableFile(
        _("The file does not look like a table. Export it as CSV with a header and try again.")
    )


def _names(
    path: Path, delimiter: str, quote: str, skip: int, encoding: str = "utf-8"
) -> tuple[str, ...]:
    """The first row is the header: in a file that is all text a sniffer can't tell."""
    with path.open(encoding=encoding, newline="") as file:
        for _skipped in range(skip):
            file.readline()
        rows = csv.reader(
            file,
            delimiter=delimiter,
            quotechar=quote if len(quote) == 1 else '"',
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        )
        try:
            header = next(rows, [])
        except csv.Error as problem:
            raise _no_table() from problem
    return checked_names(header)


def checked_names(header: Sequence[str]) -> tuple[str, ...]:
    """The names of a table's columns, if they will do. Raises `UnreadableFile`."""
    header = [name.strip() for name in header]
    if not header:
        raise _no_table()
    if len(header) > MAX_COLUMNS:
        raise UnreadableFile(
            _("The file has %(count)d columns, and %(most)d is the most. Remove some first.")
            % {"count": len(header), "most": MAX_COLUMNS}
        )
    blank = [number for number, name in enumerate(header, 1) if not name]
    if blank:
        raise UnreadableFile(
            _("Column %(number)d has no name. Give every column a name in the first row.")
            % {"number": blank[0]}
        )
    seen: set[str] = set()
    for name in header:
        # DuckDB takes names that differ by case alone for one.
        if name.lower() in seen:
            raise UnreadableFile(
                _("Two columns are named “%(name)s”. Give each its own name.") % {"name": name}
            )
        seen.add(name.lower())
        if len(name) > 255:
            raise UnreadableFile(_("A column’s name is longer than 255 characters. Shorten it."))
    return tuple(header)
