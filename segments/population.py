"""How many profiles a workspace has, and what else is kept of them until they change.

PostgreSQL counts them one by one: a tenth of a second for a million. So what took long to find out
is kept.
"""

import secrets
import time
from contextlib import suppress

import redis
from django.core.cache import cache
from django.db import connection, transaction

from segments import membership_sql
from workspaces import cached

SLOW_SECONDS = 0.05
# Whoever counted while an import ended may have kept what was.
KEPT_SECONDS = 600


def size(workspace_id: int) -> int:
    """Without Redis it is counted each time."""
    key = cached.key(workspace_id, "profiles")
    with suppress(redis.RedisError):
        if (known := cache.get(key)) is not None:
            return int(known)
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(membership_sql.TOTAL, {"workspace": workspace_id})
        counted = int(cursor.fetchone()[0])
    if time.perf_counter() - started > SLOW_SECONDS:
        with suppress(redis.RedisError):
            cache.set(key, counted, KEPT_SECONDS)
    return counted


def state(workspace_id: int) -> str:
    """Another one after each change of profiles; empty, and no use as a key, without Redis."""
    key = cached.key(workspace_id, "profiles-state")
    try:
        return str(cache.get_or_set(key, lambda: secrets.token_hex(8), None))
    except redis.RedisError:
        return ""


def changed(workspace_id: int) -> None:
    """Profiles came, went or changed, in the transaction that is under way."""
    keys = [cached.key(workspace_id, name) for name in ("profiles", "profiles-state")]
    transaction.on_commit(lambda: cache.delete_many(keys), robust=True)
