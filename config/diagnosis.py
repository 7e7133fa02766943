"""What Segue depends on, looked at part by part: what is wrong, and what to do about it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis import Redis

from config import heartbeat
from config.celery import app

OLDEST_POSTGRES = 16
QUEUES = {"default", "data", "runs"}
SECONDS = 5
LEAST_FREE_BYTES = 5 * 10**9
GREATEST_CLOCK_DIFFERENCE = 60


@dataclass(frozen=True)
class Finding:
    """One part's state; `advice` is empty when all is well."""

    part: str
    state: str
    advice: str = ""

    @property
    def is_well(self) -> bool:
        return not self.advice


def findings() -> Iterator[Finding]:
    """Every part's, one after another; a check that breaks is itself a fault."""
    for part, check in CHECKS.items():
        try:
            state, advice = check()
        except Exception as problem:
            state, advice = f"{type(problem).__name__}: {problem}", BROKEN[part]
        yield Finding(part, state, advice)


def _postgres() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), getdatabaseencoding()")
        version, encoding = cursor.fetchone()
    state = f"PostgreSQL {version}, {encoding}"
    if int(version.split(".")[0]) < OLDEST_POSTGRES:
        return state, f"Use PostgreSQL {OLDEST_POSTGRES} or later."
    if encoding != "UTF8":
        return state, "Make the database anew with ENCODING 'UTF8', and restore it there."
    return state, ""


def _migrations() -> tuple[str, str]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        return f"{len(pending)} to apply", "Run manage.py migrate."
    return "all applied", ""


def _redis() -> tuple[str, str]:
    server = Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS)
    known: dict[str, Any] = server.info()  # type: ignore[assignment]
    policy = known["maxmemory_policy"]
    state = f"Redis {known['redis_version']}, {known['used_memory_human']} used"
    if policy != "noeviction":
        return state, (
            f"It may forget queued work (maxmemory-policy is {policy}): set maxmemory-policy to"
            " noeviction."
        )
    return state, ""


def _workers() -> tuple[str, str]:
    served: dict[str, list[str]] = {}
    for worker, queues in (app.control.inspect(timeout=2).active_queues() or {}).items():
        for queue in queues:
            served.setdefault(queue["name"], []).append(worker)
    missing = sorted(QUEUES - set(served))
    if missing:
        return f"nobody works on: {', '.join(missing)}", (
            f"{_start()} or, on a server, celery -A config.celery worker -Q {','.join(missing)}"
        )
    return ", ".join(sorted({name for names in served.values() for name in names})), ""


def _scheduler() -> tuple[str, str]:
    seen = heartbeat.last_beat()
    advice = f"{_start()} or, on a server, celery -A config.celery beat (one, never two)."
    if seen is None:
        return "never seen", advice
    age = timezone.now() - seen
    if age > heartbeat.MISSED_AFTER:
        return f"last seen {seen:%Y-%m-%d %H:%M} UTC", advice
    return f"seen {age.total_seconds():.0f} s ago", ""


def _secrets() -> tuple[str, str]:
    for number, key in enumerate(settings.TOKEN_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            return f"key {number} of TOKEN_ENCRYPTION_KEYS is none", (
                "Make one as docs/operations.md says; keep the old keys after it."
            )
    kept = "made here, under .data" if settings.IS_LOCAL else "given by the environment"
    return kept, ""


def _address() -> tuple[str, str]:
    host = urlsplit(settings.BASE_URL).hostname or ""
    if not any(
        allowed in ("*", host) or (allowed.startswith(".") and host.endswith(allowed))
        for allowed in settings.ALLOWED_HOSTS
    ):
        return settings.BASE_URL, f"Add {host} to ALLOWED_HOSTS, or mend BASE_URL."
    if not settings.IS_LOCAL and not settings.BASE_URL.startswith("https://"):
        return settings.BASE_URL, "Serve it by HTTPS: cookies and tokens pass here."
    return settings.BASE_URL, ""


def _mail() -> tuple[str, str]:
    if hasattr(settings, "EMAIL_FILE_PATH"):
        kept = f"kept as files in {settings.EMAIL_FILE_PATH}"
        return kept, "" if settings.IS_LOCAL else "Set EMAIL_URL, so that mail reaches people."
    server = get_connection(timeout=SECONDS)
    server.open()
    server.close()
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} answers", ""


def _disk() -> tuple[str, str]:
    directory = Path(settings.UPLOAD_DIR)
    directory.mkdir(parents=True, exist_ok=True)
    probe = directory / ".doctor"
    probe.write_bytes(b"")
    probe.unlink()
    free = shutil.disk_usage(directory).free
    state = f"{free / 10**9:.0f} GB free for uploads in {directory}"
    return state, "Free some space, or move UPLOAD_DIR." if free < LEAST_FREE_BYTES else ""


def _client() -> tuple[str, str]:
    if not settings.CONSTANT_CONTACT_CLIENT_ID:
        return "no CONSTANT_CONTACT_CLIENT_ID", (
            "Register an application with Constant Contact, then set CONSTANT_CONTACT_CLIENT_ID"
            " and CONSTANT_CONTACT_CLIENT_SECRET; docs/operations.md says how. Or run manage.py"
            " up, which brings its own stand-in."
        )
    return f"known as {settings.CONSTANT_CONTACT_CLIENT_ID}", ""


def _provider() -> tuple[str, str]:
    sign_in = f"{settings.CONSTANT_CONTACT_AUTH_URL}/.well-known/openid-configuration"
    requests.get(sign_in, timeout=SECONDS)
    answer = requests.get(f"{settings.CONSTANT_CONTACT_API_URL}/account/summary", timeout=SECONDS)
    host = urlsplit(settings.CONSTANT_CONTACT_API_URL).netloc
    difference = _seconds_ahead(answer.headers.get("Date", ""))
    if abs(difference) > GREATEST_CLOCK_DIFFERENCE:
        return f"{host} answers; this clock is {difference:+.0f} s off", (
            "Keep this machine's clock right (NTP): schedules and tokens go by it."
        )
    return f"{host} answers", ""


def _seconds_ahead(date: str) -> float:
    try:
        told: datetime = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return 0.0
    return (timezone.now() - told).total_seconds()


def _start() -> str:
    return "Start everything on this machine with manage.py up;"


CHECKS: dict[str, Callable[[], tuple[str, str]]] = {
    "PostgreSQL": _postgres,
    "migrations": _migrations,
    "Redis": _redis,
    "workers": _workers,
    "scheduler": _scheduler,
    "secrets": _secrets,
    "address": _address,
    "mail": _mail,
    "disk": _disk,
    "API key": _client,
    "Constant Contact": _provider,
}
BROKEN = {
    "PostgreSQL": "Check DATABASE_URL, and that the server runs and lets this machine in. Where the"
    " role segue_work is missing, run manage.py migrate.",
    "migrations": "Mend PostgreSQL first.",
    "Redis": "Check REDIS_URL, and that the server runs and lets this machine in.",
    "workers": "Mend Redis first.",
    "scheduler": "Mend Redis first.",
    "secrets": "Check TOKEN_ENCRYPTION_KEYS.",
    "address": "Check BASE_URL.",
    "mail": "Check EMAIL_URL: its server, its port, the name and the password.",
    "disk": "Let this user write to UPLOAD_DIR.",
    "API key": "Check CONSTANT_CONTACT_CLIENT_ID.",
    "Constant Contact": "Let this machine reach it by HTTPS; check CONSTANT_CONTACT_AUTH_URL and"
    " CONSTANT_CONTACT_API_URL.",
}
