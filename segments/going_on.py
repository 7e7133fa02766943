"""Uploads, imports, changes of attributes, segments: as `workspaces.live.pulse` looks at them."""

IMPORTS = """
SELECT 'import' || (
  to_jsonb(i) - ARRAY['heartbeat_at', 'columns', 'dialect', 'file_path', 'checksum']
)::text
FROM segments_import i
WHERE i.workspace_id = %(workspace)s AND i.state IN ('queued', 'running')
"""

UPLOADS = """
SELECT concat_ws(' ', 'upload', u.id, u.state, u.received)
FROM segments_upload u
WHERE u.workspace_id = %(workspace)s AND u.state IN ('receiving', 'waiting', 'examining')
"""

ATTRIBUTE_CHANGES = """
SELECT 'change' || (to_jsonb(c) - 'heartbeat_at')::text
FROM segments_attributechange c
WHERE c.workspace_id = %(workspace)s AND c.state IN ('queued', 'running')
"""

SEGMENTS = """
SELECT concat_ws(' ', 'segment', s.id, s.refresh_state)
FROM segments_segment s
WHERE s.workspace_id = %(workspace)s AND s.refresh_state IN ('queued', 'running')
"""

ALL = (IMPORTS, UPLOADS, ATTRIBUTE_CHANGES, SEGMENTS)
