"""Finds profiles by key, address or name, at any size, with no index but the keys'.

Keys that begin with the text are found by their index. Whoever has it in an address or a name is
looked for in the order of the keys, a part of the profiles at a time and for a fifth of a second
at most; the page then asks for the next part, from where this one ended. An index of addresses
alone doubles the time of an import, and one of every name makes it four times as long
(docs/performance.md).
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from segments.models import Attribute, AttributeType, Profile
from segments.selectors import address_attributes
from workspaces.models import Workspace
from workspaces.prefixes import begins_with

PAGE = 50
SECONDS = 0.2
CHUNK = 25_000
MOST_ATTRIBUTES = 5
MOST_WORDS = 6
LONGEST_TEXT = 200
NAMES = re.compile(
    r"name|first|last|given|family|nom\b|nombre|cognom|apellido|company|empresa", re.IGNORECASE
)

# How far a part reaches: one that is not full is the last.
BOUND = """
SELECT key FROM segments_profile WHERE workspace_id = %(workspace)s AND key > %(after)s
ORDER BY key OFFSET %(size)s - 1 LIMIT 1
"""

IN_PART = """
SELECT id, key FROM segments_profile p
WHERE workspace_id = %(workspace)s AND key > %(after)s AND (%(until)s IS NULL OR key <= %(until)s)
    AND NOT starts_with(key, %(text)s) AND {condition}
ORDER BY key LIMIT %(most)s
"""


@dataclass(frozen=True)
class Found:
    """Some that were found; `after` goes on from there, "" when everybody was looked at.

    `looked_at` is how many were by then, those counted that an earlier part looked at.
    """

    profiles: list[Profile]
    after: str
    looked_at: int


def find(
    workspace: Workspace, text: str, *, after: str = "", looked_at: int = 0, most: int = PAGE
) -> Found:
    """The next ones, at most so many; `after` is from the answer before."""
    text = text.strip()[:LONGEST_TEXT].replace("\0", "")
    phase, _colon, mark = after.partition(":")
    if not text:
        return _by_key("", mark, most)
    found: list[Profile] = []
    if phase != "all":
        by_key = _by_key(text, mark, most)
        if by_key.after:
            return by_key
        found, mark = by_key.profiles, ""
    rest = _everywhere(workspace, text, mark, looked_at, most - len(found))
    return Found(found + rest.profiles, rest.after, rest.looked_at)


def _by_key(text: str, mark: str, most: int) -> Found:
    chosen = Profile.objects.order_by("key").filter(begins_with("key", text), key__gt=mark)
    found = list(chosen[: most + 1])
    return Found(found[:most], f"key:{found[most - 1].key}" if len(found) > most else "", 0)


def _everywhere(workspace: Workspace, text: str, mark: str, looked_at: int, most: int) -> Found:
    parameters: dict[str, Any] = {"workspace": workspace.pk, "text": text, "size": CHUNK}
    condition = _condition(text, parameters)
    if not condition:
        return Found([], "", looked_at)
    found: list[int] = []
    onward: str | None = mark
    started = time.monotonic()
    with connection.cursor() as cursor:
        while len(found) < most and onward is not None:
            where = {**parameters, "after": onward, "most": most - len(found)}
            cursor.execute(BOUND, where)
            bound = cursor.fetchone()
            where["until"] = bound[0] if bound else None
            cursor.execute(IN_PART.format(condition=condition), where)
            keys = cursor.fetchall()
            found += [pk for pk, _key in keys]
            if len(found) >= most:
                onward = keys[-1][1]
            else:
                onward = where["until"]
                looked_at += CHUNK if bound else 0
            if time.monotonic() - started > SECONDS:
                break
    profiles = list(Profile.objects.filter(pk__in=found).order_by("key"))
    return Found(profiles, "" if onward is None else f"all:{onward}", looked_at)


def _condition(text: str, parameters: dict[str, Any]) -> str:
    """That every word is in one of the attributes; what holds an @ is in an address."""
    names = _attributes(addresses_only="@" in text)
    if not names:
        return ""
    for number, name in enumerate(names):
        parameters[f"name_{number}"] = name
    words = [text] if "@" in text else text.split()[:MOST_WORDS]
    parts = []
    for place, word in enumerate(words):
        # Only its own letters change case in "C", several times faster than in a language's.
        collation = 'COLLATE "C"' if word.isascii() else ""
        pattern = re.sub(r"([\\%_])", r"\\\1", word.lower())
        parameters[f"word_{place}"] = f"%{pattern}%"
        alternatives = " OR ".join(
            f"lower((p.attributes ->> %(name_{number})s) {collation}) LIKE %(word_{place})s"
            for number in range(len(names))
        )
        parts.append(f"({alternatives})")
    return " AND ".join(parts)


def _attributes(*, addresses_only: bool) -> Sequence[str]:
    """Names of the attributes that hold addresses in the first profiles; names of people, too."""
    holding = address_attributes()
    if addresses_only:
        return holding[:MOST_ATTRIBUTES]
    texts = Attribute.objects.filter(type=AttributeType.TEXT)
    telling = [one.name for one in texts if NAMES.search(f"{one.name} {one.label}")]
    return list(dict.fromkeys([*holding, *telling]))[:MOST_ATTRIBUTES]
