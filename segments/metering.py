"""How far an import is, noted beside it each second, on a connection of its own.

The import itself is within one statement for long, or in a transaction that nobody looks into. What
is done within a second is over before anything is noted.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django_scopes import scope

from segments.models import Import

logger = logging.getLogger(__name__)

SECONDS = 1.0
# Never waits for the import, which may be about to write its row.
NOTE = """
UPDATE segments_import
SET stage = %(stage)s, stage_at = %(stage_at)s, done = %(done)s, whole = %(whole)s,
    heartbeat_at = %(now)s
WHERE workspace_id = %(workspace)s AND id = (
    SELECT id FROM segments_import
    WHERE workspace_id = %(workspace)s AND id = %(load)s AND state = 'running'
    FOR NO KEY UPDATE SKIP LOCKED
)
"""


def nothing() -> int:
    return 0


@dataclass
class Stage:
    """`done` says how many rows of the `whole` are through, each time it is asked; 0 is unknown."""

    name: str
    whole: int
    done: Callable[[], int]
    most: int = 0
    began_at: datetime = field(default_factory=timezone.now)


class Meter:
    """Whoever carries an import out says what it is at; a thread asks how far that is.

    `rows` is how many there are in all, as far as that is known.
    """

    def __init__(self, load: Import) -> None:
        self.workspace_id, self.load_id = load.workspace_id, load.pk
        self.rows = 0
        self.stage: Stage | None = None
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self._noted: object = None

    @contextmanager
    def at(
        self, name: str, done: Callable[[], int] = nothing, *, whole: int | None = None
    ) -> Iterator[None]:
        """Nobody asks `done` any more after the block."""
        stage = Stage(name, self.rows if whole is None else whole, done)
        with self.lock:
            self.stage = stage
        try:
            yield
        finally:
            with self.lock:
                stage.done = nothing

    def through(
        self, name: str, share: Callable[[], float], rows: int = 0
    ) -> AbstractContextManager[None]:
        """At what goes through so many rows, or all; `share` says how much it is through with."""
        whole = rows or self.rows
        return self.at(name, lambda: int(share() * whole), whole=whole)

    def note(self) -> None:
        with self.lock:
            stage = self.stage
            if stage is None:
                return
            stage.most = max(stage.most, stage.done())
        seen = (stage.name, stage.began_at, stage.most)
        if seen == self._noted:
            return
        values: dict[str, Any] = {
            "workspace": self.workspace_id,
            "load": self.load_id,
            "stage": stage.name,
            "stage_at": stage.began_at,
            "done": stage.most,
            "whole": stage.whole,
            "now": timezone.now(),
        }
        with scope(workspace=self.workspace_id), connection.cursor() as cursor:
            cursor.execute(NOTE, values)
        self._noted = seen

    def watch(self) -> None:
        try:
            while not self.ended.wait(SECONDS):
                try:
                    self.note()
                except (DatabaseError, InterfaceError):
                    logger.warning("progress of import %s not noted", self.load_id, exc_info=True)
                    connection.close()
        finally:
            connection.close()


@contextmanager
def metered(load: Import) -> Iterator[Meter]:
    meter = Meter(load)
    thread = threading.Thread(target=meter.watch, name="meter", daemon=True)
    thread.start()
    try:
        yield meter
    finally:
        meter.ended.set()
        thread.join()
