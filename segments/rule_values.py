"""The values of a rule: from JSON or a form's text into what the attribute's type compares."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from segments.operators import DAYS, NUMBERS, PERIODS, UNITS
from workspaces.sentences import Explained, Sentence
from workspaces.sentences import gettext as _

MOST_VALUES = 5_000
LONGEST_VALUE = 1_000
FIRST_YEAR, LAST_YEAR = 1000, 9000
MOST_OF_UNIT = {"days": 36_500, "weeks": 5_200, "months": 1_200, "years": 100}
MOST_ANNIVERSARY_DAYS = 366
NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
WHOLE = re.compile(r"\d{1,9}", re.ASCII)
IDENTIFIER = re.compile(r"\d{1,18}", re.ASCII)
# Values are handed to PostgreSQL in one text, with this between them.
SEPARATOR = "\x1f"
NOT_TEXT = re.compile(f"[\0{SEPARATOR}\ud800-\udfff]")
# The whole numbers that every reader of JSON keeps exactly.
SAFE_WHOLE = 2**53


class Nonsense(Explained):
    """Why a value makes no sense; the message is for people."""


def read(value: Any, unit: Any, kind: str, needs: str) -> tuple[Any, ...]:
    """The values that an operator needs. Raises `Nonsense`."""
    if needs == "nothing":
        return ()
    if needs == "span":
        return _span(value, unit)
    if needs == "days":
        message = _("Give a number of days up to 366: every date comes once a year.")
        return (_whole(value, 0, MOST_ANNIVERSARY_DAYS, message),)
    if needs == "month":
        return (_whole(value, 1, 12, _("Choose a month.")),)
    if needs == "period":
        if not isinstance(value, str) or value not in PERIODS:
            raise Nonsense(_("Choose the week, the month, the quarter or the year."))
        return (value,)
    given = [_text(one) for one in (value if isinstance(value, list) else [value])]
    if needs == "many":
        return _many(_once(one for one in given if one), kind)
    if needs == "two":
        return _two(given, kind)
    if len(given) != 1 or not given[0]:
        raise Nonsense(_("Give a value."))
    return (_typed(given[0], kind),)


def write(values: tuple[Any, ...], needs: str) -> dict[str, Any]:
    """The part of a rule's JSON that holds its values."""
    plain = [_plain(value) for value in values]
    if needs == "nothing":
        return {}
    if needs == "span":
        return {"value": plain[0], "unit": plain[1]}
    return {"value": plain if needs in ("two", "many") else plain[0]}


def identifier(value: Any) -> int | None:
    """A row's id, or None for what isn't one."""
    text = "" if isinstance(value, bool) else str(value)
    return int(text) if len(text) <= 18 and IDENTIFIER.fullmatch(text) else None


def _many(given: list[str], kind: str) -> tuple[Any, ...]:
    if not given:
        raise Nonsense(_("Give at least one value."))
    if len(given) > MOST_VALUES:
        raise Nonsense(
            _(
                "Give at most %(most)s values, not %(count)s. Make a static segment of a longer"
                " list, and choose it here."
            )
            % {"most": MOST_VALUES, "count": len(given)}
        )
    return tuple(_typed(one, kind) for one in given)


def _once(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(given))


def _two(given: list[str], kind: str) -> tuple[Any, ...]:
    if len(given) != 2 or not all(given):
        raise Nonsense(_("Give both values."))
    first, second = (_typed(one, kind) for one in given)
    if first > second:
        raise Nonsense(_("The first value is larger than the second. Swap them."))
    return first, second


def _span(value: Any, unit: Any) -> tuple[int, str]:
    if unit not in UNITS:
        raise Nonsense(_("Choose days, weeks, months or years."))
    most = MOST_OF_UNIT[unit]
    message = _("Give a whole number up to %(most)d.") % {"most": most}
    return _whole(value, 0, most, message), unit


def _whole(value: Any, least: int, most: int, message: Sentence) -> int:
    text = _text(value)
    if not WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise Nonsense(message)
    return int(text)


def _text(value: Any) -> str:
    """What was given, as text without the blanks around it."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Nonsense(_("A value is a text or a number."))
    # Python refuses to write integers of thousands of digits.
    if isinstance(value, int) and value.bit_length() > 1_000:
        raise Nonsense(_("This number is too large."))
    text = str(value).strip()
    if len(text) > LONGEST_VALUE:
        raise Nonsense(_("A value has at most %(most)d characters.") % {"most": LONGEST_VALUE})
    if NOT_TEXT.search(text):
        raise Nonsense(_("The value has a character that no text can hold. Type it again."))
    return text


def _typed(text: str, kind: str) -> Any:
    if kind in NUMBERS:
        if not NUMBER.fullmatch(text):
            raise Nonsense(
                _("“%(value)s” is not a number. Write it as 1234.5.") % {"value": text[:50]}
            )
        return Decimal(text)
    if kind in DAYS:
        return _day(text)
    return text


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Nonsense(
            _("“%(value)s” is not a date. Write it as 2026-12-31.") % {"value": text[:50]}
        )
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Nonsense(
            _("Give a date between the years %(first)d and %(last)d.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return day


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, Decimal):
        return value
    if value == value.to_integral_value():
        return int(value) if abs(value) < SAFE_WHOLE else str(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
