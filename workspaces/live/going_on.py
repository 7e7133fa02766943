"""Refreshes, and what waits to be delivered, as `pulse` looks at them."""

REFRESHES = """
SELECT (to_jsonb(r) - 'attempts')::text || (
  SELECT coalesce(string_agg(s.state || s.counts::text, ' ' ORDER BY s.position), '')
  FROM workspaces_refreshstep s WHERE s.workspace_id = r.workspace_id AND s.refresh_id = r.id
)
FROM workspaces_refresh r
WHERE r.workspace_id = %(workspace)s AND r.state IN ('queued', 'running')
"""
