"""DuckDB for a look at a file's first rows.

To make an instance of it takes several times as long as the look, so each process keeps one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import duckdb

_lock = Lock()


@contextmanager
def look() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of one's own: what is TEMP in it goes with it."""
    with _lock:
        connection = _instance(os.getpid()).cursor()
    with connection:
        connection.execute("SET TimeZone='UTC'")
        yield connection


@cache
def _instance(_process: int) -> duckdb.DuckDBPyConnection:
    # The threads of an instance don't come along when its process is forked.
    return duckdb.connect()
