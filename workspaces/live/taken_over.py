"""A connection taken over from gunicorn, to be written to without a thread that waits on it."""

import os
import socket
from typing import Any


class TakenOver:
    """Writes what there is room for, and the rest when there is; never waits."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.unsent = b""
        self.socket.setblocking(False)

    def write(self, data: bytes) -> None:
        """Raises OSError when nobody is at the other end any more."""
        self.unsent += data
        if not self.unsent:
            return
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return

    def is_left(self) -> bool:
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self.socket.close()


def of_gunicorn(environ: dict[str, Any]) -> socket.socket | None:
    """The request's connection; none where it carries others too, or is encrypted here."""
    connection = environ.get("gunicorn.socket")
    is_plain = type(connection) is socket.socket and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    return connection if is_plain else None


def take_from(connection: socket.socket) -> None:
    """Leaves gunicorn another socket in its place, with nobody at its other end, to close."""
    mine, other = socket.socketpair()
    with mine, other:
        os.dup2(mine.fileno(), connection.fileno())
