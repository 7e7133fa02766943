"""Uploads, imports, changes of attributes, segments: as `workspaces.live.pulse` looks at them."""

IMPORTS = """
SELECT i.workspace_id, 'import-' || i.id, (
  to_jsonb(i) - ARRAY['heartbeat_at', 'columns', 'dialect', 'file_path', 'checksum']
)::text
FROM segments_import i
WHERE i.workspace_id = ANY(%(workspaces)s) AND i.state IN ('queued', 'running')
"""

LAST_IMPORT = """
SELECT w.id, concat('import-', (
  SELECT max(i.id) FROM segments_import i WHERE i.workspace_id = w.id AND i.state <> 'draft'
), '.'), ''
FROM unnest(%(workspaces)s) w (id)
"""

UPLOADS = """
SELECT u.workspace_id, 'upload-' || u.id, concat_ws(' ', u.state, u.received)
FROM segments_upload u
WHERE u.workspace_id = ANY(%(workspaces)s) AND u.state IN ('receiving', 'waiting', 'examining')
"""

ATTRIBUTE_CHANGES = """
SELECT c.workspace_id, 'change-' || c.id, (to_jsonb(c) - 'heartbeat_at')::text
FROM segments_attributechange c
WHERE c.workspace_id = ANY(%(workspaces)s) AND c.state IN ('queued', 'running')
"""

SEGMENTS = """
SELECT s.workspace_id, 'segment-' || s.id, s.refresh_state
FROM segments_segment s
WHERE s.workspace_id = ANY(%(workspaces)s) AND s.refresh_state IN ('queued', 'running')
"""

ALL = (IMPORTS, LAST_IMPORT, UPLOADS, ATTRIBUTE_CHANGES, SEGMENTS)
