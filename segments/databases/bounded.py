"""Bounds the time of whoever waits for a database, whatever its driver does or leaves undone.

Drivers have limits of their own, but some retry for minutes, and looking up a name has none. What
can't be stopped is left behind in a thread that ends when the driver lets go of it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from segments.databases import problems

# In each process; each may hold a connection and its rows.
MOST_AT_ONCE = 8
# For a driver that was stopped in time to say so itself, which tells more.
GRACE_SECONDS = 2.0
Answer = TypeVar("Answer")
_free = threading.BoundedSemaphore(MOST_AT_ONCE)


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises. Raises `DatabaseProblem` when it is not done in time."""
    if not _free.acquire(blocking=False):
        raise problems.too_many_waiting()
    outcome: Future[Answer] = Future()

    def run() -> None:
        try:
            outcome.set_result(ask())
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            _free.release()

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds + GRACE_SECONDS)
    except TimeoutError:
        if outcome.done():
            return outcome.result()
        raise problems.no_answer(seconds) from None
