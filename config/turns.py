"""As many pages are made at once as there are processors; the others wait for their turn.

Two that are made beside each other on one processor take twice as long, both; one after the other,
the first takes no longer than alone. Slots are files that are locked: whoever dies lets go.
"""

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.http import HttpRequest, HttpResponse

# Who holds a slot for longer than a page takes waits for something else than a processor.
MOST_SECONDS = 0.25
LOOKS_AGAIN_SECONDS = 0.001

_slots: list[Path] = []
_opened = threading.local()


def begin(folder: str | None) -> None:
    """For the processes that are made of this one; before, and elsewhere, nobody waits."""
    kept = tempfile.mkdtemp(prefix="segue-turns-", dir=folder)
    _slots[:] = [Path(kept) / str(number) for number in range(os.cpu_count() or 1)]
    for slot in _slots:
        slot.touch()


def end() -> None:
    for slot in _slots:
        slot.unlink(missing_ok=True)
        folder = slot.parent
    if _slots:
        folder.rmdir()
        _slots.clear()


class TurnsMiddleware:
    """What sends something is not held up: it may wait for its reader to send it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _slots or request.method != "GET":
            return self.get_response(request)
        with _turn():
            return self.get_response(request)


@contextmanager
def _turn() -> Iterator[None]:
    until = time.monotonic() + MOST_SECONDS
    while (slot := _free()) is None and time.monotonic() < until:
        time.sleep(LOOKS_AGAIN_SECONDS)
    try:
        yield
    finally:
        if slot is not None:
            fcntl.flock(slot, fcntl.LOCK_UN)


def _free() -> int | None:
    """One that nobody has, locked: a thread's own descriptor, as locks are of open files."""
    if not hasattr(_opened, "slots"):
        _opened.slots = [os.open(slot, os.O_RDONLY) for slot in _slots]
    for slot in _opened.slots:
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return int(slot)
    return None
