"""ETags: what a copy is known again by, and where there is a version, what a change is bound to."""

import hashlib
from datetime import datetime

from django.http import HttpRequest
from django.utils.http import parse_etags

from api.problems import Problem

SEPARATOR = "."


def of_body(body: bytes, version: str = "") -> str:
    """`version` goes before the hash: it stays while only what is computed changes."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f'"{version}{SEPARATOR}{digest}"' if version else f'"{digest}"'


def version_of(changed_at: datetime) -> str:
    return f"{int(changed_at.timestamp() * 1_000_000):x}"


def require_version(request: HttpRequest, changed_at: datetime) -> None:
    """Raises `Problem` when the request is for another version, by its If-Match.

    Call it with the object locked.
    """
    asked = request.headers.get("If-Match")
    if asked is None:
        return
    versions = [tag.strip('"').partition(SEPARATOR)[0] for tag in parse_etags(asked)]
    if "*" not in versions and version_of(changed_at) not in versions:
        raise Problem("changed_meanwhile")
