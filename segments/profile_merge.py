"""Merges staged rows into the profiles: set-based SQL, one transaction, nothing rewritten in vain.

Purpose: `staged` holds one row a key, in key order. Profiles whose values differ are changed,
missing ones added, the rest not touched. Attributes that another source fills stay as they are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from workspaces.planner import expect_rows

COPY_BLOCK = 256 * 1024

CREATE_STAGED = """
CREATE TEMPORARY TABLE staged (workspace_id bigint, key text COLLATE "C", attributes jsonb)
ON COMMIT DROP
"""

COPY_STAGED = "COPY staged (workspace_id, key, attributes) FROM STDIN"

# The first import of a workspace meets nobody: staging it first would be writing it twice.
COPY_PROFILES = "COPY segments_profile (workspace_id, key, attributes) FROM STDIN"

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('segments_profile', %(workspace)s))"

HAS_PROFILES = "SELECT EXISTS (SELECT FROM segments_profile WHERE workspace_id = %(workspace)s)"

COUNT_PROFILES = "SELECT count(*) FROM segments_profile WHERE workspace_id = %(workspace)s"

# Whoever is new or differs, in the one pass over both tables. Most are as they were: the first
# comparison tells so cheaply where no other source fills anything.
CREATE_DIFFERING = """
CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT p.id, s.key, s.attributes
FROM staged s
LEFT JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.key = s.key
WHERE p.id IS NULL OR (p.attributes <> s.attributes
    AND p.attributes <> (p.attributes - %(owned)s::text[]) || s.attributes)
"""

CHANGE = """
UPDATE segments_profile p
SET attributes = (p.attributes - %(owned)s::text[]) || d.attributes, updated_at = now()
FROM differing d
WHERE p.workspace_id = %(workspace)s AND p.id = d.id
"""

ADD = """
INSERT INTO segments_profile (workspace_id, key, attributes)
SELECT %(workspace)s, key, attributes FROM differing WHERE id IS NULL ORDER BY key
"""

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


def merge(workspace_id: int, staged: Path, owned: list[str]) -> Merged:
    """Merges staged rows; `owned` are the attributes that they speak for.

    `staged` is a file of workspace, key and attributes in COPY's text format. Belongs in a
    transaction; others that merge into the same workspace wait for its end.
    """
    where: dict[str, Any] = {"workspace": workspace_id, "owned": owned}
    with connection.cursor() as cursor, staged.open("rb") as file:
        cursor.execute(ONE_AT_A_TIME, where)
        cursor.execute(HAS_PROFILES, where)
        if not cursor.fetchone()[0]:
            cursor.copy_expert(COPY_PROFILES, file, COPY_BLOCK)
            return Merged(added=cursor.rowcount, changed=0, unchanged=0)
        cursor.execute(CREATE_STAGED)
        cursor.copy_expert(COPY_STAGED, file, COPY_BLOCK)
        staged_rows = cursor.rowcount
        cursor.execute(COUNT_PROFILES, where)
        expect_rows(cursor, max(staged_rows, cursor.fetchone()[0]))
        cursor.execute(CREATE_DIFFERING, where)
        cursor.execute(CHANGE, where)
        changed = cursor.rowcount
        cursor.execute(ADD, where)
        added = cursor.rowcount
        cursor.execute("DROP TABLE staged, differing")
    return Merged(added, changed, staged_rows - added - changed)


def keep_refused(workspace_id: int, import_id: int, refused_rows: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CREATE_REFUSED)
        with refused_rows.open("rb") as file:
            cursor.copy_expert(COPY_REFUSED, file)
        cursor.execute(KEEP_REFUSED, {"workspace": workspace_id, "import": import_id})
        cursor.execute("DROP TABLE refused_staged")
