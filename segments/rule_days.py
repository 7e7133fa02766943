"""Days that rules speak of, as seen from today: spans, anniversaries, the moments of a day."""

from calendar import isleap, monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Span = tuple[date | None, date | None]


def span(operator: str, values: tuple[date, ...]) -> Span:
    """The first and the last day that an operator takes in; None is without end."""
    first, last = values[0], values[-1]
    if operator == "before":
        return None, last - timedelta(days=1)
    if operator == "after":
        return first + timedelta(days=1), None
    return first, last


def span_from(today: date, operator: str, count: int, unit: str) -> Span:
    """The days from some time ago until today, or from today until some time ahead, today in; or
    those before, or after them.
    """
    if operator == "in_last":
        return moved(today, -count, unit), today
    if operator == "longer_ago":
        return None, moved(today, -count, unit) - timedelta(days=1)
    if operator == "further_ahead":
        return moved(today, count, unit) + timedelta(days=1), None
    return today, moved(today, count, unit)


def current(today: date, period: str) -> Span:
    """The week (from Monday), month, quarter or year that today is in."""
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return first, moved(first, months, "months") - timedelta(days=1)


def moved(day: date, count: int, unit: str) -> date:
    """A month that lacks the day gives its last: a month after 31 January is 28 February."""
    if unit in ("days", "weeks"):
        return day + timedelta(days=count * (7 if unit == "weeks" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "years" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def anniversaries(today: date, days: int) -> list[str]:
    """The days of the year (`MM-DD`) from today until some days ahead.

    Who was born on 29 February has their day on the 28th in years without it.
    """
    ahead = [today + timedelta(days=count) for count in range(days + 1)]
    found = {f"{day:%m-%d}" for day in ahead}
    if any((day.month, day.day) == (2, 28) and not isleap(day.year) for day in ahead):
        found.add("02-29")
    return sorted(found)


def beginning(day: date, zone: ZoneInfo) -> str:
    """The first moment of a day somewhere, in UTC as profiles keep it."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    return start.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
