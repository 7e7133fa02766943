"""CSV files that a spreadsheet opens safely, whatever the data holds."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from django.utils import translation
from django_scopes import scope

from workspaces.models import Workspace

BYTE_ORDER_MARK = "\ufeff"

# With those as wide as a Chinese character, which some spreadsheets take for the same. Blanks
# before, seen or unseen, don't make a formula any safer.
BLANKS = " \u00a0\u200b\u2060\u3000\ufeff"
FORMULA = re.compile(rf"[{BLANKS}]*[=+\-@＝＋－＠\t\r\n]")
# A spreadsheet set to Spanish or Catalan begins a cell after each of these, whatever the quotes.
INNER_FORMULA = re.compile(rf"([;\t\r\n][{BLANKS}\"]*)(?=[=+\-@＝＋－＠])")


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula.

    See OWASP, "CSV Injection".
    """
    text = INNER_FORMULA.sub(r"\1'", text)
    return f"'{text}" if FORMULA.match(text) else text


def csv_lines(
    workspace: Workspace, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[str]:
    """The lines of a file, each as it is asked for: after the request has ended.

    So the rows are read in the workspace's scope and the language at hand now.
    """
    language = translation.get_language()
    return _lines(workspace, header, rows, language)


def _lines(
    workspace: Workspace,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    language: str | None,
) -> Iterator[str]:
    with scope(workspace=workspace), translation.override(language):
        yield from written(header, rows)


def written(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    # Columns have been named by people, too.
    yield BYTE_ORDER_MARK + writer.writerow([safe_cell(str(name)) for name in header])
    for row in rows:
        yield writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])


def in_address(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A small file that is an address of its own, for a link to download."""
    return f"data:text/csv;charset=utf-8,{quote(''.join(written(header, rows)))}"


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line
