"""Which rows of an import make sense, and what each bad one counts as."""

import datetime
import re
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

MAX_EMAIL = 80
MAX_NAME = 50
MAX_CUSTOM_FIELDS = 50
_LOCAL = r"[^\s,()\[\]@<>;:\"\\]+"
_LABEL = r"[^\s,()\[\]@<>;:\"\\.]"
EMAIL = re.compile(rf"{_LOCAL}@(?:{_LABEL}+\.)+{_LABEL}{{2,}}")
# Many ordinary addresses at once, a line each: one match instead of 40,000.
ORDINARY_EMAILS = re.compile(
    r"[\w.+'-]++@(?:[\w-]++\.)+\w{2,}+(?:\n[\w.+'-]++@(?:[\w-]++\.)+\w{2,}+)*+", re.ASCII
)
DATE = re.compile(
    r"(?P<year>\d{4})(?P<mark>[/-])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
    r"|(?:(?P<m>\d{1,2})/(?P<d>\d{1,2})/|(?P<m1>\d)-(?P<d1>\d{1,2})-)(?P<y>\d{4})"
)
ORDINARY = frozenset({"email", "first_name", "last_name"})
DATES = ("anniversary", "sms_consent_date")
BIRTHDAY = ("birthday_month", "birthday_day")
PHONES = ("phone", "home_phone", "work_phone", "mobile_phone", "other_phone")
ADDRESS_PARTS = {
    "street": 255,
    "street2": 255,
    "city": 50,
    "state": 50,
    "zip": 50,
    "country": 50,
}
ADDRESS_KINDS = ("", "home_", "work_", "other_")
LENGTHS = {
    "first_name": MAX_NAME,
    "last_name": MAX_NAME,
    "job_title": 50,
    "company_name": 50,
    "anniversary": 10,
    "sms_number": 16,
    "sms_consent_date": 16,
    **dict.fromkeys(PHONES, 50),
    **{f"{kind}{part}": most for kind in ADDRESS_KINDS for part, most in ADDRESS_PARTS.items()},
}
CUSTOM_LENGTH = 255


class Columns(NamedTuple):
    """Rows that hold an ordinary address, a first and a last name, and are all right."""

    keys: list[str]
    emails: list[str]
    first_names: list[str]
    last_names: list[str]

    def part(self, start: int, count: int) -> "Columns":
        return Columns(*(column[start : start + count] for column in self))


def columns_of(rows: Sequence[Any]) -> Columns | None:
    """None when any row is not ordinary: then each needs a look of its own."""
    if set(map(type, rows)) != {dict} or {frozenset(row) for row in set(map(tuple, rows))} != {
        ORDINARY
    }:
        return None
    emails = [row["email"] for row in rows]
    first_names = [row["first_name"] for row in rows]
    last_names = [row["last_name"] for row in rows]
    if not all(set(map(type, column)) == {str} for column in (emails, first_names, last_names)):
        return None
    if max(map(len, emails)) > MAX_EMAIL:
        return None
    if max(max(map(len, first_names)), max(map(len, last_names))) > MAX_NAME:
        return None
    joined = "\n".join(emails)
    if joined.count("\n") >= len(emails) or not ORDINARY_EMAILS.fullmatch(joined):
        return None
    lower = joined.lower()
    keys = emails if lower == joined else lower.split("\n")
    return Columns(
        keys, emails, list(map(sys.intern, first_names)), list(map(sys.intern, last_names))
    )


def values_of(row: dict[str, Any]) -> dict[str, Any]:
    """What a row says, under the names that it should have used; null says nothing."""
    return {
        "home_country" if name == "home country" else name: value
        for name, value in row.items()
        if value is not None
    }


def problem_of(row: Any) -> str:
    """The counter that a bad row goes to, or nothing; properties unknown to it don't matter."""
    if not isinstance(row, dict):
        return "error_count"
    values = values_of(row)
    email = values.get("email")
    if email is None and values.get("sms_number"):
        # It has no SMS channel.
        return "error_count"
    if not isinstance(email, str) or len(email) > MAX_EMAIL or not EMAIL.fullmatch(email):
        return "correctable_count"
    custom = [name for name in values if name.startswith("cf:")]
    if len(custom) > MAX_CUSTOM_FIELDS:
        return "error_count"
    for name, value in values.items():
        most = CUSTOM_LENGTH if name.startswith("cf:") else LENGTHS.get(name)
        if most is not None and (not isinstance(value, str) or len(value) > most):
            return "error_count"
    return "" if _dates_make_sense(values) else "correctable_count"


def _dates_make_sense(values: dict[str, Any]) -> bool:
    if any(name in values and not is_date(values[name]) for name in DATES):
        return False
    return birthday_makes_sense(values)


def is_date(text: str) -> bool:
    """A day that there is, in one of the forms that the provider takes."""
    found = DATE.fullmatch(text)
    if found is None:
        return False
    parts = (("year", "y"), ("month", "m", "m1"), ("day", "d", "d1"))
    try:
        datetime.date(*(int(next(filter(None, map(found.group, names)))) for names in parts))
    except ValueError:
        return False
    return True


def birthday_makes_sense(values: dict[str, Any]) -> bool:
    """Month and day, or neither."""
    month, day = values.get("birthday_month"), values.get("birthday_day")
    if month is None and day is None:
        return True
    return type(month) is type(day) is int and 1 <= month <= 12 and 1 <= day <= 31
