"""Faults on order: what can go wrong between a client and the provider, as often as asked."""

import random
import re
from dataclasses import asdict, dataclass, fields
from types import NoneType
from typing import Any

from starlette.responses import HTMLResponse, Response

from sandbox.errors import (
    invalid_grant,
    queue_full,
    quota_exceeded,
    service_error,
    throttled,
    unauthorized,
)

KINDS = {
    "throttled": "429, too many requests a second",
    "quota_exceeded": "429, the day's requests are spent",
    "queue_full": "429, too many activities wait",
    "token_throttled": "429 of the token endpoint",
    "server_error": "500 or another status (status=503)",
    "html_error": "502 or another status with a page instead of JSON",
    "empty_error": "500 or another status with nothing in it",
    "slow": "answers after seconds=N",
    "cut_before": "the connection breaks before the request is taken",
    "cut_after": "the request is taken, then the connection breaks",
    "cut_during": "the connection breaks in the middle of the answer",
    "activity_failed": "activities end as failed",
    "activity_timed_out": "activities end as timed_out",
    "activity_cancelled": "activities end as cancelled",
    "activity_stuck": "activities never end",
    "revoked": "401, or invalid_grant at the token endpoint",
}
ACTIVITY_KINDS = {
    "activity_failed": "failed",
    "activity_timed_out": "timed_out",
    "activity_cancelled": "cancelled",
    "activity_stuck": "processing",
}
TOKEN_ROUTE = "/v1/token"  # noqa: S105 - a path
DEFAULT_STATUS = {"html_error": 502}
VALUES: dict[str, tuple[type, ...]] = {
    "count": (int, NoneType),
    "probability": (int, float),
    "route": (str,),
    "seconds": (int, float),
    "status": (int, NoneType),
    "retry_after": (int, NoneType),
    "after": (int,),
}


@dataclass
class Fault:
    """`count` None is for ever; the first `after` requests that it could strike go well.

    `route` is a pattern to find in the path, or in the method and the path; `retry_after` and
    `seconds` are seconds.
    """

    kind: str
    count: int | None = None
    probability: float = 1.0
    route: str = ""
    seconds: float = 5.0
    status: int | None = None
    retry_after: int | None = None
    after: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")
        for name, kinds in VALUES.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise ValueError(f"{name} can't be {value!r}")
        if min(self.seconds, self.after, self.retry_after or 0) < 0:
            raise ValueError("seconds, after and retry_after are 0 or more")
        if not 0 < self.probability <= 1 or (self.count is not None and self.count < 1):
            raise ValueError("a probability is above 0 and at most 1, a count at least 1")
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError("the status of a fault is between 400 and 599")
        if self.kind == "token_throttled":
            self.route = self.route or TOKEN_ROUTE
        try:
            re.compile(self.route)
        except re.error as odd:
            raise ValueError(f"{self.route!r} is not a pattern: {odd}") from odd

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """From `KIND[:name=value,…]`. Raises ValueError."""
        kind, _, rest = text.partition(":")
        kinds = {"probability": float, "seconds": float, "route": str}
        known = {field.name for field in fields(cls)} - {"kind"}
        values: dict[str, Any] = {}
        for pair in filter(None, rest.split(",")):
            name, _, value = pair.partition("=")
            if name not in known:
                raise ValueError(f"a fault has no {name!r}; it has {', '.join(sorted(known))}")
            values[name] = kinds.get(name, int)(value)
        return cls(kind, **values)

    def is_for(self, method: str, path: str) -> bool:
        return bool(re.search(self.route, path) or re.search(self.route, f"{method} {path}"))

    def answer(self, path: str) -> Response:
        """What the client gets instead of the real answer, for the kinds that only say no."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else None
        limited = {
            "throttled": throttled,
            "token_throttled": throttled,
            "quota_exceeded": quota_exceeded,
            "queue_full": queue_full,
        }
        if self.kind in limited:
            return limited[self.kind](headers).response
        status = self.status or DEFAULT_STATUS.get(self.kind, 500)
        if self.kind == "html_error":
            page = f"<html><body><h1>{status} ERROR</h1>The request could not be satisfied.</body>"
            return HTMLResponse(f"{page}</html>", status, headers)
        if self.kind == "empty_error":
            return Response(b"", status, headers)
        if self.kind == "revoked":
            return (invalid_grant() if path.endswith(TOKEN_ROUTE) else unauthorized()).response
        said = "There was a problem with our internal service."
        return service_error(status, "contacts.api.internal_error", said, headers).response


class Faults:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.clear()

    def add(self, fault: Fault) -> None:
        self.active.append(fault)

    def clear(self) -> None:
        """None is left, and chance begins anew."""
        self.active: list[Fault] = []
        self.random = random.Random(self.seed)  # noqa: S311 - faults are to be repeatable

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.active]

    def strike(self, path: str, method: str = "POST", *, activities: bool = False) -> Fault | None:
        """The fault that this request meets, if any; it is used up by that."""
        for fault in self.active:
            if (fault.kind in ACTIVITY_KINDS) != activities or not fault.is_for(method, path):
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
