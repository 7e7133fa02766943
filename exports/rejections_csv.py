"""The profiles that a run did not send, as a CSV that a spreadsheet opens safely."""

import csv
from collections.abc import Iterator
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django_scopes import scope

from exports import reasons
from exports.models import Rejection, Run
from workspaces.spreadsheet import safe_cell

ROWS_AT_ONCE = 2_000
BYTE_ORDER_MARK = "\ufeff"


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


def lines(run: Run, found: Any, language: str) -> Iterator[str]:
    """The lines of the file, a few thousand rows in memory at once.

    They are asked for after the request has ended, so they open their own workspace and language.
    """
    writer = csv.writer(_Line())
    with scope(workspace=run.workspace), translation.override(language):
        yield BYTE_ORDER_MARK + writer.writerow(
            [_("Profile key"), _("E-mail address"), _("Outcome"), _("Reason"), _("What it means")]
        )
        for rejection in found.iterator(chunk_size=ROWS_AT_ONCE):
            yield writer.writerow(_cells(rejection))


def _cells(rejection: Rejection) -> list[str]:
    return [
        safe_cell(text)
        for text in (
            rejection.profile_key,
            rejection.address,
            str(rejection.get_kind_display()),
            reasons.label(rejection.reason),
            reasons.text(rejection.reason, rejection.detail),
        )
    ]
