"""So many requests a minute for each token, counted in Redis by all web processes together."""

import logging
import math
import time
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from config import silence

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Count:
    """How far a token is; `reset` is in seconds."""

    limit: int
    remaining: int
    reset: int
    is_over: bool

    def headers(self) -> dict[str, str]:
        """The header fields of draft-ietf-httpapi-ratelimit-headers, as they are mostly read."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w=60",
        }
        return told | ({"Retry-After": str(self.reset)} if self.is_over else {})


@cache
def _limiter(url: str) -> FixedWindowRateLimiter:
    """One pool of connections a process."""
    pool = redis.Redis.from_url(url, **silence.REDIS_OPTIONS).connection_pool
    return FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))


def count(token_id: int) -> Count | None:
    """Counts a request; None while Redis does not answer, for it is not what keeps data safe."""
    limit = settings.API_RATE_PER_MINUTE
    item = RateLimitItemPerMinute(limit, namespace="segue")
    limiter = _limiter(settings.REDIS_URL)
    try:
        is_over = not limiter.hit(item, f"api:{token_id}")
        stats = limiter.get_window_stats(item, f"api:{token_id}")
    except redis.RedisError:
        logger.warning("Requests of the API are not counted: Redis does not answer.")
        return None
    reset = max(1, math.ceil(stats.reset_time - time.time()))
    return Count(limit, stats.remaining, min(reset, 60), is_over)
