"""Locks that die with their holder: PostgreSQL advisory locks of the session.

A killed worker's connection closes and its locks with it, so that nobody has to clean up.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

RUN, BATCH, SOURCE, SEGMENT, LARGE_PLAN = 1, 2, 3, 4, 5


@contextmanager
def held(kind: int, pk: int) -> Iterator[bool]:
    """Yields whether the lock was free; holds it inside the block if so."""
    key = (kind << 56) | pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        free = bool(cursor.fetchone()[0])
    try:
        yield free
    finally:
        if free and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
