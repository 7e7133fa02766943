"""Answers about a large workspace's profiles from some of them, drawn at random."""

import math
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from segments import sampling_sql as sql
from workspaces.models import Workspace

# Up to here all profiles are looked at: it takes no longer.
ALL_UP_TO = 50_000
DRAWN = 20_000
MOST_DRAWS = 100_000
# Half the width of what holds the true share 95 times of 100, in standard errors.
CONFIDENCE = 1.96


@dataclass(frozen=True)
class Estimate:
    """About how many profiles meet a condition, of about how many; `margin` either way holds the
    true count 95 times of 100. `ids` are some who meet it.
    """

    count: int
    of: int
    margin: int
    ids: list[int]


def draws(cursor: CursorWrapper, workspace: Workspace, wanted: int, of: int) -> dict[str, int]:
    """The parameters that draw so many profiles; fewer where ids are sparse."""
    cursor.execute(sql.BOUNDS, {"workspace": workspace.pk})
    first, last = cursor.fetchone()
    per_profile = max(1, (last - first + 1) / of)
    return {
        "workspace": workspace.pk,
        "first": first,
        "last": last,
        "draws": min(MOST_DRAWS, math.ceil(wanted * per_profile)),
    }


def estimate(
    cursor: CursorWrapper,
    workspace: Workspace,
    of: int,
    condition: str,
    parameters: dict[str, Any],
    size: int,
) -> Estimate:
    """About how many of the profiles meet the condition, with up to `size` of them."""
    drawn = draws(cursor, workspace, DRAWN, of)
    cursor.execute(sql.ESTIMATE.format(condition=condition), {**parameters, **drawn, "size": size})
    looked_at, met, ids = cursor.fetchone()
    share = met / looked_at if looked_at else 0
    if met:
        error = CONFIDENCE * math.sqrt(share * (1 - share) / looked_at)
    else:
        # Where 3 of n are the true share, nobody is met among n 5 times of 100.
        error = min(1, 3 / max(1, looked_at))
    margin = math.ceil(error * of)
    return Estimate(rounded(share * of, margin), of, rounded(margin, margin), ids or [])


def rounded(number: float, margin: float) -> int:
    """The number without the digits that the margin makes meaningless."""
    if margin < 1:
        return round(number)
    step = 10 ** math.floor(math.log10(margin))
    return round(number / step) * step
