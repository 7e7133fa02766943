"""Why a row of a file was refused, in words."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "no_key": _("The key is empty"),
    "too_long": _("The value is too long"),
    "not_a_number": _("Not a number"),
    "not_a_whole_number": _("Not a whole number, or too large"),
    "not_a_date": _("Not a date"),
    "not_a_date_time": _("Not a date and time"),
    "not_yes_or_no": _("Neither yes nor no"),
    "not_a_list": _("Not a list of texts in JSON"),
    "missing_columns": _("The row has too few columns"),
    "too_many_columns": _("The row has too many columns"),
    "bad_quotes": _("The quotation marks do not match"),
    "unreadable": _("The row can’t be read"),
    "erased": _("Somebody who was erased and does not come back"),
}


def reason_text(code: str) -> str:
    return str(REASONS[code])
