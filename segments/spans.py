"""Spans of numbers and of days: calendar spans, those that touch joined, and what they are called.

A span is its two ends as text: of numbers from the first to below the second, open where an end
is empty; of days from the first to the last.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from segments.models import Attribute
from segments.operators import DAYS, NUMBERS
from segments.rule_values import NUMBER


def day_of(day: date) -> tuple[date, date]:
    return day, day


def month_of(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def year_of(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year, 12, 31)


def decade_of(day: date) -> tuple[date, date]:
    return _years(day.year - day.year % 10, 10)


def century_of(day: date) -> tuple[date, date]:
    return _years(day.year - day.year % 100, 100)


def _years(first: int, count: int) -> tuple[date, date]:
    return date(max(first, 1), 1, 1), date(min(first + count - 1, 9999), 12, 31)


def merged(attribute: Attribute, given: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Spans that touch are one. Raises `ValueError`."""
    tokens = list(given)
    for end in (end for token in tokens for end in token):
        if attribute.type in DAYS:
            date.fromisoformat(end)
        elif end and not NUMBER.fullmatch(end):
            raise ValueError(end)
    alone: list[Sequence[str]] = [one for one in tokens if len(one) == 1]
    spans: list[list[str]] = []
    for least, most in sorted((one for one in tokens if len(one) == 2), key=_order(attribute)):
        if spans and spans[-1][1] and _touch(attribute, spans[-1][1], least):
            spans[-1][1] = most
        else:
            spans.append([least, most])
    return [*alone, *spans]


def _order(attribute: Attribute) -> Any:
    if attribute.type in DAYS:
        return lambda one: date.fromisoformat(one[0])
    return lambda one: Decimal(one[0]) if one[0] else Decimal("-Infinity")


def _touch(attribute: Attribute, end: str, least: str) -> bool:
    if attribute.type in DAYS:
        return date.fromisoformat(end) + timedelta(days=1) == date.fromisoformat(least)
    return bool(least) and Decimal(end) == Decimal(least)


def label_of(attribute: Attribute, least: str, most: str) -> str:
    if attribute.type not in DAYS:
        return number_span(least, most)
    first, last = date.fromisoformat(least), date.fromisoformat(most)
    if first == last:
        return formats.date_format(first, "DATE_FORMAT")
    if (first, last) == month_of(first):
        return formats.date_format(first, "YEAR_MONTH_FORMAT")
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return str(first.year) if first.year == last.year else f"{first.year}–{last.year}"
    shown = [formats.date_format(day, "SHORT_DATE_FORMAT") for day in (first, last)]
    return "–".join(shown)


def number_span(least: str, most: str) -> str:
    numbers = {"least": _shown_number(least), "most": _shown_number(most)}
    if not most:
        return _("%(least)s and more") % numbers if least else _("any number")
    if not least:
        return _("below %(most)s") % numbers
    return _("%(least)s to below %(most)s") % numbers


def shown(attribute: Attribute, value: str) -> str:
    return _shown_number(value) if attribute.type in NUMBERS else value


def _shown_number(value: str) -> str:
    return number(Decimal(value)) if value else ""


def number(number: Decimal) -> str:
    return formats.number_format(_tidy(number), use_l10n=True, force_grouping=True)


def plain(number: Decimal) -> str:
    return f"{_tidy(number):f}"


def _tidy(number: Decimal) -> Decimal:
    return number.to_integral_value() if number == number.to_integral_value() else number
