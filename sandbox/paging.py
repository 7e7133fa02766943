"""Pages with an opaque cursor, whose link repeats the query and the /v3 that callers forget."""

import base64
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from sandbox.errors import invalid

Item = TypeVar("Item")


def query_of(request: Request) -> dict[str, str]:
    """The query, from the cursor if there is one."""
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return {name: value for name, value in request.query_params.items() if name != "start"}
    try:
        query = dict(parse_qsl(base64.urlsafe_b64decode(cursor).decode(), strict_parsing=True))
        if int(query["start"]) < 0:
            raise ValueError(query["start"])
    except (ValueError, KeyError) as damaged:
        raise invalid("cursor is in an invalid format") from damaged
    return query


def start_of(query: dict[str, str]) -> int:
    return int(query.get("start", 0))


def links(path: str, query: dict[str, str], limit: int, start: int) -> dict[str, Any]:
    """The `_links` to the page that begins at `start`."""
    following = {**query, "limit": str(limit), "start": str(start)}
    cursor = base64.urlsafe_b64encode(urlencode(following).encode()).decode()
    return {"_links": {"next": {"href": f"/v3{path}?cursor={cursor}"}}}


def page(
    path: str, query: dict[str, str], items: Sequence[Item], limit: int
) -> tuple[Sequence[Item], dict[str, Any]]:
    """The page that the query asks for, and its `_links`."""
    start = start_of(query)
    shown = items[start : start + limit]
    if start + limit >= len(items):
        return shown, {}
    return shown, links(path, query, limit, start + limit)


def limit_in(query: dict[str, str], most: int) -> int:
    text = query.get("limit", "50")
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"limit must be between 1 and {most}")
    return int(text)
