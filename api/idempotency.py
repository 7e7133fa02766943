"""`Idempotency-Key`: what is started once stays started once, however often it is asked for.

What a request does and the answer to it are one transaction: a crash leaves neither, and of two
at once the second waits for the first one's answer. Only answers of success are kept: what was
refused has done nothing, and may be asked again.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone

from api.middleware import ApiRequest
from api.models import KeptAnswer
from api.problems import Problem

KEPT = timedelta(hours=24)
PATIENCE = "10s"
LONGEST_KEY = 255
KEPT_HEADERS = ("Content-Type", "Location")
LOCK_NOT_AVAILABLE = "55P03"

Run = Callable[..., HttpResponse]


def idempotent(run: Run) -> Run:
    """For an operation of whose effects all are in the database, or begin when it commits."""

    @wraps(run)
    def once(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return run(request, *args, **kwargs)
        try:
            if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
                raise Problem(
                    "invalid_request",
                    f"Idempotency-Key has 1 to {LONGEST_KEY} printable characters.",
                )
            return _once(request, key, lambda: run(request, *args, **kwargs))
        except Problem as problem:
            return problem.response()

    return once


def forget_old() -> None:
    """Deletes the answers of the workspace in scope that are no longer promised."""
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()


def _once(request: ApiRequest, key: str, run: Callable[[], HttpResponse]) -> HttpResponse:
    fingerprint = _fingerprint(request)
    forget_old()
    known = _known(request, key)
    if known is None:
        try:
            with transaction.atomic():
                kept = _begun(request, key, fingerprint)
                response = run()
                if response.status_code >= 400:
                    transaction.set_rollback(True)
                    return response
                kept.status, kept.body = response.status_code, response.content
                kept.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
                kept.save(update_fields=["status", "body", "headers"])
                return response
        except IntegrityError as conflict:
            if "one_answer_per_idempotency_key" not in str(conflict):
                raise
        known = _known(request, key)
    if known is None:
        raise Problem("request_in_progress", headers={"Retry-After": "1"})
    if known.fingerprint != fingerprint:
        raise Problem("idempotency_key_reused")
    headers = {**known.headers, "Idempotency-Replayed": "true"}
    return HttpResponse(bytes(known.body), status=known.status, headers=headers)


def _begun(request: ApiRequest, key: str, fingerprint: str) -> KeptAnswer:
    """Waits while another request holds the key, and raises what the database says then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        try:
            kept = KeptAnswer.objects.create(
                workspace=request.workspace, token=request.token, key=key, fingerprint=fingerprint
            )
        except OperationalError as waited:
            if getattr(waited.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
                raise
            raise Problem("request_in_progress", headers={"Retry-After": "5"}) from waited
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return kept


def _known(request: ApiRequest, key: str) -> KeptAnswer | None:
    return KeptAnswer.objects.filter(token=request.token, key=key).first()


def _fingerprint(request: ApiRequest) -> str:
    content = getattr(request, "content_digest", None) or hashlib.sha256(request.body).digest()
    asked = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(asked + content).hexdigest()
