"""Looks about each second whether anything has moved where pages are open, and writes it to them.

One thread asks PostgreSQL one short statement about all workspaces that are watched. Where
something has moved, one more says who of those who watch may still see it, and one for each kind
of thing what moves most of it. A part's figures, or all of it where more has moved, are made once
for all who see the same, and written to each of them.
"""

import logging
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from socket import socket
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone, translation
from django_scopes import scope
from redis.exceptions import RedisError

from workspaces.live import figures, pulse, taken_over
from workspaces.live.parts import EVERY, Drawn, Headers, Part, Stream
from workspaces.live.watchers import WATCHER, Watcher, still_there

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# What says "a minute ago" goes on to say so, and what no pulse tells of is seen all the same. To
# make a part takes 20 ms: where many differ, each is made less often.
ANYWAY_SECONDS, ANYWAY_SECONDS_FOR_EACH = 30.0, 12.0
ALIVE_SECONDS = 15
ENDS_SECONDS = 900
# It looks again after so many times the processor's seconds that a look takes, half as much again
# for PostgreSQL's among them: of a core that is less than a hundredth, see docs/performance.md.
REST, AT_POSTGRESQL, LONGEST_PAUSE_SECONDS = 180, 0.5, 20.0
# What a look takes is that of about the last so many: after one that has made parts anew the next
# comes hardly later, and those after it make up for it.
LOOKS = 10
MOST, MOST_OF_A_SESSION = 1_000, 12

Answer = Callable[[dict[str, Any]], tuple[str, Headers, bytes]]


class Looker:
    """`answer` is the application's to a WSGI environment."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.streams: list[Stream] = []
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def keep(self, connection: socket, about: dict[str, Any]) -> bool:
        """Writes the first answer and all that comes after it; False when there is no room."""
        watcher = Watcher(**about["watcher"])
        with self.lock:
            same = sum(one.watcher.session_key == watcher.session_key for one in self.streams)
            has_room = len(self.streams) < MOST and same < MOST_OF_A_SESSION
        if not has_room:
            connection.close()
            return False
        stream = Stream(taken_over.TakenOver(connection), about["environ"], watcher)
        try:
            stream.there.write(about["head"].encode("latin-1"))
            stream.show(Part(about["html"], [(name, value) for name, value in about["headers"]]))
        except (OSError, ValueError):
            stream.there.close()
            return True
        with self.lock:
            self.streams.append(stream)
            if self.thread is None:
                self.thread = threading.Thread(target=self._go_on, name="streams", daemon=True)
                self.thread.start()
        return True

    def _go_on(self) -> None:
        cost = 0.0
        while True:
            with self.lock:
                if not self.streams:
                    self.thread = None
                    break
            started, worked = time.monotonic(), time.thread_time()
            self.look()
            worked = time.thread_time() - worked
            cost += (worked * (1 + AT_POSTGRESQL) - cost) / LOOKS
            time.sleep(pause_after(time.monotonic() - started, cost))
        connection.close()

    def look(self) -> None:
        """Once round: whatever has moved is written to whoever watches it."""
        with self.lock:
            streams = list(self.streams)
        watched = []
        for stream in streams:
            if self._is_over(stream):
                self._end(stream)
            else:
                watched.append(stream)
        try:
            if watched:
                self._look_at(watched)
        except (DatabaseError, InterfaceError, RedisError):
            # The pages say that they have lost us, and come back by themselves.
            logger.warning("streams ended for want of a service", exc_info=True)
            for stream in streams:
                self._end(stream)
            connection.close()

    def _look_at(self, streams: list[Stream]) -> None:
        pulses = pulse.of({one.watcher.workspace_id for one in streams})
        anyway = time.monotonic() - max(
            ANYWAY_SECONDS, ANYWAY_SECONDS_FOR_EACH * len({one.variant for one in streams})
        )
        due = [one for one in streams if one.made < anyway or one.pulse != one.pulse_of(pulses)]
        if not due:
            return
        variants = defaultdict(list)
        for stream, is_there in zip(due, still_there([one.watcher for one in due]), strict=True):
            if is_there:
                variants[stream.variant].append(stream)
                stream.pulse = stream.pulse_of(pulses)
            else:
                self._end(stream)
        asked = {(those[0].watcher.workspace_id, those[0].figures) for those in variants.values()}
        loaded = figures.Loaded((one for one in asked if one[1]), pulses)
        for those in variants.values():
            self._show(those, loaded, is_old=any(one.made < anyway for one in those))

    def _show(self, streams: list[Stream], loaded: figures.Loaded, *, is_old: bool) -> None:
        """To streams of one variant."""
        drawn = None
        anew = []
        first = streams[0]
        with _as_on_the_page(first.watcher):
            if first.figures:
                found = loaded.figures(first.watcher.workspace_id, first.figures)
                drawn = Drawn(found) if found else None
            for stream in streams:
                if drawn is None or (is_old and not drawn.ageless) or not drawn.fits(stream):
                    anew.append(stream)
                else:
                    self._write(stream, stream.show_figures, drawn)
        if is_old:
            for stream in streams:
                stream.made = time.monotonic()
        parts: dict[str, Part] = {}
        for stream in anew:
            sees = stream.watcher.sees
            part = parts.get(EVERY) or parts.get(sees) or self._made_anew(stream)
            if part is None:
                self._end(stream)
                continue
            parts[part.seen_by or sees] = part
            self._write(stream, stream.show, part, drawn)

    def _write(self, stream: Stream, show: Callable[..., None], *what: Any) -> None:
        try:
            show(*what)
        except (OSError, ValueError):
            self._end(stream)

    def _made_anew(self, stream: Stream) -> Part | None:
        """None where the answer is another than the part."""
        environ = {
            **stream.environ,
            "wsgi.version": (1, 0),
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        status, headers, body = self.answer(environ)
        is_part = status == "200 OK" and WATCHER in environ
        return Part(body.decode(), headers) if is_part else None

    def _is_over(self, stream: Stream) -> bool:
        now = time.monotonic()
        if now - stream.began > ENDS_SECONDS or stream.there.is_left():
            return True
        is_silent = now - stream.written > ALIVE_SECONDS and not stream.there.unsent
        if not is_silent and not stream.there.unsent:
            return False
        try:
            stream.there.write(b"\n" if is_silent else b"")
        except OSError:
            return True
        if is_silent:
            stream.written = now
        return bool(stream.there.unsent) and now - stream.written > 2 * ALIVE_SECONDS

    def _end(self, stream: Stream) -> None:
        with self.lock:
            if stream in self.streams:
                self.streams.remove(stream)
                stream.there.close()


def pause_after(took: float, cost: float) -> float:
    """Seconds, by how long a look took and how many of the processor's one costs."""
    return min(LONGEST_PAUSE_SECONDS, max(0.1, LOOK_SECONDS - took, REST * cost))


@contextmanager
def _as_on_the_page(watcher: Watcher) -> Iterator[None]:
    """Figures are asked for, and drawn, as if a page of the watcher's asked."""
    with (
        scope(workspace=watcher.workspace_id),
        translation.override(watcher.language),
        timezone.override(watcher.time_zone),
    ):
        yield
