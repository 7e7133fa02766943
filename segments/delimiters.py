"""Finds out which sign separates the cells of a table in text, by its first rows."""

import csv
import re
from contextlib import suppress
from itertools import islice
from pathlib import Path

COMPARED_ROWS = 1_000
COMMON = ",;\t|"
# No name of a column has them, so that they are tried only where they stand in the header.
UNUSUAL = ":^~#%&*!$+=/\\§¦¬\x01\x02\x1c\x1d\x1e\x1f"

SAID = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)


def said(path: Path) -> str:
    """What a line before the header says, as Excel writes and reads it: `sep=;`. Empty without."""
    with path.open(encoding="utf-8", newline="") as file:
        found = SAID.fullmatch(file.readline(20))
    return found[1] if found else ""


def common(path: Path) -> tuple[str, bool]:
    """The usual separator that makes most columns of the first rows, with quotes as usual; and
    whether it fits every one of them. Empty when none makes more than one column.

    A sniffer that has to tell quotes and types as well goes wrong on short files and odd cells.
    """
    found = []
    for delimiter in COMMON:
        widths = _widths(path, delimiter)
        if widths and widths[0] > 1:
            fitting = widths.count(widths[0])
            found.append((fitting == len(widths), widths[0], fitting, delimiter))
    if not found:
        return "", False
    fits, _width, _fitting, delimiter = max(found)
    return delimiter, fits


def unusual(path: Path) -> str:
    """Another sign of the header that divides every one of the first rows into as many cells."""
    found = []
    for delimiter in UNUSUAL:
        widths = _widths(path, delimiter)
        if len(widths) > 1 and widths[0] > 1 and widths.count(widths[0]) == len(widths):
            found.append((widths[0], delimiter))
    return max(found, default=(0, ""))[1]


def _widths(path: Path, delimiter: str) -> list[int]:
    """How many cells each of the first rows has; up to the first one that is none."""
    widths: list[int] = []
    with path.open(encoding="utf-8", newline="") as file, suppress(csv.Error):
        for row in islice(csv.reader(file, delimiter=delimiter, strict=True), COMPARED_ROWS):
            if not widths and (any('"' in name for name in row) or _in_single_quotes(row)):
                # Quotes around what this would take apart.
                return []
            if row:
                widths.append(len(row))
    return widths


def _in_single_quotes(row: list[str]) -> bool:
    return all(len(name) > 1 and name[0] == name[-1] == "'" for name in row)
