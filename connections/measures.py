"""What operators see of Constant Contact: requests, answers, how long they take."""

import re

from config import tracing
from config.metrics import Counter, Histogram, register, together

# Parts of a path that name one list, contact, activity.
ONE = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27,}|[0-9]+)(?=/|$)", re.IGNORECASE)

REQUESTS = register(
    Counter(
        "segue_provider_requests_total",
        "Requests to Constant Contact; status 0 is no answer.",
        ("method", "route", "status"),
    )
)
DURATION = register(
    Histogram("segue_provider_request_seconds", "How long they take.", ("method", "route"))
)


def request_made(method: str, path: str, status: int, seconds: float) -> None:
    route = ONE.sub("/:id", path)
    with together():
        REQUESTS.add(method=method, route=route, status=status)
        DURATION.observe(seconds, method=method, route=route)
    tracing.happened(
        f"{method} {route}",
        seconds,
        failed=not 0 < status < 400,
        **{"peer.service": "constant_contact", "http.request.method": method, "url.path": route},
        **({"http.response.status_code": status} if status else {}),
    )
