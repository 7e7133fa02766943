"""JSON answers and instants."""

from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.responses import Response


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")


def instant(at: float | None) -> str | None:
    """An instant as the provider writes it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    """Raises ValueError for what is not a date-time or a date; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
