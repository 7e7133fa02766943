"""A server that answers with the very bytes it is told, as the sandbox never would."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = list[bytes]


def answer(status: str, body: str | bytes = b"", **headers: str) -> bytes:
    """An HTTP answer; `retry_after="2"` becomes `Retry-After: 2`."""
    content = body.encode() if isinstance(body, str) else body
    named = {"content_length": str(len(content)), **headers}
    lines = [f"{name.replace('_', '-').title()}: {value}" for name, value in named.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "Connection: close", "", ""])
    return head.encode() + content


class OddServer:
    """`requests` holds what arrived. An empty answer closes the connection at once."""

    def __init__(self, answers: Script, *, read: bool) -> None:
        self.answers = [*answers]
        self.requests: list[bytes] = []
        self.read = read
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/v3"

    def serve(self) -> None:
        while self.answers:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            with connection:
                if self.read:
                    self.requests.append(_whole_request(connection.recv))
                reply = self.answers.pop(0)
                if reply:
                    connection.sendall(reply)
                else:
                    # Reset, as a server that dies does.
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _whole_request(receive: Callable[[int], bytes]) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        request += receive(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += receive(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def odd_server(*answers: bytes, read: bool = True) -> Iterator[OddServer]:
    """Gives one answer to each request, without reading the request unless `read`."""
    server = OddServer([*answers], read=read)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        # Closing alone would leave the thread waiting for another request.
        server.socket.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        server.socket.close()
