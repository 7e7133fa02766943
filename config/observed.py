"""Names each request, times it, and logs a line when it is answered."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from config import correlation, tracing
from config.metrics import Counter, Histogram, register, together

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
        method = request.method if request.method in METHODS else "other"
        with tracing.span(str(method)) as traced:
            response = self.get_response(request)
            if traced is not None:
                _name(traced, request, response)
        seconds = time.perf_counter() - began
        response["X-Request-ID"] = name
        view = (request.resolver_match and request.resolver_match.view_name) or "none"
        if view not in UNTOLD:
            with together():
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


def _name(traced: Any, request: HttpRequest, response: HttpResponse) -> None:
    """By the view's name and its route, which has names where the path has what is named."""
    match = request.resolver_match
    traced.update_name(f"{request.method} {(match and match.view_name) or 'none'}")
    traced.set_attribute("http.request.method", str(request.method))
    traced.set_attribute("http.route", (match and match.route) or "")
    traced.set_attribute("http.response.status_code", response.status_code)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
