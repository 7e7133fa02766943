"""How long a workspace keeps what it no longer works with. Apps above say how theirs goes.

Every night, in batches that each commit, so that it can stop anywhere and be begun again, and
nobody waits for it. Nothing goes that a run, an import or a refresh is still at.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from workspaces import audit
from workspaces.models import Workspace

ROWS_AT_ONCE = 20_000

Pruner = Callable[[Workspace], Mapping[str, int]]

_pruners: list[Pruner] = []


def add(pruner: Pruner) -> None:
    """Adds a function that deletes what a workspace, the one in scope, keeps no longer.

    It returns how many of what, under names that the audit log knows.
    """
    _pruners.append(pruner)


def before(days: int | None) -> datetime | None:
    """What ended before this moment is kept no longer; None keeps everything."""
    return timezone.now() - timedelta(days=days) if days else None


def rejections_before(workspace: Workspace) -> datetime:
    """Whose rows go that name people; a run keeps none for longer than it is kept itself."""
    days = min(workspace.rejections_days, workspace.runs_days or workspace.rejections_days)
    return timezone.now() - timedelta(days=days)


def prune(workspace: Workspace) -> dict[str, int]:
    """Deletes what the workspace in scope keeps no longer, and says so in its log."""
    gone: Counter[str] = Counter()
    for pruner in _pruners:
        gone.update(pruner(workspace))
    some: dict[str, Any] = {name: count for name, count in gone.items() if count}
    if some:
        audit.record(workspace, "workspace.pruned", target=workspace, **some)
    return some


def delete(statement: str, **parameters: Any) -> int:
    """Carries out a DELETE of at most `%(most)s` rows until there is no more to delete."""
    gone = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, {**parameters, "most": ROWS_AT_ONCE})
            gone += cursor.rowcount
            if cursor.rowcount < ROWS_AT_ONCE:
                return gone


# The last one stays. Those that wait or go on have not ended.
_OLD_REFRESHES = """
SELECT id FROM workspaces_refresh old
WHERE workspace_id = %(workspace)s AND finished_at < %(before)s
    AND state IN ('succeeded', 'failed')
    AND EXISTS (SELECT FROM workspaces_refresh later
        WHERE later.workspace_id = %(workspace)s AND later.created_at > old.created_at)
"""

_DELETE_STEPS = f"""
DELETE FROM workspaces_refreshstep
WHERE workspace_id = %(workspace)s AND id = ANY (ARRAY(
    SELECT id FROM workspaces_refreshstep
    WHERE workspace_id = %(workspace)s AND refresh_id IN ({_OLD_REFRESHES})
    LIMIT %(most)s))
"""  # noqa: S608 - composed of constants

_DELETE_REFRESHES = f"""
DELETE FROM workspaces_refresh
WHERE workspace_id = %(workspace)s
    AND id = ANY (ARRAY(SELECT id FROM ({_OLD_REFRESHES} LIMIT %(most)s) old))
"""  # noqa: S608


def refreshes(workspace: Workspace) -> dict[str, int]:
    """The record of refreshes."""
    moment = before(workspace.runs_days)
    if moment is None:
        return {}
    where = {"workspace": workspace.pk, "before": moment}
    delete(_DELETE_STEPS, **where)
    return {"refreshes": delete(_DELETE_REFRESHES, **where)}
