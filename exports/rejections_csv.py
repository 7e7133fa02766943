"""The profiles that a run did not send, as a CSV that a spreadsheet opens safely."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from exports import reasons
from exports.models import Run
from workspaces.spreadsheet import csv_lines

ROWS_AT_ONCE = 2_000


def lines(run: Run, found: Any) -> Iterator[str]:
    """The lines of the file, a few thousand rows in memory at once."""
    rows = (
        (
            rejection.profile_key,
            rejection.address,
            str(rejection.get_kind_display()),
            reasons.label(rejection.reason),
            reasons.text(rejection.reason, rejection.detail),
        )
        for rejection in found.iterator(chunk_size=ROWS_AT_ONCE)
    )
    header = [_("Profile key"), _("E-mail address"), _("Outcome"), _("Reason"), _("What it means")]
    return csv_lines(run.workspace, header, rows)
