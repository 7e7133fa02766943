"""What another process would be doing meanwhile: it holds a lock."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connections

from workspaces import locks


@contextmanager
def held_elsewhere(kind: int, pk: int = 0) -> Iterator[None]:
    """The lock is another session's inside the block, and free after it.

    It is let go of before the session is closed: PostgreSQL ends one some time after it was told.
    """
    with ThreadPoolExecutor(1) as elsewhere:
        lock = locks.held(kind, pk)
        assert elsewhere.submit(lock.__enter__).result()
        try:
            yield
        finally:
            elsewhere.submit(lock.__exit__, None, None, None).result()
            elsewhere.submit(connections.close_all).result()
