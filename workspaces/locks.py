"""Locks that die with their holder: PostgreSQL advisory locks of the session.

A killed worker's connection closes and its locks with it, so that nobody has to clean up. One that
is cut off from PostgreSQL loses them too, without being told: it asks before it does what another
process may be doing by then.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

RUN, BATCH, SOURCE, SEGMENT, LARGE_PLAN, ERASURE, ATTRIBUTE, UPLOAD, LIST = range(1, 10)
ARCHIVE, WORKSPACE = range(10, 12)


class Lost(Exception):
    """The lock's session has ended: another process may hold the lock by now."""


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


def take(kind: int, pk: int) -> None:
    """Waits for the lock, and holds it to the end of the transaction.

    Raises `OperationalError` when `lock_timeout` is over before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [(kind << 56) | pk])


def ensure_held(kind: int, pk: int) -> None:
    """Raises `Lost` unless this session still holds the lock, by what PostgreSQL says now."""
    key = (kind << 56) | pk
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                " AND classid::bigint = %s AND objid::bigint = %s AND objsubid = 1",
                [key >> 32, key & 0xFFFFFFFF],
            )
            found = cursor.fetchone() is not None
    except (InterfaceError, OperationalError) as error:
        raise Lost("PostgreSQL is out of reach, and the lock with it.") from error
    if not found:
        raise Lost("The session that held the lock has ended.")
