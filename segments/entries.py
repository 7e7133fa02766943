"""Entries of a static segment's list, out of what was pasted or uploaded."""

import csv
import re
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from segments import pasted
from segments.encodings import UnreadableFile, received
from segments.models import BLANKS

LONGEST_ENTRY = 255
MOST_ENTRIES = 1_000_000
SHOWN_REFUSED = 10
SNIFFED = 64 * 1024
DELIMITERS = ",;\t|"
# An address as mail programs copy it: Ann <ann@example.org>.
NAMED = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")
SEVERAL = re.compile(r"[,;\s]+")
UNFIT = re.compile("[\0\n\r\ud800-\udfff]")

Rows = Iterable[list[str]]


class TooMany(Exception):
    """How many entries a list can have; the message is for people."""


def of_text(text: str) -> Rows:
    """The rows of a text pasted from a spreadsheet, or typed.

    A single row is a list itself; addresses can also have commas or semicolons between them.
    """
    rows = [row for row in pasted.rows(text) if any(row)]
    if len(rows) == 1:
        return [[cell] for cell in rows[0]]
    return rows


@contextmanager
def of_file(blocks: Iterable[bytes]) -> Iterator[Rows]:
    """The rows of a text file, whatever its encoding and delimiter. Raises `UnreadableFile`."""
    with received(blocks) as path, path.open(encoding="utf-8", newline="") as lines:
        start = lines.read(SNIFFED)
        lines.seek(0)
        yield _rows(csv.reader(lines, delimiter=_delimiter(start)))


def _rows(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as problem:
        raise UnreadableFile(
            _("The file can’t be read to its end. Check that it is whole and try again.")
        ) from problem


def _delimiter(start: str) -> str:
    """That of most lines; one that no line has where the file is a single column."""
    lines = start.splitlines()[:100]
    return max(DELIMITERS, key=lambda one: sum(one in line for line in lines))


def too_many() -> TooMany:
    return TooMany(
        _("A list has at most %(most)s entries. Split it into several segments.")
        % {"most": number_format(MOST_ENTRIES, force_grouping=True)}
    )


class Reading:
    """Passes on a list's values, and counts what it left out.

    The column is the one headed by one of the names (in lower case); without such a heading the
    first of each row, or the first with an `@` where addresses are looked for.
    """

    def __init__(self, rows: Rows, names: Set[str], *, finds_addresses: bool) -> None:
        self.rows, self.names, self.finds_addresses = rows, names, finds_addresses
        self.given = self.refused = 0
        self.first_refused: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        column: int | None = None
        is_first = True
        for number, cells in enumerate(self.rows, start=1):
            row = [cell.strip(BLANKS) for cell in cells]
            if not any(row):
                continue
            headed = [at for at, cell in enumerate(row) if cell.lower() in self.names]
            if is_first and headed:
                column = headed[0]
            else:
                for value in self._values(row, column):
                    yield from self._judged(value, number)
            is_first = False

    def _values(self, row: list[str], column: int | None) -> list[str]:
        """A row's value; several addresses in one cell are as many."""
        if column is not None:
            found = row[column] if column < len(row) else ""
        elif self.finds_addresses:
            found = next((cell for cell in row if "@" in cell), row[0])
        else:
            found = row[0]
        if self.finds_addresses and (named := NAMED.findall(found)):
            return list(named)
        if self.finds_addresses and found.count("@") > 1:
            return [one for one in SEVERAL.split(found) if one]
        return [found]

    def _judged(self, value: str, number: int) -> Iterator[str]:
        if not value or len(value) > LONGEST_ENTRY or UNFIT.search(value):
            self.refused += 1
            if len(self.first_refused) < SHOWN_REFUSED:
                self.first_refused.append((number, value[:60]))
            return
        self.given += 1
        if self.given > MOST_ENTRIES:
            raise too_many()
        yield value
