"""Deletes an export with all that hangs on it, one statement a table.

Purpose: each statement finds its rows by an index that leads with the workspace, where a cascade
row by row, or by one column, would read whole tables of other workspaces.
"""

from django.db import connection

from exports.models import Destination

_STATEMENTS = (
    """
    DELETE FROM exports_rejection
    WHERE workspace_id = %(workspace)s AND run_id = ANY (ARRAY(
        SELECT id FROM exports_run
        WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s))
    """,
    """
    DELETE FROM exports_batch
    WHERE workspace_id = %(workspace)s AND run_id = ANY (ARRAY(
        SELECT id FROM exports_run
        WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s))
    """,
    """
    DELETE FROM exports_delivery
    WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s
    """,
    """
    DELETE FROM exports_run
    WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s
    """,
    """
    DELETE FROM exports_destinationsegment
    WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s
    """,
    "DELETE FROM exports_destination WHERE workspace_id = %(workspace)s AND id = %(destination)s",
)


def delete(destination: Destination) -> None:
    """Belongs in a transaction."""
    where = {"workspace": destination.workspace_id, "destination": destination.pk}
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, where)
