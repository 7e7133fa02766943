"""What a member has entered on a page and not saved yet, kept for a day under the page's token.

So whoever had to sign in anew finds it again. It may name somebody, so it is encrypted.
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress

import redis
from django.core.cache import cache
from django.http import QueryDict

from workspaces import cached
from workspaces.models import User

KEPT_SECONDS = 24 * 60 * 60
TOKEN = re.compile(r"[0-9a-f]{32}")


def new_token() -> str:
    return secrets.token_hex(16)


def token_in(text: str) -> str:
    """The token that a page's form or address names; a new one if that is none."""
    return text if TOKEN.fullmatch(text) else new_token()


def keep(workspace_id: int, user: User, token: str, entered: QueryDict) -> None:
    if TOKEN.fullmatch(token):
        lists = dict(entered.lists())
        cached.put_sealed(_key(workspace_id, user, token), lists, KEPT_SECONDS)


def kept(workspace_id: int, user: User, token: str) -> QueryDict | None:
    """What this member has entered under the token; None when it is kept no longer."""
    known = TOKEN.fullmatch(token) and cached.get_sealed(_key(workspace_id, user, token))
    return query_of(known) if known else None


def forget(workspace_id: int, user: User, token: str) -> None:
    """Without Redis it goes by itself, within the day."""
    with suppress(redis.RedisError):
        cache.delete(_key(workspace_id, user, token))


def query_of(lists: Mapping[str, list[str]]) -> QueryDict:
    """One that can be changed."""
    query = QueryDict(mutable=True)
    for name, found in lists.items():
        query.setlist(name, found)
    return query


def _key(workspace_id: int, user: User, token: str) -> str:
    return cached.key(workspace_id, "entered", user.pk, token)
