"""Parts of pages as they are now, and the pages that they are written to."""

import json
import re
import time
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from workspaces.live import taken_over
from workspaces.live.figures import THINGS, Figures
from workspaces.live.pulse import Pulse
from workspaces.live.watchers import Watcher

# A part that is not asked for by its first address any more says by which query from now on.
NEXT_QUERY = "Live-Query"
# One that is the same whoever the member is says so, with any value.
FOR_EVERY_ROLE, EVERY = "Live-For-Every-Role", "every"
# Such a one may name the object whose `figures` are all that moves in it most of the time.
FIGURES = "Live-Figures"
TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")\w+(")')
# What a browser has as a cookie does for a token in a form, and is the same whoever asked.
A_TOKEN = re.compile(r"[A-Za-z0-9]{32,64}", re.ASCII)
TOKENS_PLACE = "the-token-of-this-page"

Headers = list[tuple[str, str]]


class Part:
    """A part as it is now: a line that is everybody's but for the token of the forms in it."""

    def __init__(self, html: str, headers: Headers) -> None:
        text, forms = TOKEN.subn(rf"\g<1>{TOKENS_PLACE}\g<2>", html)
        said = dict(headers)
        self.has_forms = forms > 0
        self.encoded = _line("html", text)
        self.query = said.get(NEXT_QUERY, "")
        self.seen_by = EVERY if FOR_EVERY_ROLE in said else ""
        self.figures = said.get(FIGURES, "") if self.seen_by else ""

    def line_for(self, token: str) -> bytes:
        if not self.has_forms:
            return self.encoded
        return self.encoded.replace(TOKENS_PLACE.encode(), token.encode())


class Drawn:
    """An object's figures as they are now, and what of them is another one for a page."""

    def __init__(self, figures: Figures) -> None:
        self.shape, self.ageless = figures.shape, figures.ageless
        self.pieces = figures.pieces
        self.states = {name: piece.state for name, piece in figures.pieces.items()}
        self._html: dict[str, str] = {}
        # By the states that they come after, of which most pages have the same.
        self._lines: list[tuple[dict[str, Any], bytes]] = []

    def fits(self, stream: "Stream") -> bool:
        """Whether the page has the elements to show it."""
        if self.shape != stream.shape:
            return False
        return self.ageless or stream.states.keys() == self.states.keys()

    def line_after(self, states: dict[str, Any]) -> bytes:
        """What has another state than in `states`; empty for nothing. Drawn once for all pages."""
        for known, line in self._lines:
            if known is states:
                return line
        moved = [name for name, state in self.states.items() if states.get(name) != state]
        for name in moved:
            if name not in self._html:
                self._html[name] = self.pieces[name].draw()
        line = _line("pieces", {name: self._html[name] for name in moved}) if moved else b""
        self._lines.append((states, line))
        return line


class Stream:
    """One page's part: where it is written to, how it is asked for, what was written last."""

    def __init__(
        self, there: taken_over.TakenOver, environ: dict[str, str], watcher: Watcher
    ) -> None:
        self.there, self.environ, self.watcher = there, environ, watcher
        self.token = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.CSRF_COOKIE_NAME, "")
        self.began = self.written = time.monotonic()
        # When all of the part was last made, and the workspace's pulse when it was last looked at.
        self.made, self.pulse = self.began, ""
        self.shown = b""
        self.figures, self.shape = "", ""
        self.states: dict[str, Any] = {}
        self.variant = self._variant()

    def _variant(self) -> tuple[str, ...]:
        """Those of the same variant who see the same are shown the same."""
        names = ("PATH_INFO", "QUERY_STRING", "HTTP_HX_TARGET")
        asked = (self.environ.get(name, "") for name in names)
        return (*asked, self.watcher.language, self.watcher.time_zone)

    def pulse_of(self, pulses: dict[int, Pulse]) -> str:
        """What has to be another one for anything to be shown."""
        pulse = pulses[self.watcher.workspace_id]
        return pulse.things if self.figures == THINGS else pulse.digest

    def show(self, part: Part, drawn: Drawn | None = None) -> None:
        """All of it, the figures within as they were `drawn` just before, or later.

        Raises OSError when the page is gone, ValueError when it has no token for a form.
        """
        if self._is_in_a_line():
            return
        if part.has_forms and not A_TOKEN.fullmatch(self.token):
            raise ValueError
        if part.query:
            self.environ["QUERY_STRING"] = part.query
            self.variant = self._variant()
        self.figures = part.figures
        self.shape, self.states = (drawn.shape, drawn.states) if drawn else ("", {})
        line = part.line_for(self.token)
        if line != self.shown:
            self.shown = line
            self._write(line)

    def show_figures(self, drawn: Drawn) -> None:
        """Raises OSError when the page is gone."""
        if self._is_in_a_line():
            return
        line = drawn.line_after(self.states)
        self.states = drawn.states
        if line:
            self.shown = b""
            self._write(line)

    def _is_in_a_line(self) -> bool:
        """A line that was begun must end first; what moves meanwhile is shown then."""
        if self.there.unsent:
            self.pulse = ""
        return bool(self.there.unsent)

    def _write(self, line: bytes) -> None:
        self.written = time.monotonic()
        self.there.write(line)


def _line(name: str, value: Any) -> bytes:
    return json.dumps({name: value}).encode() + b"\n"
