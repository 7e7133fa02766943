"""Runs and their batches, as `workspaces.live.pulse` looks at them."""

RUNS = """
SELECT 'run' || (to_jsonb(r) - ARRAY['heartbeat_at', 'configuration'])::text || (
  SELECT coalesce(
    string_agg(
      concat_ws(' ', b.number, b.state, b.attempts, b.rejected, b.activity_id), ','
      ORDER BY b.number
    ),
    ''
  )
  FROM exports_batch b WHERE b.workspace_id = r.workspace_id AND b.run_id = r.id
)
FROM exports_run r
WHERE r.workspace_id = %(workspace)s
  AND r.state IN ('queued', 'planning', 'awaiting_approval', 'sending', 'confirming')
"""
