"""What the cache keeps of a workspace: under keys by which all of it is found again."""

import base64
import pickle
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache

from config import cipher, silence

AT_ONCE = 1_000


def key(workspace_id: int, *parts: Any) -> str:
    return ":".join(["w", str(workspace_id), *map(str, parts)])


def put_sealed(key: str, value: Any, seconds: int) -> None:
    """Keeps what holds personal data, encrypted: Redis is no place for it."""
    kept = base64.b64encode(pickle.dumps(value)).decode()
    cache.set(key, cipher.encrypt(kept), seconds)


def get_sealed(key: str) -> Any:
    """None when there is nothing, or nothing that can be read any more."""
    kept = cache.get(key)
    try:
        found = cipher.decrypt(kept) if kept is not None else ""
    except cipher.Unreadable:
        return None
    # Only who has the key can have written it.
    return pickle.loads(base64.b64decode(found)) if found else None  # noqa: S301


def forget(workspace_id: int) -> int:
    """Deletes all of it; returns how many keys that were."""
    server = redis.Redis.from_url(settings.REDIS_URL, **silence.REDIS_OPTIONS)
    # Before it stand Django's prefix and version.
    found = server.scan_iter(match=f"*:{key(workspace_id)}:*", count=AT_ONCE)
    return sum(bool(server.delete(one)) for one in found)
