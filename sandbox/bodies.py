"""Request bodies and parameters, read as strictly as the provider reads them."""

import re
from typing import Any

import orjson
from starlette.requests import Request

from sandbox.errors import gateway_message, invalid

# What the provider's gateway takes at all; its services take less.
GATEWAY_BYTES = 10_000_000
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


async def raw_body(request: Request) -> bytes:
    """Refuses what is too long for the gateway without holding it."""
    blocks, size = [], 0
    async for block in request.stream():
        size += len(block)
        if size <= GATEWAY_BYTES:
            blocks.append(block)
    if size > GATEWAY_BYTES:
        raise gateway_message(413, "Request Too Long")
    return b"".join(blocks)


async def body_of(request: Request) -> dict[str, Any]:
    return object_of(await raw_body(request))


def object_of(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as malformed:
        raise invalid("The body is not valid JSON") from malformed
    if not isinstance(parsed, dict):
        raise invalid("The body must be an object")
    return parsed


def ids_of(body: dict[str, Any], name: str, most: int) -> list[str]:
    ids = body.get(name)
    if not isinstance(ids, list) or not 1 <= len(ids) <= most:
        raise invalid(f"{name} must hold 1 to {most} ids")
    return checked_ids(ids, name)


def checked_ids(ids: list[Any], name: str) -> list[str]:
    """In lower case, as they are given out."""
    if not all(isinstance(one, str) and UUID.fullmatch(one) for one in ids):
        raise invalid(f"{name} holds an id in an invalid format")
    return [one.lower() for one in ids]


def csv_of(query: dict[str, str], name: str) -> list[str]:
    """The parts of a comma-separated parameter."""
    return [part.strip() for part in query.get(name, "").split(",") if part.strip()]


def choices_of(query: dict[str, str], name: str, choices: set[str]) -> set[str]:
    chosen = set(csv_of(query, name))
    if not chosen <= choices:
        raise invalid(f"{name} does not have a valid value")
    return chosen


def flag_of(query: dict[str, str], name: str) -> bool:
    text = query.get(name, "false").lower()
    if text not in ("true", "false"):
        raise invalid(f"{name} does not have a valid value")
    return text == "true"
