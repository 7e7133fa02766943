"""Whether this database was restored from a backup: what it knows is older than it believes then.

PostgreSQL tells it: a database that was restored, by `pg_restore` or to a point in time, is another
one than it says on its own record, or on another timeline. So is one whose standby took over, and
that may have lost its last moments too.
"""

from datetime import datetime

from django.db import connection

# One statement for each run; it writes only when the database is new or another one.
TELL = """
WITH here AS (
    SELECT system_identifier || '/' || timeline_id || '/' ||
        (SELECT oid FROM pg_database WHERE datname = current_database()) AS identity
    FROM pg_control_system(), pg_control_checkpoint()
), written AS (
    INSERT INTO workspaces_installation (id, identity, restored_at) SELECT 1, identity, NULL
    FROM here WHERE NOT EXISTS (
        SELECT FROM workspaces_installation i JOIN here USING (identity))
    ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, restored_at = now()
    WHERE workspaces_installation.identity <> excluded.identity
    RETURNING restored_at
)
SELECT restored_at FROM written UNION ALL
SELECT restored_at FROM workspaces_installation JOIN here USING (identity) LIMIT 1
"""


def restored_at() -> datetime | None:
    """When it was first noticed that the database had been restored; None if it never was."""
    with connection.cursor() as cursor:
        cursor.execute(TELL)
        while (found := cursor.fetchone()) is None:
            # Another process is just writing it down.
            cursor.execute(TELL)
    at: datetime | None = found[0]
    return at
