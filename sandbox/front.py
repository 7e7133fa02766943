"""What stands before the API: latency, faults, and the book of requests.

It is outermost, since a connection can only be cut under the server's own feet: inside, a
framework's middleware stands between the application and the connection.
"""

import asyncio
import re
import uuid
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.bodies import UUID
from sandbox.configuration import Configuration
from sandbox.faults import Fault, Faults
from sandbox.state import State

IDS = re.compile(UUID.pattern, re.IGNORECASE)
CUT = "cut"


class Front:
    def __init__(
        self, app: ASGIApp, configuration: Configuration, faults: Faults, state: State
    ) -> None:
        self.app = app
        self.configuration = configuration
        self.faults = faults
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(("/v3", "/oauth2")):
            await self.app(scope, receive, send)
            return
        if self.configuration.latency:
            await asyncio.sleep(self.configuration.latency)
        fault = self.faults.strike(path, scope["method"])
        if fault is None:
            await self.app(scope, receive, self._noting(scope, send))
        else:
            await self._play(fault, scope, receive, send)

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "cut_before":
            self._note(scope, CUT)
            _cut(send)
        elif fault.kind == "cut_after":
            await self.app(scope, receive, self._noting(scope, _swallow))
            _cut(send)
        elif fault.kind == "cut_during":
            await self.app(scope, receive, self._noting(scope, _Half(send)))
        elif fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, self._noting(scope, send))
        else:
            await _drain(receive)
            await fault.answer(scope["path"])(scope, receive, self._noting(scope, send))

    def _noting(self, scope: Scope, send: Send) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message["status"])
                message["headers"].append((b"x-amzn-requestid", str(uuid.uuid4()).encode()))
            await send(message)

        return noting

    def _note(self, scope: Scope, status: object) -> None:
        route = IDS.sub("{id}", scope["path"])
        self.state.requests[f"{scope['method']} {route} {status}"] += 1
        self.state.recent.append(
            {
                "at": self.state.now(),
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
            }
        )


class _Half:
    """Sends the head and half of what comes after it, then cuts the connection."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.is_cut = False

    async def __call__(self, message: Message) -> None:
        if self.is_cut:
            return
        if message["type"] == "http.response.start":
            await self.send(message)
            return
        body = message.get("body", b"")
        half = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        await self.send(half)
        self.is_cut = True
        _cut(self.send, after_what_was_sent=True)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _swallow(message: Message) -> None:
    """An answer that nobody gets."""


def _cut(send: Send, *, after_what_was_sent: bool = False) -> None:
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    if after_what_was_sent:
        cycle.transport.close()
    else:
        cycle.transport.abort()
    cycle.disconnected = True
