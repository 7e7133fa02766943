"""Merges staged rows into the profiles: set-based SQL, one transaction, nothing rewritten in vain.

Purpose: `staged` holds one row a key, in key order. Profiles whose values differ are changed,
missing ones added, the rest not touched. Attributes that another source fills stay as they are.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from workspaces.planner import expect_rows

CREATE_STAGED = """
CREATE TEMPORARY TABLE staged (key text COLLATE "C", attributes jsonb) ON COMMIT DROP
"""

COPY_STAGED = "COPY staged FROM STDIN (FORMAT csv)"

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('segments_profile', %(workspace)s))"

COUNT_PROFILES = "SELECT count(*) FROM segments_profile WHERE workspace_id = %(workspace)s"

CHANGE = """
UPDATE segments_profile p
SET attributes = (p.attributes - %(owned)s::text[]) || s.attributes, updated_at = %(now)s
FROM staged s
WHERE p.workspace_id = %(workspace)s AND p.key = s.key
    AND p.attributes <> (p.attributes - %(owned)s::text[]) || s.attributes
"""

ADD = """
INSERT INTO segments_profile (workspace_id, key, attributes, created_at, updated_at)
SELECT %(workspace)s, s.key, s.attributes, %(now)s, %(now)s FROM staged s
"""

ADD_MISSING = (
    ADD
    + """
LEFT JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.key = s.key
WHERE p.key IS NULL
"""
)

CREATE_REFUSED = """
CREATE TEMPORARY TABLE refused_staged (n bigint, col text, said text, reason text) ON COMMIT DROP
"""

COPY_REFUSED = "COPY refused_staged FROM STDIN (FORMAT csv, FORCE_NOT_NULL (col, said, reason))"

KEEP_REFUSED = """
INSERT INTO segments_refusedrow (
    workspace_id, source_import_id, row_number, "column", value, reason)
SELECT %(workspace)s, %(import)s, n, left(col, 255), said, reason FROM refused_staged
"""


@dataclass(frozen=True)
class Merged:
    added: int
    changed: int
    unchanged: int


def merge(workspace_id: int, staged: Path, owned: list[str], now: datetime) -> Merged:
    """Merges the CSV file of keys and attributes; `owned` are the attributes that it speaks for.

    Belongs in a transaction; others that merge into the same workspace wait for its end.
    """
    where: dict[str, Any] = {"workspace": workspace_id, "owned": owned, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, where)
        cursor.execute(CREATE_STAGED)
        with staged.open("rb") as file:
            cursor.copy_expert(COPY_STAGED, file)
        staged_rows = cursor.rowcount
        cursor.execute(COUNT_PROFILES, where)
        profiles = cursor.fetchone()[0]
        changed = 0
        if profiles:
            expect_rows(cursor, max(staged_rows, profiles))
            cursor.execute("ANALYZE staged")
            cursor.execute(CHANGE, where)
            changed = cursor.rowcount
            cursor.execute(ADD_MISSING, where)
        else:
            cursor.execute(ADD, where)
        added = cursor.rowcount
        cursor.execute("DROP TABLE staged")
    return Merged(added, changed, staged_rows - added - changed)


def keep_refused(workspace_id: int, import_id: int, refused_rows: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CREATE_REFUSED)
        with refused_rows.open("rb") as file:
            cursor.copy_expert(COPY_REFUSED, file)
        cursor.execute(KEEP_REFUSED, {"workspace": workspace_id, "import": import_id})
        cursor.execute("DROP TABLE refused_staged")
