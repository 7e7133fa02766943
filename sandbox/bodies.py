"""Request bodies, read as strictly as the provider reads them."""

from typing import Any

import orjson

from sandbox.errors import invalid


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
    return [str(one) for one in ids]
