"""The provider's limits, kept by all workers together: requests a second and a day, by API key.

Counted in Redis by `limits`, and by the clock of the Redis server: the workers' own clocks may
differ by minutes. The second is a moving window, since the provider counts any second; the day is
the provider's, which ends at 00:00 UTC.

Reference: https://developer.constantcontact.com/api_guide/rate_limits.html
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import redis
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from config import silence
from connections.constant_contact.errors import BudgetSpent, Throttled, Unavailable, next_budget

# Shorter than a web server waits for a page.
LONGEST_WAIT_SECONDS = 20
JITTER_SECONDS = 0.03
DAY_SECONDS = 86_400
# A turn is counted when it is taken and by the provider when it arrives: as long as two requests'
# ways differ by less than this, no second at the provider sees more than the limit.
WINDOW_SECONDS = 1.2
# Redis keeps the turns for as many seconds as the window has units: longer than the window lasts.
WINDOW_UNITS = 2
UNITS_A_SECOND = WINDOW_UNITS / WINDOW_SECONDS
# How far the provider's clock may be behind ours: what it refuses so soon after our midnight may
# belong to its day before.
CLOCK_TOLERANCE = timedelta(minutes=10)
TOKEN_REQUESTS_PER_SECOND = 1


class ServerClockStorage(RedisStorage):
    """`limits` on the Redis server's clock, in units of which `WINDOW_UNITS` make a window.

    Its scripts are given the time by the client that runs them; here they ask the server for it.
    """

    _NOW = (
        b"local clock = redis.call('TIME')\n"
        b"local now = (clock[1] + clock[2] / 1000000) * %.17g\n" % UNITS_A_SECOND
    )
    SCRIPT_ACQUIRE_MOVING_WINDOW = (
        _NOW + b"ARGV[1] = now\n" + RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW
    )
    SCRIPT_MOVING_WINDOW = (
        _NOW + b"ARGV[1] = now - %d\n" % WINDOW_UNITS + RedisStorage.SCRIPT_MOVING_WINDOW
    )

    def __init__(self, url: str) -> None:
        self.server = redis.Redis.from_url(url, **silence.REDIS_OPTIONS)
        super().__init__("redis://", connection_pool=self.server.connection_pool)

    def now(self) -> float:
        """The server's time in seconds since the epoch."""
        answer: Any = self.server.time()
        return float(answer[0] + answer[1] / 1_000_000)


@dataclass(frozen=True)
class Budget:
    """The day's requests. `resets_at` is the next 00:00 UTC."""

    used: int
    limit: int
    resets_at: datetime

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@cache
def _storage(url: str) -> ServerClockStorage:
    """One pool of connections a process."""
    return ServerClockStorage(url)


class Turns:
    """So many turns in any second, shared by all processes that use the same Redis and name."""

    def __init__(self, name: str, per_second: int) -> None:
        self.name = name
        self.storage = _storage(settings.REDIS_URL)
        self.window = MovingWindowRateLimiter(self.storage)
        self.rate = RateLimitItemPerSecond(per_second, WINDOW_UNITS, namespace="segue")

    def take(self) -> None:
        """Waits for a turn. Raises `Throttled` when it would be too long a wait."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not self.window.hit(self.rate, self.name):
            if time.monotonic() > deadline:
                raise Throttled(
                    "Too many requests wait for their turn at Constant Contact.",
                    retry_after=LONGEST_WAIT_SECONDS,
                    code="no_turn",
                )
            time.sleep(self._until_next() + random.uniform(0, JITTER_SECONDS))  # noqa: S311

    def _until_next(self) -> float:
        """Seconds until the oldest turn in the window leaves it."""
        leaves = self.window.get_window_stats(self.rate, self.name).reset_time
        return min(WINDOW_SECONDS, max(0.0, leaves / UNITS_A_SECOND - self.storage.now()))


class SharedLimiter:
    """One API key's requests to the provider, over all processes that use the same Redis."""

    def __init__(self, api_key: str, per_second: int, per_day: int) -> None:
        self.api_key = api_key
        self.per_day = per_day
        self.storage = _storage(settings.REDIS_URL)
        self.turns = Turns(f"requests:{api_key}", per_second)
        self._stop_key = f"segue:spent:{api_key}"

    def acquire(self) -> None:
        """Waits for a turn and counts it. Raises `BudgetSpent` for today, `Throttled`."""
        with _redis_answers():
            self.turns.take()
            now = self._now()
            until = self._stopped_until()
            if until is None and self._count(now) > self.per_day:
                until = next_budget(now)
        if until is not None:
            raise BudgetSpent(
                f"Today's {self.per_day:,} requests to Constant Contact are spent.", until=until
            )

    def spent(self) -> None:
        """The provider counts more than we do: no request is made until its day ends."""
        with _redis_answers():
            now = self._now()
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            new_day = now - midnight < CLOCK_TOLERANCE
            until = midnight + CLOCK_TOLERANCE if new_day else next_budget(now)
            self.storage.server.set(self._stop_key, until.timestamp(), exat=until)

    def budget(self) -> Budget:
        """Raises `Unavailable` when Redis does not answer."""
        with _redis_answers():
            now = self._now()
            used = min(self.storage.get(self._day_key(now)), self.per_day)
            if self._stopped_until() is not None:
                used = self.per_day
        return Budget(used, self.per_day, next_budget(now))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.storage.now(), UTC)

    def _count(self, now: datetime) -> int:
        return self.storage.incr(self._day_key(now), DAY_SECONDS + 3600)

    def _stopped_until(self) -> datetime | None:
        stop: Any = self.storage.server.get(self._stop_key)
        return datetime.fromtimestamp(float(stop), UTC) if stop else None

    def _day_key(self, now: datetime) -> str:
        return f"segue:requests:{self.api_key}:{now:%Y-%m-%d}"


def token_turn() -> None:
    """Waits for a turn at the token endpoint, whose limit is its own. Raises `Throttled`."""
    with _redis_answers():
        left: Any = _storage(settings.REDIS_URL).server.pttl(_token_pause_key())
        if left > 0:
            raise Throttled(
                "Constant Contact's sign-in server asks for patience.", retry_after=left / 1000
            )
        Turns(f"tokens:{settings.CONSTANT_CONTACT_CLIENT_ID}", TOKEN_REQUESTS_PER_SECOND).take()


def pause_tokens(seconds: float) -> None:
    """The token endpoint asked to be left alone for so long, by whichever worker."""
    with _redis_answers():
        _storage(settings.REDIS_URL).server.set(_token_pause_key(), 1, px=int(seconds * 1000))


def _token_pause_key() -> str:
    return f"segue:tokens-paused:{settings.CONSTANT_CONTACT_CLIENT_ID}"


@contextmanager
def _redis_answers() -> Iterator[None]:
    """Without the shared count no request is made: it might be one too many."""
    try:
        yield
    except redis.RedisError:
        raise Unavailable(
            "The count of requests is out of reach: Redis does not answer.", code="no_count"
        ) from None
