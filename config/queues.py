"""Celery's queues: how much waits in each, and for how long the oldest has."""

import time
from collections.abc import Iterator
from typing import Any

import orjson
from celery.signals import before_task_publish
from django.conf import settings
from redis import Redis

from config.metrics import Gauge, register

NAMES = ("default", "data", "runs")
SENT_AT = "sent_at"


@before_task_publish.connect
def _stamp(headers: dict[str, Any], **_more: Any) -> None:
    headers[SENT_AT] = time.time()


def waiting() -> dict[str, tuple[int, float]]:
    """For each queue: how many tasks wait, and the age of the oldest in seconds."""
    server = Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    found = {}
    for name in NAMES:
        count: Any = server.llen(name)
        oldest: Any = server.lindex(name, -1)
        found[name] = int(count), _age(oldest) if oldest else 0.0
    return found


def _age(message: bytes) -> float:
    sent_at = orjson.loads(message)["headers"].get(SENT_AT)
    return max(0.0, time.time() - sent_at) if sent_at else 0.0


def _depths() -> Iterator[tuple[tuple[str, ...], float]]:
    for name, (count, _seconds) in waiting().items():
        yield (name,), count


def _ages() -> Iterator[tuple[tuple[str, ...], float]]:
    for name, (_count, seconds) in waiting().items():
        yield (name,), seconds


register(Gauge("segue_queue_tasks", "Tasks that wait in a queue.", ("queue",), _depths))
register(
    Gauge("segue_queue_oldest_seconds", "How long the oldest task has waited.", ("queue",), _ages)
)
