"""Faults on order: what can go wrong between a client and the provider, as often as asked."""

import asyncio
import random
import re
from dataclasses import asdict, dataclass
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.errors import Refusal, queue_full, quota_exceeded, service_error, throttled

KINDS = {
    "throttled": "429, too many requests a second",
    "quota_exceeded": "429, the day's requests are spent",
    "queue_full": "429, too many activities wait",
    "server_error": "500 or another status (status=503)",
    "html_error": "502 with a page instead of JSON",
    "empty_error": "500 with nothing in it",
    "slow": "answers after seconds=N",
    "cut_before": "the connection breaks before the request is taken",
    "cut_after": "the request is taken, then the connection breaks",
    "activity_failed": "activities end as failed",
    "activity_timed_out": "activities end as timed_out",
    "activity_cancelled": "activities end as cancelled",
    "activity_stuck": "activities never end",
    "revoked": "401, the access token is not accepted",
}
ACTIVITY_KINDS = {
    "activity_failed": "failed",
    "activity_timed_out": "timed_out",
    "activity_cancelled": "cancelled",
    "activity_stuck": "processing",
}


@dataclass
class Fault:
    """`count` None is for ever; `route` is a pattern of the path; `retry_after` is seconds."""

    kind: str
    count: int | None = None
    probability: float = 1.0
    route: str = ""
    seconds: float = 5.0
    status: int = 500
    retry_after: int | None = None
    after: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")
        re.compile(self.route)

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """From `KIND[:name=value,…]`."""
        kind, _, rest = text.partition(":")
        values: dict[str, Any] = {}
        for pair in filter(None, rest.split(",")):
            name, _, value = pair.partition("=")
            kinds = {"probability": float, "seconds": float, "route": str}
            values[name] = kinds.get(name, int)(value)
        return cls(kind, **values)


class Faults:
    def __init__(self, seed: int) -> None:
        self.active: list[Fault] = []
        self.random = random.Random(seed)  # noqa: S311 - faults are to be repeatable

    def add(self, fault: Fault) -> None:
        self.active.append(fault)

    def clear(self) -> None:
        self.active.clear()

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.active]

    def strike(self, path: str, *, activities: bool = False) -> Fault | None:
        """The fault that this request meets, if any; it is used up by that."""
        for fault in self.active:
            if (fault.kind in ACTIVITY_KINDS) != activities or not re.search(fault.route, path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if self.random.random() >= fault.probability:
                continue
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self.active.remove(fault)
            return fault
        return None


class FaultMiddleware:
    """Around the whole application, so that a connection can be cut under the server's own feet.

    Inside it, a framework's middleware stands between the application and the connection.
    """

    def __init__(self, app: ASGIApp, faults: Faults, configuration: Any) -> None:
        self.app = app
        self.faults = faults
        self.configuration = configuration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(("/v3", "/oauth2")):
            await self.app(scope, receive, send)
            return
        if self.configuration.latency:
            await asyncio.sleep(self.configuration.latency)
        fault = self.faults.strike(path)
        if fault is None:
            await self.app(scope, receive, send)
            return
        if fault.kind == "cut_before":
            _cut(send)
        elif fault.kind == "cut_after":
            await self.app(scope, receive, _swallow)
            _cut(send)
        elif fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, send)
        else:
            await _drain(receive)
            await _answer(fault)(scope, receive, send)


def _answer(fault: Fault) -> Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
    refusals = {"throttled": throttled, "quota_exceeded": quota_exceeded, "queue_full": queue_full}
    if fault.kind in refusals:
        return refusals[fault.kind](headers).response
    if fault.kind == "html_error":
        return HTMLResponse("<html><body><h1>502 ERROR</h1>Bad gateway.</body></html>", 502)
    if fault.kind == "empty_error":
        return Response(b"", 500)
    if fault.kind == "revoked":
        from sandbox.errors import unauthorized

        return unauthorized().response
    error: Refusal = service_error(fault.status, "internal.server.error", "There was a problem.")
    return error.response


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _swallow(message: Any) -> None:
    """An answer that nobody gets."""


def _cut(send: Send) -> None:
    cycle = send.__self__  # type: ignore[attr-defined]
    cycle.transport.abort()
    cycle.disconnected = True
