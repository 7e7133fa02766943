"""The provider's limits, kept by all workers together: requests a second and a day, by API key.

Counted in Redis by `limits`. The second is a moving window, since the provider counts any second;
the day is the provider's, which ends at 00:00 UTC.
"""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import redis
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from connections.constant_contact.errors import BudgetSpent, Throttled, next_budget

LONGEST_WAIT_SECONDS = 60
DAY_SECONDS = 86_400


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
def _storage(url: str) -> RedisStorage:
    """One pool of connections a process."""
    pool = redis.ConnectionPool.from_url(url)
    return RedisStorage("redis://", connection_pool=pool)


class SharedLimiter:
    """One API key's share of the provider, over all processes that use the same Redis."""

    def __init__(self, api_key: str, per_second: int, per_day: int) -> None:
        self.api_key = api_key
        self.per_day = per_day
        self.storage = _storage(settings.REDIS_URL)
        self.second = MovingWindowRateLimiter(self.storage)
        self.rate = RateLimitItemPerSecond(per_second)

    def acquire(self) -> None:
        """Waits for a turn. Raises `BudgetSpent` for today, `Throttled` after a minute's wait."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not self.second.hit(self.rate, self.api_key):
            if time.monotonic() > deadline:
                raise Throttled("Too many exports are waiting for their turn at Constant Contact.")
            time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - spreads load, guards nothing
        used = self.storage.incr(self._day(), DAY_SECONDS + 3600)
        if used > self.per_day:
            self.storage.decr(self._day())
            raise self._spent()

    def spent(self) -> None:
        """The provider counts more than we do: nothing is left until its day ends."""
        missing = self.per_day - self.storage.get(self._day())
        if missing > 0:
            self.storage.incr(self._day(), DAY_SECONDS + 3600, amount=missing)

    def budget(self) -> Budget:
        return Budget(self.storage.get(self._day()), self.per_day, next_budget())

    def _day(self) -> str:
        return f"segue:requests:{self.api_key}:{datetime.now(UTC):%Y-%m-%d}"

    def _spent(self) -> BudgetSpent:
        return BudgetSpent(
            f"Today's {self.per_day:,} requests to Constant Contact are spent.",
            until=next_budget(),
        )
