"""`/metrics`, for Prometheus."""

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.metrics import registry


def metrics(request: HttpRequest) -> HttpResponse:
    """How many and how long, of all workspaces together; nothing of anybody's data."""
    if not _may_ask(request):
        raise Http404
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def _may_ask(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return bool(settings.IS_LOCAL)
    given = request.headers.get("Authorization", "")
    return secrets.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
