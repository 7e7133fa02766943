"""Answers that go on: a part of a page, and then each of its changes as soon as there is one.

A page asks for its part as ever, but accepts lines of JSON: the part is the first line of an answer
that has no end. One thread a process looks each second whether anything has moved in the
workspaces that are watched; if so it has each part made anew once, by asking as one of those who
watch it, and writes it to all of them who still may see it. So a page costs a write for each
change, and nothing while nothing moves.

The connection is taken over from gunicorn. Where that can't be, the answer is an ordinary one, and
the page goes on asking every so often.
"""

import hashlib
import json
import logging
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.http import parse_cookie
from redis.exceptions import RedisError

from workspaces import cached
from workspaces.live import pulse, taken_over
from workspaces.live.watchers import LINES, WATCHER, Watcher, still_there

logger = logging.getLogger(__name__)

# A part that is not asked for by its first address any more says by which query from now on.
NEXT_QUERY = "Live-Query"
# One that is the same whoever the member is says so, with any value.
FOR_EVERY_ROLE, EVERY = "Live-For-Every-Role", "every"
LOOK_SECONDS = 1.0
# What says "a minute ago" goes on to say so, and what no pulse tells of is seen all the same.
ANYWAY_SECONDS = 30
ALIVE_SECONDS = 15
ENDS_SECONDS = 900
TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")\w+(")')
# What a browser has as a cookie does for a token in a form, and is the same whoever asked.
A_TOKEN = re.compile(r"[A-Za-z0-9]{32,64}", re.ASCII)
TOKENS_PLACE = "the-token-of-this-page"
MOST, MOST_OF_A_SESSION = 1_000, 12

Headers = list[tuple[str, str]]
Application = Callable[..., Iterable[bytes]]


class Part:
    """A part as it is now: a line that is everybody's but for the token of the forms in it."""

    def __init__(self, html: bytes, headers: Headers) -> None:
        text, forms = TOKEN.subn(rf"\g<1>{TOKENS_PLACE}\g<2>", html.decode())
        self.has_forms = forms > 0
        self.encoded = json.dumps({"html": text}).encode() + b"\n"
        self.query = dict(headers).get(NEXT_QUERY, "")
        self.seen_by = EVERY if FOR_EVERY_ROLE in dict(headers) else ""

    def line_for(self, token: str) -> bytes:
        if not self.has_forms:
            return self.encoded
        return self.encoded.replace(TOKENS_PLACE.encode(), token.encode())


class Stream:
    """One page's part: where it is written to, how it is asked for, what was written last."""

    def __init__(self, environ: dict[str, Any], there: taken_over.TakenOver) -> None:
        self.environ = {name: value for name, value in environ.items() if isinstance(value, str)}
        self.watcher: Watcher = environ[WATCHER]
        self.there = there
        self.token = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.CSRF_COOKIE_NAME, "")
        self.began = self.written = time.monotonic()
        self.pulse, self.turn, self.shown = "", 0, b""

    @property
    def variant(self) -> tuple[str, ...]:
        """Those of the same variant who see the same are shown the same."""
        names = ("PATH_INFO", "QUERY_STRING", "HTTP_HX_TARGET")
        asked = (self.environ.get(name, "") for name in names)
        return (*asked, self.watcher.language)

    def show(self, part: Part) -> None:
        """Raises OSError when the page is gone, ValueError when it has no token for a form."""
        if self.there.unsent:
            # A line that was begun must end first.
            self.pulse = ""
            return
        if part.has_forms and not A_TOKEN.fullmatch(self.token):
            raise ValueError
        if part.query:
            self.environ["QUERY_STRING"] = part.query
        line = part.line_for(self.token)
        if line != self.shown:
            self.shown, self.written = line, time.monotonic()
            self.there.write(line)


class Streams:
    """The WSGI application, with answers that go on for whoever accepts them."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.streams: list[Stream] = []
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = LINES in environ.get("HTTP_ACCEPT", "") and environ["REQUEST_METHOD"] == "GET"
        if not asked:
            return self.application(environ, start_response)
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        status, headers, body = self._answer(environ)
        gunicorns = taken_over.of_gunicorn(environ)
        if gunicorns is None or status != "200 OK" or not self._has_room_for(environ):
            start_response(status, headers)
            return [body]
        there = taken_over.TakenOver(gunicorns)
        stream = Stream(environ, there)
        try:
            there.write(_head(headers))
            stream.show(Part(body, headers))
        except (OSError, ValueError):
            there.close()
        else:
            self._begin(stream)
        # Gunicorn finds nobody at the other end of what it has left, and lets go of it.
        start_response("204 No Content", [])
        return []

    def _begin(self, stream: Stream) -> None:
        with self.lock:
            self.streams.append(stream)
            if self.thread is None:
                self.thread = threading.Thread(target=self._go_on, name="streams", daemon=True)
                self.thread.start()

    def _has_room_for(self, environ: dict[str, Any]) -> bool:
        watcher: Watcher | None = environ.get(WATCHER)
        if watcher is None:
            return False
        with self.lock:
            same = sum(one.watcher.session_key == watcher.session_key for one in self.streams)
            return len(self.streams) < MOST and same < MOST_OF_A_SESSION

    def _answer(self, environ: dict[str, Any]) -> tuple[str, Headers, bytes]:
        began: list[Any] = []

        def begin(status: str, headers: Headers, *_: Any) -> None:
            began[:] = status, headers

        answer = self.application(environ, begin)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return began[0], began[1], body

    def _go_on(self) -> None:
        while True:
            started = time.monotonic()
            with self.lock:
                if not self.streams:
                    self.thread = None
                    break
            self.look()
            time.sleep(max(0.1, LOOK_SECONDS - (time.monotonic() - started)))
        connection.close()

    def look(self) -> None:
        """Once round: whatever has moved is written to whoever watches it."""
        with self.lock:
            streams = list(self.streams)
        by_workspace = defaultdict(list)
        for stream in streams:
            if self._is_over(stream):
                self._end(stream)
            else:
                by_workspace[stream.watcher.workspace_id].append(stream)
        try:
            for workspace_id, those in by_workspace.items():
                self._look_at(workspace_id, those)
        except (DatabaseError, InterfaceError, RedisError):
            # The pages say that they have lost us, and come back by themselves.
            logger.warning("streams ended for want of a service", exc_info=True)
            for stream in streams:
                self._end(stream)
        finally:
            close_old_connections()

    def _look_at(self, workspace_id: int, streams: list[Stream]) -> None:
        moved, turn = pulse.of(workspace_id), int(time.time() / ANYWAY_SECONDS)
        due = [one for one in streams if (one.pulse, one.turn) != (moved, turn)]
        if not due:
            return
        allowed = still_there(workspace_id, [one.watcher for one in due])
        variants = defaultdict(list)
        for stream in due:
            if stream.watcher in allowed:
                variants[stream.variant].append(stream)
                stream.pulse, stream.turn = moved, turn
            else:
                self._end(stream)
        for variant, those in variants.items():
            self._show(those, cached.key(workspace_id, "live", _digest(*variant, moved, str(turn))))

    def _show(self, streams: list[Stream], key: str) -> None:
        parts: dict[str, Part] = {}
        for stream in streams:
            sees = stream.watcher.sees
            part = parts.get(EVERY) or parts.get(sees) or _kept(key, sees)
            if part is None:
                part = self._made_anew(stream)
                if part is None:
                    self._end(stream)
                    continue
                cached.put_sealed(f"{key}:{part.seen_by or sees}", part, ANYWAY_SECONDS)
            parts[part.seen_by or sees] = part
            try:
                stream.show(part)
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
        status, headers, body = self._answer(environ)
        return Part(body, headers) if status == "200 OK" and WATCHER in environ else None

    def _is_over(self, stream: Stream) -> bool:
        now = time.monotonic()
        if now - stream.began > ENDS_SECONDS or stream.there.is_left():
            return True
        try:
            is_silent = now - stream.written > ALIVE_SECONDS and not stream.there.unsent
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


def _kept(key: str, sees: str) -> Part | None:
    """The part as another process has made it."""
    found: Part | None = cached.get_sealed(f"{key}:{EVERY}") or cached.get_sealed(f"{key}:{sees}")
    return found


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _head(headers: Headers) -> bytes:
    """The answer's headers, but those that tell of a body with an end."""
    kept = [one for one in headers if one[0].lower() not in ("content-type", "content-length")]
    kept += [("Content-Type", LINES), ("Connection", "close"), ("X-Accel-Buffering", "no")]
    lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in kept), "", ""]
    return "\r\n".join(lines).encode("latin-1")
