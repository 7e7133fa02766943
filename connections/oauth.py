"""The round trip to Constant Contact's sign-in, bound to the browser's session.

A `state` works once, in the session that asked for it, for ten minutes.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache

from connections import oauth_client
from connections.models import Connection

SESSION_KEY = "constant_contact_sign_ins"
SECONDS = 600
MOST_OPEN = 5


@dataclass(frozen=True)
class SignIn:
    workspace_slug: str
    connection_id: int
    verifier: str = field(repr=False)


def begin(session: SessionBase, connection: Connection) -> str:
    """Where to send the browser so that a person authorises the connection."""
    state = secrets.token_urlsafe(32)
    url, verifier = oauth_client.authorization_url(state)
    still_open = dict(list(_still_open(session).items())[-(MOST_OPEN - 1) :])
    session[SESSION_KEY] = still_open | {
        state: {
            "slug": connection.workspace.slug,
            "connection": connection.pk,
            "verifier": verifier,
            "at": time.time(),
        }
    }
    return url


def take(session: SessionBase, state: str) -> SignIn | None:
    """The sign-in that a `state` belongs to; None when it is unknown, used or too old."""
    still_open = _still_open(session)
    found = still_open.pop(state, None)
    session[SESSION_KEY] = still_open
    # Two requests at once read the same session: only one of them can add the mark.
    if found is None or not cache.add(f"sign-in-used:{state}", True, SECONDS):
        return None
    return SignIn(found["slug"], found["connection"], found["verifier"])


def _still_open(session: SessionBase) -> dict[str, dict[str, Any]]:
    return {
        state: kept
        for state, kept in session.get(SESSION_KEY, {}).items()
        if time.time() - kept["at"] < SECONDS
    }
