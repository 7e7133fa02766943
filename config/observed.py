"""Names each request, times it, and logs a line when it is answered."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config import correlation
from config.metrics import Counter, Histogram, register

logger = logging.getLogger(__name__)
GOOD_NAME = re.compile(r"[A-Za-z0-9_.-]{8,64}", re.ASCII)
UNTOLD = ("healthz", "readyz", "metrics")

REQUESTS = register(
    Counter(
        "segue_http_requests_total",
        "Requests answered.",
        ("method", "view", "status"),
    )
)
DURATION = register(
    Histogram("segue_http_request_seconds", "How long pages and the API take.", ("view",))
)


class ObservedMiddleware:
    """First of all, so that whatever a request does is known by the request's name.

    A proxy's `X-Request-ID` is taken over if it is a plain name, and comes back with the answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if GOOD_NAME.fullmatch(given) else uuid.uuid4().hex
        correlation.clear()
        correlation.bind(request_id=name)
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        response["X-Request-ID"] = name
        view = (request.resolver_match and request.resolver_match.view_name) or "none"
        if view not in UNTOLD:
            method = request.method if request.method in METHODS else "other"
            REQUESTS.add(method=method, view=view, status=response.status_code)
            DURATION.observe(seconds, view=view)
            logger.info(
                "answered",
                extra={
                    "method": method,
                    "view": view,
                    "status": response.status_code,
                    "milliseconds": round(seconds * 1000),
                },
            )
        return response


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
