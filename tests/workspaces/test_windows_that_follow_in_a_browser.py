"""Several windows that follow what moves leave a browser its connections for pages."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).resolve().parents[2] / "static" / "live.js"
PAGE = b'<script src="/live.js" defer></script><p id="part" data-moves hx-get="/part">Here</p>'


class Endless:
    """Over HTTP/1.1, a page with a part whose answer never ends."""

    def __init__(self) -> None:
        self.followed = 0
        self.over = threading.Event()
        endless = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path == "/part":
                    endless.followed += 1
                    self._send("application/x-segue-lines", None)
                    endless.over.wait(60)
                elif self.path == "/live.js":
                    self._send("text/javascript", SCRIPT.read_bytes())
                else:
                    self._send("text/html", PAGE)

            def _send(self, kind: str, content: bytes | None) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                if content is None:
                    self.send_header("Connection", "close")
                else:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content or b"\n")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def endless() -> Iterator[Endless]:
    endless = Endless()
    thread = threading.Thread(target=endless.server.serve_forever, daemon=True)
    thread.start()
    yield endless
    endless.over.set()
    endless.server.shutdown()
    endless.server.server_close()


def test_the_eighth_window_opens_like_the_first(endless: Endless, browser: Any) -> None:
    context = browser.new_context()
    for _window in range(8):
        tab = context.new_page()
        tab.goto(endless.url, timeout=5_000)
        tab.wait_for_timeout(100)
    assert endless.followed == 4
