"""How many profiles a workspace has.

PostgreSQL counts them one by one: a tenth of a second for a million. So what took long to count is
kept until profiles come or go.
"""

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


def changed(workspace_id: int) -> None:
    """Profiles came or went, in the transaction that is under way."""
    key = cached.key(workspace_id, "profiles")
    transaction.on_commit(lambda: cache.delete(key), robust=True)
