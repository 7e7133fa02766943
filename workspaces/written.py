"""Numbers, shares, durations and moments as their readers write them."""

from datetime import date, datetime, timedelta
from functools import cache, lru_cache

from django.utils import formats, timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _


def number(value: float | str | None) -> str:
    """Grouped by thousands, as the reader's language does; a dash for nothing; text as it is."""
    if value is None or value == "":
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace(",", _separator(get_language()))
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def in_short(value: int) -> str:
    """For the scale of a picture, which has little room: from a million on in words for that."""
    million, billion = 10**6, 10**9
    if value < million:
        return number(value)
    if value < billion:
        size, said = million, pgettext("a number in short", "%(number)s M")
    else:
        size, said = billion, pgettext("a number in short", "%(number)s bn")
    decimals = 1 if value % size else 0
    shown = formats.number_format(value / size, decimals, use_l10n=True, force_grouping=True)
    return (said % {"number": shown}).replace(" ", "\N{NO-BREAK SPACE}")


@cache
def _separator(language: str | None) -> str:
    return str(formats.get_format("THOUSAND_SEPARATOR", language, use_l10n=True))


def percent(part: float, whole: float) -> str:
    """The share of a whole; neither some are shown as 0 % nor not quite all as 100 %."""
    if not whole:
        return "–"
    share = 100 * part / whole
    decimals = 1 if 0 < share < 1 or 99 < share < 100 else 0
    beyond = ""
    if 0 < share < 0.05:
        beyond, share = "<", 0.1
    elif 99.95 <= share < 100:
        beyond, share = ">", 99.9
    shown = formats.number_format(round(share, decimals), decimals)
    return f"{beyond}{shown}\N{NO-BREAK SPACE}%"


def duration(value: timedelta | float | None) -> str:
    """Seconds or a timedelta in the two largest units."""
    if value is None or value == "":
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": formats.number_format(round(seconds, 1), 1)}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        text = ngettext("%(days)d day %(hours)d h", "%(days)d days %(hours)d h", days)
        return text % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


def roughly(value: timedelta) -> str:
    """A time that is a guess, as `workspaces.estimates` rounds it: without what would be nought."""
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours and minutes:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if hours:
        return _("%(hours)d h") % {"hours": hours}
    if minutes and seconds:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    if minutes:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(seconds)s s") % {"seconds": seconds}


def written(moment: date, form: str) -> str:
    """As Django's `date`, which takes 0.1 ms to write a day: charts have dozens."""
    if isinstance(moment, datetime):
        to_the_minute = timezone.localtime(moment).replace(tzinfo=None, second=0, microsecond=0)
        return _written_in(get_language(), to_the_minute, form)
    return _written_in(get_language(), moment, form)


@lru_cache(10_000)
def _written_in(language: str | None, to_the_minute: date, form: str) -> str:
    return formats.date_format(to_the_minute, form)
