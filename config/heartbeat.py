"""The scheduler's sign of life: a task that it sends and a worker does, noted in Redis."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from config.metrics import Gauge, register

EVERY = timedelta(seconds=20)
MISSED_AFTER = 3 * EVERY
KEY = "segue:heartbeat"


@shared_task
def beat() -> None:
    cache.set(KEY, timezone.now(), timeout=None)


def last_beat() -> datetime | None:
    """When scheduler and worker last were seen working together."""
    found = cache.get(KEY)
    return found if isinstance(found, datetime) else None


def is_missed() -> bool:
    """Whether work that is asked for lies where it is: nobody was seen to do any lately."""
    seen = last_beat()
    return seen is None or timezone.now() - seen > MISSED_AFTER


def _age() -> Iterator[tuple[tuple[str, ...], float]]:
    seen = last_beat()
    if seen is not None:
        yield (), (timezone.now() - seen).total_seconds()


register(
    Gauge(
        "segue_heartbeat_age_seconds",
        "How long ago scheduler and a worker last were seen working together.",
        (),
        _age,
    )
)
