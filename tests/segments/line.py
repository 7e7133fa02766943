"""A line between a browser and a server that can be slow, and be cut."""

import socket
import threading
import time
from contextlib import suppress

BLOCK = 64 * 1024


class Line:
    """Passes connections on to a port of this machine until so many bytes have gone there.

    Then everything is cut, in the middle of whatever is said, and stays so until `mend`.
    """

    def __init__(self, to_port: int) -> None:
        self.to_port = to_port
        self.passed = 0
        self.cut_after: int | None = None
        self.seconds_a_block = 0.0
        self.is_cut = threading.Event()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def mend(self) -> None:
        self.cut_after = None
        self.is_cut.clear()

    def close(self) -> None:
        self._listening.close()
        self._cut()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self._listening.accept()
                if self.is_cut.is_set():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self.to_port))
                self._open |= {near, far}
                threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        with suppress(OSError):
            while block := source.recv(BLOCK):
                if is_up:
                    self.passed += len(block)
                    time.sleep(self.seconds_a_block)
                    if self.cut_after is not None and self.passed > self.cut_after:
                        self._cut()
                        return
                target.sendall(block)
        for end in (source, target):
            self._shut(end)

    def _cut(self) -> None:
        self.is_cut.set()
        for end in list(self._open):
            self._shut(end)

    def _shut(self, end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
        self._open.discard(end)
