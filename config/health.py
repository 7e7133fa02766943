"""Whether this process lives, and whether it can serve."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from redis import Redis, RedisError

from config import heartbeat


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """503 with what is missing, until everything a page needs is there.

    Pages need no worker, so that one which is missing is told and takes no page away.
    """
    problems = _told(CHECKS)
    warnings = {} if "redis" in problems else _told(WARNINGS)
    return JsonResponse(
        {"ready": not problems, "problems": problems, "warnings": warnings},
        status=503 if problems else 200,
    )


def _told(checks: dict[str, Callable[[], str]]) -> dict[str, str]:
    return {name: text for name, check in checks.items() if (text := check())}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as problem:
        return type(problem).__name__
    return ""


def _redis() -> str:
    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=2).ping()
    except (RedisError, OSError) as problem:
        return type(problem).__name__
    return ""


def _migrations() -> str:
    if _database():
        return "unknown"
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(pending)} to apply: run manage.py migrate" if pending else ""


def _workers() -> str:
    seen = heartbeat.last_beat()
    if seen is None:
        return "scheduler and workers were never seen: run manage.py doctor"
    age = timezone.now() - seen
    if age > heartbeat.MISSED_AFTER:
        return f"not seen for {age.total_seconds():.0f} seconds: run manage.py doctor"
    return ""


CHECKS = {"database": _database, "redis": _redis, "migrations": _migrations}
WARNINGS = {"workers": _workers}
