"""One of gunicorn's processes keeps the open pages of all of them, and is the only one that looks.

The first that has a page takes a name which only one can have, and listens there; the others hand
it theirs, connection and all. When it dies its connections end, the pages come back by themselves,
and the first that gets one is the next. Where there are no such names each process keeps its own.
"""

import hmac
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings

ATTEMPTS = 3
# The keeper needs a moment at most for what is handed to it.
SECONDS = 2.0
KEPT, REFUSED = b"y", b"n"
# Takes the connection whatever it answers; what goes with it can be written as JSON.
Keep = Callable[[socket.socket, dict[str, Any]], bool]


def name() -> str:
    """The same for the processes of one gunicorn; nobody guesses it who has no key."""
    secret = hmac.digest(settings.SECRET_KEY.encode(), b"workspaces.live.keeper", "sha256").hex()
    return f"\0segue-{secret[:32]}-{os.getppid()}"


class Keeper:
    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.is_keeper = not hasattr(socket, "SO_PEERCRED")
        self.listening: socket.socket | None = None
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def take(self, connection: socket.socket, about: dict[str, Any]) -> bool:
        """Has the connection kept, here or where the others are; False when there is no room."""
        for _attempt in range(ATTEMPTS):
            if self._is_keeper():
                break
            there = _keeper()
            if there is None:
                continue
            with there:
                return _hand_over(there, connection, about)
        return self.keep(connection.dup(), about)

    def _is_keeper(self) -> bool:
        with self.lock:
            if self.is_keeper:
                return True
            listening = socket.socket(socket.AF_UNIX)
            try:
                listening.bind(name())
                listening.listen(128)
            except OSError:
                listening.close()
                return False
            self.is_keeper, self.listening = True, listening
            self.thread = threading.Thread(
                target=self._listen, args=(listening,), name="keeper", daemon=True
            )
            self.thread.start()
            return True

    def _listen(self, listening: socket.socket) -> None:
        while True:
            try:
                there, _address = listening.accept()
            except OSError:
                break
            with there:
                self._receive(there)

    def _receive(self, there: socket.socket) -> None:
        there.settimeout(SECONDS)
        connections: list[socket.socket] = []
        try:
            if not _is_ours(there):
                return
            _byte, handles, _flags, _address = socket.recv_fds(there, 1, 1)
            connections = [socket.socket(fileno=one) for one in handles]
            (connection,) = connections
            with there.makefile("rb") as file:
                about = json.load(file)
            connections = []
            there.sendall(KEPT if self.keep(connection, about) else REFUSED)
        except (OSError, ValueError):
            for one in connections:
                one.close()

    def stop(self) -> None:
        """Lets another be the keeper."""
        with self.lock:
            if self.listening is None or self.thread is None:
                return
            # Wakes whoever waits in accept(), as closing alone does not; until then the name is
            # taken.
            self.listening.shutdown(socket.SHUT_RDWR)
            self.thread.join()
            self.listening.close()
            self.listening, self.thread, self.is_keeper = None, None, False


def _keeper() -> socket.socket | None:
    """A line to it; none when it has just gone."""
    there = socket.socket(socket.AF_UNIX)
    there.settimeout(SECONDS)
    try:
        there.connect(name())
        if _is_ours(there):
            return there
    except OSError:
        pass
    there.close()
    return None


def _hand_over(there: socket.socket, connection: socket.socket, about: dict[str, Any]) -> bool:
    """From the first byte on it is the keeper's: should that die, the page comes back."""
    try:
        socket.send_fds(there, [b" "], [connection.fileno()])
        there.sendall(json.dumps(about).encode())
        there.shutdown(socket.SHUT_WR)
        return there.recv(1) != REFUSED
    except OSError:
        return True


def _is_ours(there: socket.socket) -> bool:
    """Whether a process of the same user is at the other end."""
    credentials = there.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _process, user, _group = struct.unpack("3i", credentials)
    return bool(user == os.geteuid())
