"""Refreshes and archives, as `pulse` looks at them."""

REFRESHES = """
SELECT r.workspace_id, 'refresh-' || r.id, (to_jsonb(r) - 'attempts')::text || (
  SELECT coalesce(string_agg(s.state || s.counts::text, ' ' ORDER BY s.position), '')
  FROM workspaces_refreshstep s WHERE s.workspace_id = r.workspace_id AND s.refresh_id = r.id
)
FROM workspaces_refresh r
WHERE r.workspace_id = ANY(%(workspaces)s) AND r.state IN ('queued', 'running')
"""

LAST_REFRESH = """
SELECT w.id, concat('refresh-', (
  SELECT max(r.id) FROM workspaces_refresh r WHERE r.workspace_id = w.id
), '.'), ''
FROM unnest(%(workspaces)s) w (id)
"""

ARCHIVES = """
SELECT a.workspace_id, 'archive-' || a.id, a.state
FROM workspaces_archive a
WHERE a.workspace_id = ANY(%(workspaces)s) AND a.state IN ('queued', 'running')
"""

ALL = (ARCHIVES, REFRESHES, LAST_REFRESH)
