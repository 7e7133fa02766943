"""Runs and their batches, as `workspaces.live.pulse` looks at them."""

RUNS = """
SELECT r.workspace_id, 'run-' || r.id, (
  to_jsonb(r) - ARRAY['heartbeat_at', 'configuration']
)::text || exports_batches_state(r.workspace_id, r.id)
FROM exports_run r
WHERE r.workspace_id = ANY(%(workspaces)s)
  AND r.state IN ('queued', 'planning', 'awaiting_approval', 'sending', 'confirming')
"""

LAST_RUN = """
SELECT w.id, concat('run-', (
  SELECT max(r.id) FROM exports_run r WHERE r.workspace_id = w.id
), '.'), ''
FROM unnest(%(workspaces)s) w (id)
"""

ALL = (RUNS, LAST_RUN)
