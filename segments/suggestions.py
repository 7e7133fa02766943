"""Values to choose from: those that profiles have, most frequent first, with their counts."""

from dataclasses import dataclass, field
from typing import Any

from django.db.backends.utils import CursorWrapper

from segments import population, sampling
from segments import sampling_sql as sql
from segments.models import Attribute
from segments.operators import NUMBERS
from segments.preview import TooSlow, bounded
from workspaces.models import Workspace

LOOKED_AT = 30_000
MOST = 30
LONGEST = 80


@dataclass(frozen=True)
class Suggestions:
    """`values` with how many profiles have each: about so many, unless all were looked at."""

    values: list[tuple[str, int]] = field(default_factory=list)
    looked_at: int = 0
    of: int = 0

    @property
    def is_exact(self) -> bool:
        return self.looked_at >= self.of


@dataclass(frozen=True)
class Spread:
    """Of all profiles that have a value, or of those looked at; one in ten reach `high`."""

    least: Any
    middle: Any
    high: Any
    greatest: Any
    looked_at: int
    of: int


def suggest(workspace: Workspace, attribute: str, typed: str = "") -> Suggestions:
    """The attribute's values that contain what is typed; none when that takes too long."""
    parameters: dict[str, int | str] = {
        "workspace": workspace.pk,
        "name": attribute,
        "typed": typed.strip()[:LONGEST].replace("\0", ""),
        "longest": LONGEST,
        "most": MOST,
    }
    try:
        with bounded() as cursor:
            of = _ask(cursor, workspace, sql.VALUES_OF_ALL, sql.VALUES_OF_DRAWN, parameters)
            rows = cursor.fetchall()
    except TooSlow:
        return Suggestions()
    looked_at = rows[0][2] if rows else min(of, LOOKED_AT)
    if of <= sampling.ALL_UP_TO:
        return Suggestions([(value, times) for value, times, _all in rows], looked_at, looked_at)
    times_each = of / max(1, looked_at)
    return Suggestions(
        [
            (value, sampling.rounded(times * times_each, times_each * times**0.5))
            for value, times, _all in rows
        ],
        looked_at,
        of,
    )


def spread(workspace: Workspace, attribute: Attribute) -> Spread | None:
    """How an attribute's numbers, days or moments lie; None if there are none, or it is too slow.

    Days and moments are text as profiles keep them.
    """
    is_number = attribute.type in NUMBERS
    of_all = sql.NUMBERS_OF_ALL if is_number else sql.DAYS_OF_ALL
    of_drawn = sql.NUMBERS_OF_DRAWN if is_number else sql.DAYS_OF_DRAWN
    named: dict[str, int | str] = {"workspace": workspace.pk, "name": attribute.name}
    try:
        with bounded() as cursor:
            of = _ask(cursor, workspace, of_all, of_drawn, named)
            found, looked_at = cursor.fetchone()
    except TooSlow:
        return None
    if not found or found[0] is None:
        return None
    least, middle, high, greatest = found
    return Spread(least, middle, high, greatest, looked_at, of)


def _ask(
    cursor: CursorWrapper,
    workspace: Workspace,
    of_all: str,
    of_drawn: str,
    parameters: dict[str, int | str],
) -> int:
    """Asks about all profiles, or about some of many; returns how many there are."""
    of = population.size(workspace.pk)
    if of <= sampling.ALL_UP_TO:
        cursor.execute(of_all, parameters)
    else:
        drawn = sampling.draws(cursor, workspace, LOOKED_AT, of)
        cursor.execute(of_drawn, {**parameters, **drawn})
    return of
