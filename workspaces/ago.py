"""How long ago a moment was, or until when it is, as `naturaltime` says it, quickly.

Django puts each of these together from half a dozen translations, 0.1 ms; lists tell hundreds.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.translation import get_language

MINUTE, HOUR, DAY = 60, 3600, 86_400
# From here on months are told, which the calendar makes of different lengths.
MONTH = 28 * DAY


def ago(moment: datetime) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    whole = int(abs(seconds))
    if whole >= MONTH:
        return _said_by_calendar(get_language(), moment, datetime.now(UTC).date())
    # The smallest unit that is told of so long a time.
    unit = 1 if whole < MINUTE else MINUTE if whole < HOUR else HOUR
    return _said(get_language(), whole - whole % unit, is_past=seconds >= 0)


@lru_cache(10_000)
def _said_by_calendar(language: str | None, moment: datetime, _today: date) -> str:
    """Weeks and months, as the calendar has them: they hold for the day."""
    return str(naturaltime(moment))


@lru_cache(10_000)
def _said(language: str | None, seconds: int, *, is_past: bool) -> str:
    # A little more, so that it is no less by the time that it is said.
    length = timedelta(seconds=seconds + 0.5)
    now = datetime.now(UTC)
    return str(naturaltime(now - length if is_past else now + length))
