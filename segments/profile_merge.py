"""Merges staged rows into the profiles: set-based SQL, one transaction, nothing rewritten in vain.

Purpose: `staged` holds one row a key, in key order. Profiles whose values differ are changed,
missing ones added, the rest not touched. Attributes that another source fills stay as they are.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection

from segments import erased
from segments.metering import Meter
from workspaces.planner import expect_rows

COPY_BLOCK = 256 * 1024
# Bytes; as a table they fit into what PostgreSQL keeps of temporary ones in memory.
ADDED_AT_ONCE = 4 * 1024 * 1024
# More than so many, and than this share of those that a source held, are gone with approval only.
MANY_GONE, MUCH_GONE = 100, 0.2
HOLD_ALONE = "SELECT pg_advisory_lock(hashtextextended('segments_profile', %s))"

END_ALONE = "SELECT pg_advisory_unlock(hashtextextended('segments_profile', %s))"

CREATE_STAGED = """
CREATE TEMPORARY TABLE staged (key text COLLATE "C", attributes jsonb) ON COMMIT DROP
"""

COPY_STAGED = "COPY staged (key, attributes) FROM STDIN"

# The first import of a workspace meets nobody.
ADD_ALL = """
INSERT INTO segments_profile (workspace_id, held_by, key, attributes)
SELECT %(workspace)s, ARRAY[%(source)s]::bigint[], key, attributes FROM staged
"""

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('segments_profile', %(workspace)s))"

HAS_PROFILES = "SELECT EXISTS (SELECT FROM segments_profile WHERE workspace_id = %(workspace)s)"

COUNT_PROFILES = "SELECT count(*) FROM segments_profile WHERE workspace_id = %(workspace)s"

# Whoever is new, differs, or came from other sources only, in the one pass over both tables. Most
# are as they were: the first comparison tells so cheaply where no other source fills anything.
CREATE_DIFFERING = """
CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT p.id, s.key, s.attributes,
    p.attributes <> (p.attributes - %(owned)s::text[]) || s.attributes AS is_change
FROM staged s
LEFT JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.key = s.key
WHERE p.id IS NULL OR NOT p.held_by @> ARRAY[%(source)s]::bigint[] OR (p.attributes <> s.attributes
    AND p.attributes <> (p.attributes - %(owned)s::text[]) || s.attributes)
"""

COUNT_DIFFERING = """
SELECT count(*) FILTER (WHERE id IS NULL), count(*) FILTER (WHERE is_change) FROM differing
"""

CHANGE = """
UPDATE segments_profile p
SET attributes = (p.attributes - %(owned)s::text[]) || d.attributes,
    held_by = CASE WHEN p.held_by @> ARRAY[%(source)s]::bigint[] THEN p.held_by
        ELSE p.held_by || %(source)s::bigint END,
    updated_at = CASE WHEN d.is_change THEN now() ELSE p.updated_at END
FROM differing d
WHERE p.workspace_id = %(workspace)s AND p.id = d.id
"""

ADD = """
INSERT INTO segments_profile (workspace_id, held_by, key, attributes)
SELECT %(workspace)s, ARRAY[%(source)s]::bigint[], key, attributes
FROM differing WHERE id IS NULL ORDER BY key
"""

CREATE_SPARED = """
CREATE TEMPORARY TABLE spared (key text COLLATE "C") ON COMMIT DROP
"""

COPY_SPARED = "COPY spared FROM STDIN"

COUNT_HELD = """
SELECT count(*) FROM segments_profile
WHERE workspace_id = %(workspace)s AND held_by @> ARRAY[%(source)s]::bigint[]
"""

# Whom the source held and has no more. Whose row was refused is not gone. A source that was removed
# holds nobody.
CREATE_GONE = """
CREATE TEMPORARY TABLE gone ON COMMIT DROP AS
SELECT p.id, NOT p.held_by && ARRAY(SELECT id FROM segments_source
    WHERE workspace_id = %(workspace)s AND id <> %(source)s) AS is_nobodys
FROM segments_profile p
WHERE p.workspace_id = %(workspace)s AND p.held_by @> ARRAY[%(source)s]::bigint[]
    AND NOT EXISTS (SELECT FROM staged s WHERE s.key = p.key)
    AND NOT EXISTS (SELECT FROM spared s WHERE s.key = p.key)
"""

DELETE_GONE = """
DELETE FROM segments_profile p USING gone
WHERE p.workspace_id = %(workspace)s AND p.id = gone.id AND gone.is_nobodys
"""

LET_GO = """
UPDATE segments_profile p
SET attributes = p.attributes - %(all_owned)s::text[],
    held_by = array_remove(p.held_by, %(source)s::bigint),
    updated_at = CASE WHEN p.attributes ?| %(all_owned)s::text[] THEN now() ELSE p.updated_at END
FROM gone
WHERE p.workspace_id = %(workspace)s AND p.id = gone.id AND NOT gone.is_nobodys
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


@contextmanager
def alone(workspace_id: int) -> Iterator[None]:
    """Nobody else merges into the workspace meanwhile; for what takes several transactions."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_ALONE, [workspace_id])
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute(END_ALONE, [workspace_id])


@dataclass(frozen=True)
class Replacing:
    """Who is gone from the source goes, up to `approved` or what goes without saying.

    `owned` are all the attributes that are the source's, `spared` a file of keys that stay.
    """

    owned: list[str]
    spared: Path
    approved: int


@dataclass(frozen=True)
class Merged:
    added: int
    changed: int
    unchanged: int
    removed: int = 0
    erased: int = 0


class TooManyGone(Exception):
    """So many of those that the source held are gone that a person has to approve it."""

    def __init__(self, gone: int, held: int) -> None:
        super().__init__(gone, held)
        self.gone, self.held = gone, held


def lock(workspace_id: int) -> None:
    """Nobody else merges into the workspace before the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, {"workspace": workspace_id})


def merge(
    workspace_id: int,
    source_id: int,
    staged: Path,
    owned: list[str],
    replacing: Replacing | None,
    meter: Meter,
) -> Merged:
    """Merges staged rows of a source; `owned` are the attributes that they speak for.

    `staged` is a file of key and attributes in COPY's text format. Belongs in a transaction; others
    that merge into the same workspace wait for its end. Raises `TooManyGone`.
    """
    where: dict[str, Any] = {"workspace": workspace_id, "source": source_id, "owned": owned}
    with connection.cursor() as cursor, staged.open("rb") as file:
        lock(workspace_id)
        cursor.execute(CREATE_STAGED)
        cursor.execute(HAS_PROFILES, where)
        if not cursor.fetchone()[0]:
            with meter.through("adding", _share_of(file)):
                return _add_all(cursor, where, file)
        with meter.through("storing", _share_of(file)):
            cursor.copy_expert(COPY_STAGED, file, COPY_BLOCK)
        staged_rows = cursor.rowcount
        erased_rows = erased.drop_staged(workspace_id)
        staged_rows -= erased_rows
        cursor.execute(COUNT_PROFILES, where)
        expect_rows(cursor, max(staged_rows, cursor.fetchone()[0]))
        with meter.at("comparing", whole=0):
            removed = _remove_gone(cursor, where, replacing, staged_rows) if replacing else 0
            cursor.execute(CREATE_DIFFERING, where)
            cursor.execute(COUNT_DIFFERING)
            added, changed = cursor.fetchone()
        with meter.at("writing", whole=added + changed):
            cursor.execute(CHANGE, where)
            cursor.execute(ADD, where)
        cursor.execute("DROP TABLE staged, differing")
    return Merged(added, changed, staged_rows - added - changed, removed, erased_rows)


def _share_of(file: BinaryIO) -> Callable[[], float]:
    """How much of it has been read, each time it is asked."""
    size = max(1, os.fstat(file.fileno()).st_size)
    return lambda: file.tell() / size


def _add_all(cursor: Any, where: dict[str, Any], file: BinaryIO) -> Merged:
    """Block by block, so that a row goes on from its staging while that is still in memory."""
    added = erased_rows = 0
    while block := file.read(ADDED_AT_ONCE) + file.readline():
        cursor.copy_expert(COPY_STAGED, BytesIO(block), COPY_BLOCK)
        erased_rows += erased.drop_staged(where["workspace"])
        cursor.execute(ADD_ALL, where)
        added += cursor.rowcount
        cursor.execute("TRUNCATE staged")
    cursor.execute("DROP TABLE staged")
    return Merged(added, changed=0, unchanged=0, erased=erased_rows)


def _remove_gone(cursor: Any, where: dict[str, Any], replacing: Replacing, staged_rows: int) -> int:
    where = where | {"all_owned": replacing.owned}
    cursor.execute(COUNT_HELD, where)
    held = cursor.fetchone()[0]
    cursor.execute(CREATE_SPARED)
    with replacing.spared.open("rb") as file:
        cursor.copy_expert(COPY_SPARED, file)
    cursor.execute(CREATE_GONE, where)
    gone: int = cursor.rowcount
    is_much = gone > MANY_GONE and gone > MUCH_GONE * held
    if gone > replacing.approved and (is_much or not staged_rows):
        raise TooManyGone(gone, held)
    cursor.execute(LET_GO, where)
    cursor.execute(DELETE_GONE, where)
    cursor.execute("DROP TABLE spared, gone")
    return gone


def keep_refused(workspace_id: int, import_id: int, refused_rows: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CREATE_REFUSED)
        with refused_rows.open("rb") as file:
            cursor.copy_expert(COPY_REFUSED, file)
        erased.blank_refused(workspace_id)
        cursor.execute(KEEP_REFUSED, {"workspace": workspace_id, "import": import_id})
        cursor.execute("DROP TABLE refused_staged")
