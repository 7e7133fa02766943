"""What the cache keeps of a workspace: under keys by which all of it is found again."""

from typing import Any

import redis
from django.conf import settings

from config import silence

AT_ONCE = 1_000


def key(workspace_id: int, *parts: Any) -> str:
    return ":".join(["w", str(workspace_id), *map(str, parts)])


def forget(workspace_id: int) -> int:
    """Deletes all of it; returns how many keys that were."""
    server = redis.Redis.from_url(settings.REDIS_URL, **silence.REDIS_OPTIONS)
    # Before it stand Django's prefix and version.
    found = server.scan_iter(match=f"*:{key(workspace_id)}:*", count=AT_ONCE)
    return sum(bool(server.delete(one)) for one in found)
