"""Answers that go on: a part of a page, and then each of its changes as soon as there is one.

A page asks for its part as ever, but accepts lines of JSON: the part is the first line of an answer
that has no end. Each line after it is the part anew, or the pieces of it that have moved. The
connection is taken over from gunicorn, and kept by one of its processes, see `keeper`, which looks
for all of them, see `looking`. So a page costs a write for each change, and nothing while nothing
moves. Where a connection can't be taken over the answer is an ordinary one, and the page goes on
asking every so often.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from workspaces.live import taken_over
from workspaces.live.keeper import Keeper
from workspaces.live.looking import Looker
from workspaces.live.parts import FIGURES, FOR_EVERY_ROLE, NEXT_QUERY, Headers
from workspaces.live.watchers import LINES, WATCHER

__all__ = ["FIGURES", "FOR_EVERY_ROLE", "LINES", "NEXT_QUERY", "Streams"]

Application = Callable[..., Iterable[bytes]]


class Streams:
    """The WSGI application, with answers that go on for whoever accepts them."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.looker = Looker(self._answer)
        self.keeper = Keeper(self.looker.keep)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = LINES in environ.get("HTTP_ACCEPT", "") and environ["REQUEST_METHOD"] == "GET"
        if not asked:
            return self.application(environ, start_response)
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        status, headers, body = self._answer(environ)
        gunicorns = taken_over.of_gunicorn(environ)
        is_part = status == "200 OK" and WATCHER in environ and _is_html(headers)
        if gunicorns is None or not is_part:
            start_response(status, headers)
            return [body]
        about = {
            "environ": {name: value for name, value in environ.items() if isinstance(value, str)},
            "watcher": asdict(environ[WATCHER]),
            "head": _head(headers),
            "headers": headers,
            "html": body.decode(),
        }
        if not self.keeper.take(gunicorns, about):
            start_response(status, headers)
            return [body]
        taken_over.take_from(gunicorns)
        # Gunicorn finds nobody at the other end of what it has left, and lets go of it.
        start_response("204 No Content", [])
        return []

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


def _is_html(headers: Headers) -> bool:
    return dict(headers).get("Content-Type", "").startswith("text/html")


def _head(headers: Headers) -> str:
    """The answer's headers, but those that tell of a body with an end."""
    kept = [one for one in headers if one[0].lower() not in ("content-type", "content-length")]
    kept += [("Content-Type", LINES), ("Connection", "close"), ("X-Accel-Buffering", "no")]
    lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in kept), "", ""]
    return "\r\n".join(lines)
