"""Moments that lie too far ahead: a clock that was ahead has written them, and is right again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Q
from django_scopes import scope

from config.row_security import across_workspaces
from workspaces.scheduling import occurrences

# No pause within a week is longer that is not one between days.
A_DAY = timedelta(hours=26)


def due(
    field: str, attempts: str, now: datetime, waits: Sequence[timedelta], lease: timedelta
) -> Q:
    """The moment has come, or lies further ahead than the pause after so many attempts.

    `lease` is how long whoever makes an attempt has it to itself.
    """
    found = Q(**{f"{field}__lte": now})
    found |= Q(**{f"{attempts}__gt": len(waits), f"{field}__gt": now + lease})
    for made, wait in enumerate((lease, *waits)):
        found |= Q(**{attempts: made, f"{field}__gt": now + max(wait, lease)})
    return found


def mend_schedules(model: Any, only: Q, now: datetime) -> None:
    """Brings back what a clock put later than its time after the next, of the model's rows.

    The next one they may have had early: it does not come a second time. One that waits for less
    than a day more than it should is left.
    """
    with across_workspaces():
        far = list(model._default_manager.filter(only, next_run_at__gt=now + A_DAY))
    for one in far:
        moments = occurrences(one.days, one.due_times, one.time_zone, now)
        after_next = next(islice(moments, 1, None), None)
        if after_next is not None and after_next < one.next_run_at:
            with scope(workspace=one.workspace_id):
                this = model._default_manager.filter(pk=one.pk, next_run_at=one.next_run_at)
                this.update(next_run_at=after_next)
