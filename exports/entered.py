"""What a person has entered of an export's configuration so far, kept from step to step.

Kept in the cache, so that going back finds all of it again, and so does who had to sign in anew.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from django.http import QueryDict

from connections.models import Connection
from exports import match_rows, matching
from exports.lists import Way
from exports.match_rows import Row
from exports.models import Destination
from exports.steps import FIELDS, Step
from segments.models import Attribute
from workspaces import cached
from workspaces.models import User

KEPT_SECONDS = 24 * 60 * 60
TOKEN = re.compile(r"[0-9a-f]{32}")


def new_token() -> str:
    return secrets.token_hex(16)


def keep(workspace_id: int, user: User, token: str, entered: QueryDict) -> None:
    if TOKEN.fullmatch(token):
        cache.set(_key(workspace_id, user, token), dict(entered.lists()), KEPT_SECONDS)


def kept(workspace_id: int, user: User, token: str) -> QueryDict | None:
    """What this member has entered under the token; None when it is kept no longer."""
    known = cache.get(_key(workspace_id, user, token)) if TOKEN.fullmatch(token) else None
    return None if known is None else _query(known)


def forget(workspace_id: int, user: User, token: str) -> None:
    cache.delete(_key(workspace_id, user, token))


def with_step(entered: QueryDict, posted: QueryDict, step: Step) -> QueryDict:
    """What is kept, with what was entered on one step in its place."""
    whole = entered.copy()
    for name in FIELDS[step]:
        whole.setlist(name, posted.getlist(name))
    whole["seen"] = posted.get("seen", "")
    return whole


def values(entered: QueryDict, fields: Iterable[str]) -> dict[str, Any]:
    """As a form takes them for its first values."""
    known = {name: entered.get(name) for name in fields if entered.getlist(name)}
    return known | {"segments": entered.getlist("segments")}


def rows(entered: QueryDict) -> list[Row]:
    pairs = zip(entered.getlist("field"), entered.getlist("attribute"), strict=False)
    return [Row(target, attribute) for target, attribute in pairs if target or attribute]


def at_first(connections: list[Connection], segment: str) -> QueryDict:
    """What a new export starts from: what there is only one of, and what names propose."""
    usual = matching.usual(list(Attribute.objects.all()))
    return _of(
        usual,
        connection=str(connections[0].pk) if len(connections) == 1 else "",
        segments=[segment] if segment.isdecimal() else [],
    )


def of_destination(destination: Destination) -> QueryDict:
    values = initial_of(destination)
    matches = values.pop("matching")
    return _of(matches, **values)


def initial_of(destination: Destination) -> dict[str, Any]:
    """What an export has, by the names that its form gives them, and its `matching`."""
    return {
        "connection": str(destination.connection_id or ""),
        "name": destination.name,
        "way": Way.PICK.value,
        "picked": destination.list_id,
        "matching": destination.matching,
        "mode": destination.mode,
        "removal_share": str(destination.removal_share),
        "segments": [str(pk) for pk in destination.segments.values_list("pk", flat=True)],
        "seen": destination.updated_at.isoformat(),
    }


def _of(matches: Mapping[str, str], **others: str | list[str]) -> QueryDict:
    added = match_rows.rows_of(matches)
    return _query(
        {
            "email": [matches.get(matching.EMAIL, "")],
            "field": [row.target for row in added],
            "attribute": [row.attribute for row in added],
            **{name: one if isinstance(one, list) else [one] for name, one in others.items()},
        }
    )


def _query(lists: Mapping[str, list[str]]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, found in lists.items():
        query.setlist(name, found)
    return query


def _key(workspace_id: int, user: User, token: str) -> str:
    return cached.key(workspace_id, "entered", user.pk, token)
