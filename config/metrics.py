"""What the whole installation counts and times, for Prometheus.

Every process adds to the same numbers in Redis, and any web process tells them: one scrape of one
address is all there is to it. Counting never fails and never waits long; while Redis is away,
numbers are lost rather than work.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import orjson
import redis
from django.conf import settings
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from redis.backoff import NoBackoff
from redis.retry import Retry

KEY = "segue:metrics"
SECONDS = 1.0
# How long nothing is counted after Redis failed: a page waits for that once, not each time.
PAUSE_SECONDS = 10
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG = (1, 2, 5, 10, 30, 60, 300, 900, 3600)

_paused_until = 0.0
_gathered: ContextVar[dict[bytes, float] | None] = ContextVar("gathered", default=None)


@dataclass(frozen=True)
class Counter:
    """A number that only grows. Its name ends in `_total`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def add(self, amount: float = 1, **labels: object) -> None:
        _add({_field(self, "", labels): amount})


@dataclass(frozen=True)
class Histogram:
    """How long something takes, in seconds."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = QUICK

    def observe(self, seconds: float, **labels: object) -> None:
        place = bisect_left(self.buckets, seconds)
        bucket = str(self.buckets[place]) if place < len(self.buckets) else "+Inf"
        _add({_field(self, bucket, labels): 1, _field(self, "sum", labels): seconds})

    @contextmanager
    def timed(self, **labels: object) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began, **labels)


@dataclass(frozen=True)
class Gauge:
    """What is so at the moment when it is asked for: a value for each set of labels."""

    name: str
    help: str
    labels: tuple[str, ...]
    measure: Callable[[], Iterable[tuple[tuple[str, ...], float]]]


_kinds: dict[str, Counter | Histogram | Gauge] = {}


Kind = TypeVar("Kind", Counter, Histogram, Gauge)


def register(kind: Kind) -> Kind:
    _kinds[kind.name] = kind
    return kind


def names() -> set[str]:
    return set(_kinds)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def _field(kind: Counter | Histogram, part: str, labels: dict[str, object]) -> bytes:
    return orjson.dumps([kind.name, part, [str(labels[name]) for name in kind.labels]])


@contextmanager
def together() -> Iterator[None]:
    """What is counted within goes to Redis in one message: each costs as much as the rest of it."""
    gathered: dict[bytes, float] = {}
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
        if gathered:
            _add(gathered)


def _add(amounts: dict[bytes, float]) -> None:
    global _paused_until
    if (gathered := _gathered.get()) is not None:
        for field, amount in amounts.items():
            gathered[field] = gathered.get(field, 0) + amount
        return
    if time.monotonic() < _paused_until:
        return
    try:
        pipeline = _client(settings.REDIS_URL).pipeline(transaction=False)
        for field, amount in amounts.items():
            pipeline.hincrbyfloat(KEY, field, amount)  # type: ignore[arg-type]
        pipeline.execute()
    except (redis.RedisError, OSError):
        _paused_until = time.monotonic() + PAUSE_SECONDS


class Everything(Collector):
    """All that is registered, as Prometheus reads it, without the gauges that can't be measured."""

    def collect(self) -> Iterator[Metric]:
        counted: dict[str, dict[tuple[str, ...], dict[str, float]]] = {}
        found: Any = _client(settings.REDIS_URL).hgetall(KEY)
        for field, value in found.items():
            name, part, labels = orjson.loads(field)
            counted.setdefault(name, {}).setdefault(tuple(labels), {})[part] = float(value)
        for kind in sorted(_kinds.values(), key=lambda one: one.name):
            if isinstance(kind, Gauge):
                yield from _measured(kind)
            elif isinstance(kind, Counter):
                yield _told(kind, counted.get(kind.name, {}))
            else:
                yield _timed(kind, counted.get(kind.name, {}))


def _measured(kind: Gauge) -> Iterator[Metric]:
    family = GaugeMetricFamily(kind.name, kind.help, labels=kind.labels)
    try:
        for labels, value in kind.measure():
            family.add_metric(labels, value)
    except Exception:
        # Its absence is what an alert is for; the others are still told.
        return
    yield family


def _told(kind: Counter, counted: dict[tuple[str, ...], dict[str, float]]) -> Metric:
    family = CounterMetricFamily(kind.name, kind.help, labels=kind.labels)
    for labels, parts in counted.items():
        family.add_metric(labels, parts[""])
    return family


def _timed(kind: Histogram, counted: dict[tuple[str, ...], dict[str, float]]) -> Metric:
    family = HistogramMetricFamily(kind.name, kind.help, labels=kind.labels)
    for labels, parts in counted.items():
        so_far, buckets = 0.0, []
        for bound in (*map(str, kind.buckets), "+Inf"):
            so_far += parts.get(bound, 0.0)
            buckets.append((bound, so_far))
        family.add_metric(labels, buckets, parts.get("sum", 0.0))
    return family


def registry() -> CollectorRegistry:
    made = CollectorRegistry(auto_describe=False)
    made.register(Everything())
    return made
