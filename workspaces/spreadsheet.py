"""CSV files that a spreadsheet opens safely, whatever the data holds."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.utils import translation
from django_scopes import scope

from workspaces.models import Workspace

BYTE_ORDER_MARK = "\ufeff"

STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula.

    See OWASP, "CSV Injection". Blanks before the formula don't make it any safer.
    """
    if text.lstrip(" \u00a0").startswith(STARTS_OF_FORMULAS):
        return f"'{text}"
    return text


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
    yield BYTE_ORDER_MARK + writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line
