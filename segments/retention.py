"""Imports of long ago, and who joined and left segments: kept for as long as the workspace says.

Files are `segments.kept_files`'.
"""

from workspaces import retention
from workspaces.models import Workspace

_ENDED = "load.state IN ('succeeded', 'failed') AND load.finished_at < %(before)s"

DELETE_REFUSED_ROWS = f"""
DELETE FROM segments_refusedrow
WHERE workspace_id = %(workspace)s AND id = ANY (ARRAY(
    SELECT r.id FROM segments_import load
    JOIN segments_refusedrow r
        ON r.workspace_id = load.workspace_id AND r.source_import_id = load.id
    WHERE load.workspace_id = %(workspace)s AND {_ENDED}
    LIMIT %(most)s))
"""  # noqa: S608 - composed of constants

# The last import of a source stays, and so does the last that succeeded.
_OLD_IMPORTS = f"""
SELECT load.id FROM segments_import load
WHERE load.workspace_id = %(workspace)s AND {_ENDED}
    AND NOT EXISTS (SELECT FROM (
        SELECT unnest(ARRAY[max(id), max(id) FILTER (WHERE state = 'succeeded')]) AS id
        FROM segments_import WHERE workspace_id = %(workspace)s GROUP BY source_id
    ) kept WHERE kept.id = load.id)
"""  # noqa: S608

DELETE_UPLOADS = f"""
DELETE FROM segments_upload
WHERE workspace_id = %(workspace)s AND id = ANY (ARRAY(
    SELECT id FROM segments_upload
    WHERE workspace_id = %(workspace)s AND load_id IN ({_OLD_IMPORTS})
    LIMIT %(most)s))
"""  # noqa: S608

DELETE_IMPORTS = f"""
DELETE FROM segments_import
WHERE workspace_id = %(workspace)s
    AND id = ANY (ARRAY(SELECT id FROM ({_OLD_IMPORTS} LIMIT %(most)s) old))
"""  # noqa: S608

# Of what is older, a segment's first refresh stays and its last success: between them they say
# since when a member is in, as far as that is still known.
_OLD_REFRESHES = """
SELECT old.id FROM segments_segmentrefresh old
WHERE old.workspace_id = %(workspace)s AND old.at < %(before)s
    AND NOT EXISTS (SELECT FROM (
        SELECT unnest(ARRAY[min(id), max(id) FILTER (WHERE at < %(before)s)]) AS id
        FROM segments_segmentrefresh WHERE workspace_id = %(workspace)s AND succeeded
        GROUP BY segment_id
    ) kept WHERE kept.id = old.id)
"""

DELETE_CHANGES = """
DELETE FROM segments_segmentchange
WHERE workspace_id = %(workspace)s
    AND (segment_id, refresh_id, profile_id) IN (
        SELECT c.segment_id, c.refresh_id, c.profile_id FROM segments_segmentrefresh old
        JOIN segments_segmentchange c ON c.workspace_id = old.workspace_id
            AND c.segment_id = old.segment_id AND c.refresh_id = old.id
        WHERE old.workspace_id = %(workspace)s AND old.at < %(before)s
        LIMIT %(most)s)
"""

NOTE_CHANGES_GONE = """
UPDATE segments_segmentrefresh SET keeps_changes = false
WHERE workspace_id = %(workspace)s AND id = ANY (ARRAY(
    SELECT id FROM segments_segmentrefresh
    WHERE workspace_id = %(workspace)s AND at < %(before)s AND keeps_changes
    LIMIT %(most)s))
"""

DELETE_REFRESHES = f"""
DELETE FROM segments_segmentrefresh
WHERE workspace_id = %(workspace)s
    AND id = ANY (ARRAY(SELECT id FROM ({_OLD_REFRESHES} LIMIT %(most)s) old))
"""  # noqa: S608


def prune(workspace: Workspace) -> dict[str, int]:
    where = {"workspace": workspace.pk, "before": retention.rejections_before(workspace)}
    gone = {"refused_rows": retention.delete(DELETE_REFUSED_ROWS, **where)}
    if moment := retention.before(workspace.runs_days):
        where["before"] = moment
        retention.delete(DELETE_UPLOADS, **where)
        gone["imports"] = retention.delete(DELETE_IMPORTS, **where)
    if moment := retention.before(workspace.history_days):
        where["before"] = moment
        # What says that changes are kept goes first: nobody is to count on half of them.
        retention.delete(NOTE_CHANGES_GONE, **where)
        gone["joined_and_left"] = retention.delete(DELETE_CHANGES, **where)
        retention.delete(DELETE_REFRESHES, **where)
    return gone
