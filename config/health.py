"""Whether this process lives, and whether it can serve."""

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis import Redis, RedisError


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """503 with what is missing, until everything a page needs is there."""
    problems = {name: text for name, check in CHECKS.items() if (text := check())}
    return JsonResponse(
        {"ready": not problems, "problems": problems}, status=503 if problems else 200
    )


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


CHECKS = {"database": _database, "redis": _redis, "migrations": _migrations}
