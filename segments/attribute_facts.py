"""How many profiles have each attribute filled, and with what: of all, or of a fair sample.

What took long to find out is kept until profiles change.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import redis
from django.db import connection, transaction

from segments import attribute_sql as sql
from segments import population, sampling
from segments.models import Attribute
from workspaces import cached
from workspaces.models import Workspace

# So many values are looked at, whatever the number of attributes: that takes some 0.15 s.
VALUES_LOOKED_AT = 100_000
FEWEST_ATTRIBUTES = 20
LONGEST_VALUE = 60
SLOW_SECONDS = 0.1


@dataclass
class Fact:
    """`values` are those met most often, with how often."""

    filled: int = 0
    values: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """What `looked_at` profiles have, by attribute name; a sample if there are more of them."""

    looked_at: int
    is_sample: bool
    by_name: dict[str, Fact]


def facts(workspace: Workspace, attributes: Iterable[Attribute], shown: int) -> Facts:
    """Shares of these attributes, and up to `shown` values of each."""
    names = [attribute.name for attribute in attributes]
    state = population.state(workspace.pk)
    digest = hashlib.sha256(json.dumps([names, shown]).encode()).hexdigest()
    key = cached.key(workspace.pk, "facts", state, digest)
    with suppress(redis.RedisError):
        known: Facts | None = cached.get_sealed(key) if state else None
        if known is not None:
            return known
    started = time.perf_counter()
    found = _looked_up(workspace, names, shown)
    if state and time.perf_counter() - started > SLOW_SECONDS:
        with suppress(redis.RedisError):
            cached.put_sealed(key, found, population.KEPT_SECONDS)
    return found


def _looked_up(workspace: Workspace, names: list[str], shown: int) -> Facts:
    most = VALUES_LOOKED_AT // max(Attribute.objects.count(), FEWEST_ATTRIBUTES)
    parameters: dict[str, Any] = {
        "workspace": workspace.pk,
        "names": names,
        "shown": shown,
        "longest": LONGEST_VALUE,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        total = population.size(workspace.pk)
        is_sample = total > most
        if is_sample:
            # The same profiles at every look, so that shares do not flicker.
            cursor.execute("SELECT setseed(0.5)")
            drawn = sampling.draws(cursor, workspace, most, total)
            cursor.execute(sql.FACTS_OF_DRAWN, {**parameters, **drawn})
        else:
            cursor.execute(sql.FACTS_OF_ALL, parameters)
        rows = cursor.fetchall()
    found = {name: Fact() for name in names}
    for _looked_at, name, filled, value, times in rows:
        if name is not None:
            found[name].filled = int(filled)
            found[name].values.append((value or "", times))
    return Facts(rows[0][0], is_sample, found)
