"""A bar on a terminal for what takes its time; nothing where nobody looks."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from django.db import connection

LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Look:
    """What goes on, and how much of how much is done; None where nobody can tell."""

    doing: str
    done: int = 0
    of: int | None = None


@contextmanager
def shown(
    look: Callable[[], Look | None], *, unless: bool = False, stream: IO[str] | None = None
) -> Iterator[None]:
    """Asks every half second, on a thread with a database connection of its own, and shows it.

    On the terminal of standard error only, and not at all with `unless`.
    """
    stream = stream or sys.stderr
    if unless or not stream.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    ended = threading.Event()
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None, counts="")

        def watch() -> None:
            # A bar that breaks is no reason to break what it shows.
            with suppress(Exception):
                while not ended.wait(LOOK_AGAIN_SECONDS):
                    if (seen := look()) is not None:
                        counts = f"{seen.done:,}" if seen.done else ""
                        counts += f" / {seen.of:,}" if seen.of else ""
                        bar.update(
                            task,
                            description=seen.doing,
                            completed=seen.done,
                            total=seen.of,
                            counts=counts,
                        )
            connection.close()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
