"""The time zones offered, grouped by region, with their offset today."""

import zoneinfo
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache, lru_cache

from django.core.exceptions import ValidationError
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)

Choices = list[tuple[str, list[tuple[str, str]]]]


@cache
def _zones() -> dict[str, zoneinfo.ZoneInfo]:
    """By name. Each is a file, and finding them goes through all of their folders."""
    return {name: zoneinfo.ZoneInfo(name) for name in sorted(zoneinfo.available_timezones())}


def choices() -> Choices:
    return _choices(_quarter())


def options(chosen: str) -> SafeString:
    """The choices as options of a select: hundreds, which are drawn once a quarter of an hour."""
    value = f'value="{escape(chosen)}"'
    return SafeString(_options(_quarter()).replace(value, f"{value} selected", 1))


def _quarter() -> datetime:
    """Clocks go back and forth at quarters of an hour."""
    now = datetime.now(UTC)
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)


@lru_cache(1)
def _options(now: datetime) -> str:
    groups = (
        (region, format_html_join("\n", '<option value="{}">{}</option>', found))
        for region, found in _choices(now)
    )
    return format_html_join("\n", '<optgroup label="{}">{}</optgroup>', groups)


@lru_cache(1)
def _choices(now: datetime) -> Choices:
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, zone in _zones().items():
        region, _slash, city = name.partition("/")
        if city and region in REGIONS:
            offset = f"{now.astimezone(zone):%z}"
            label = f"{city.replace('_', ' ').replace('/', ', ')} (UTC{offset[:3]}:{offset[3:]})"
            groups[region].append((name, label))
    return [("UTC", [("UTC", "UTC")]), *sorted(groups.items())]


def validate(name: str) -> None:
    """Raises ValidationError for a name that is no time zone."""
    if name not in _zones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Choose one from the list."), params={"name": name}
        )
