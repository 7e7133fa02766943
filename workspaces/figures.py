"""What moves most of refreshes that go on, as `workspaces.live.figures` asks for it."""

from functools import partial

from django.template.loader import render_to_string

from workspaces.live.figures import Asked, Figures, Named, Piece
from workspaces.models import Refresh, RefreshStep
from workspaces.refresh_progress import Progress, progress_of

# Of the refresh that goes on, and of the last that has ended: one goes on at a time.
STEPS = """
SELECT s.* FROM unnest(%s) w (id)
CROSS JOIN LATERAL (
  (
    SELECT r.id FROM workspaces_refresh r
    WHERE r.workspace_id = w.id AND r.state IN ('queued', 'running')
  ) UNION ALL (
    SELECT r.id FROM workspaces_refresh r
    WHERE r.workspace_id = w.id AND r.finished_at IS NOT NULL
    ORDER BY r.created_at DESC LIMIT 1
  )
) refresh
JOIN workspaces_refreshstep s ON s.workspace_id = w.id AND s.refresh_id = refresh.id
ORDER BY s.position
"""
Loaded = tuple[Refresh, Progress]


def refreshes_of_workspaces(asked: Asked) -> dict[Named, Loaded]:
    """Those that go on, by the workspace, twice."""
    workspaces = [workspace for workspace, _same in asked]
    steps = list(RefreshStep.objects.raw(STEPS, [workspaces]))
    found = {}
    for refresh in Refresh.objects.filter(workspace__in=workspaces, state__in=Refresh.ACTIVE):
        its = [step for step in steps if step.refresh_id == refresh.pk]
        before = [
            step
            for step in steps
            if step.workspace_id == refresh.workspace_id
            and step.refresh_id != refresh.pk
            and step.state == RefreshStep.State.SUCCEEDED
        ]
        key = refresh.workspace_id, refresh.workspace_id
        found[key] = refresh, progress_of(refresh, its, before)
    return found


def of_workspace(loaded: Loaded) -> Figures:
    refresh, progress = loaded
    context = {"refresh": refresh, "progress": progress}
    draw = partial(render_to_string, "workspaces/_refresh_going.html", context)
    piece = Piece((refresh.state, progress), draw)
    return Figures(repr((refresh.pk, refresh.state)), {"refresh-going": piece})
