"""The time zones offered, grouped by region, with their offset today."""

import zoneinfo
from collections import defaultdict
from datetime import datetime
from functools import cache, lru_cache

from django.core.exceptions import ValidationError
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
    now = datetime.now(zoneinfo.ZoneInfo("UTC"))
    # Clocks go back and forth at quarters of an hour.
    return _choices(now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0))


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
