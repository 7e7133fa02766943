"""Runs of long ago, and those they did not send: kept for as long as the workspace says.

The ledger is never touched. What it says of an address may hang on the batch that carried it, or
on the run that takes it off: such a run stays, and so does the last one of every export.
"""

from typing import Any

from django.db import connection, transaction

from exports.models import Run
from workspaces import retention
from workspaces.models import Workspace

RUNS_AT_ONCE = 500

# By the index of the rejections, run after run.
DELETE_REJECTIONS = """
DELETE FROM exports_rejection
WHERE workspace_id = %(workspace)s AND id = ANY (ARRAY(
    SELECT r.id FROM exports_run run
    JOIN exports_rejection r ON r.workspace_id = run.workspace_id AND r.run_id = run.id
    WHERE run.workspace_id = %(workspace)s AND run.finished_at < %(before)s
        AND run.state <> ALL (%(active)s)
    LIMIT %(most)s))
"""

# One pass over the ledger of the exports concerned, whose rows lead to batches without an index.
OLD_RUNS = """
WITH old AS MATERIALIZED (
    SELECT id, destination_id FROM exports_run
    WHERE workspace_id = %(workspace)s AND finished_at < %(before)s AND state <> ALL (%(active)s)
), told AS MATERIALIZED (
    SELECT DISTINCT d.batch_id, d.leaving_run_id FROM exports_delivery d
    WHERE d.workspace_id = %(workspace)s
        AND d.destination_id IN (SELECT destination_id FROM old)
), kept AS (
    SELECT b.run_id AS id FROM exports_batch b
    WHERE b.workspace_id = %(workspace)s AND b.id IN (SELECT batch_id FROM told)
    UNION ALL
    SELECT leaving_run_id FROM told WHERE leaving_run_id IS NOT NULL
    UNION ALL
    SELECT unnest(ARRAY[
        max(id),
        max(id) FILTER (WHERE planned_at IS NOT NULL AND NOT dry_run),
        max(id) FILTER (WHERE state IN ('succeeded', 'succeeded_with_rejections') AND NOT dry_run)
    ]) FROM exports_run WHERE workspace_id = %(workspace)s GROUP BY destination_id
)
SELECT id FROM old WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id = old.id) ORDER BY id
"""

DELETE_BATCHES = """
DELETE FROM exports_batch WHERE workspace_id = %(workspace)s AND run_id = ANY (%(runs)s)
"""

DELETE_RUNS = """
DELETE FROM exports_run WHERE workspace_id = %(workspace)s AND id = ANY (%(runs)s)
"""


def prune(workspace: Workspace) -> dict[str, int]:
    where: dict[str, Any] = {
        "workspace": workspace.pk,
        "active": [str(state) for state in Run.ACTIVE],
    }
    moment = retention.rejections_before(workspace)
    gone = {"rejections": retention.delete(DELETE_REJECTIONS, **where, before=moment)}
    moment_of_runs = retention.before(workspace.runs_days)
    if moment_of_runs is None:
        return gone
    with connection.cursor() as cursor:
        cursor.execute(OLD_RUNS, {**where, "before": moment_of_runs})
        runs = [pk for (pk,) in cursor.fetchall()]
    for start in range(0, len(runs), RUNS_AT_ONCE):
        some: dict[str, Any] = {
            "workspace": workspace.pk,
            "runs": runs[start : start + RUNS_AT_ONCE],
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(DELETE_BATCHES, some)
            cursor.execute(DELETE_RUNS, some)
    return {**gone, "runs": len(runs)}
