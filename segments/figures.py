"""What moves most of imports that go on, as `workspaces.live.figures` asks for it."""

from functools import partial
from typing import Any

from django.template.loader import render_to_string

from segments.models import Import
from segments.progress import Progress, progress_of
from workspaces.live.figures import Asked, Figures, Named, Piece

# Asked every second: what the ORM takes to write a statement would be most of what this costs.
IMPORTS = """
SELECT i.*, EXISTS (
    SELECT FROM segments_sqlquery q WHERE q.workspace_id = i.workspace_id
        AND q.source_id = i.source_id
) AS is_query
FROM segments_import i {} ORDER BY i.created_at DESC
"""
THESE = IMPORTS.format(
    "JOIN unnest(%s, %s) asked (workspace, id)"
    " ON i.workspace_id = asked.workspace AND i.id = asked.id"
)
ACTIVE = IMPORTS.format("WHERE i.workspace_id = ANY(%s) AND i.state IN ('queued', 'running')")
# Of its row; whatever else is there is the part's shape. What is not shown is of no matter.
MOVING = ("done", "whole", "read", "heartbeat_at")
UNSHOWN = ("columns", "dialect", "file_path", "checksum")
SHAPE = [one.attname for one in Import._meta.fields if one.attname not in (*MOVING, *UNSHOWN)]


def imports(asked: Asked) -> dict[Named, Any]:
    """By workspace and id."""
    workspaces, ids = map(list, zip(*asked, strict=True))
    return {
        (load.workspace_id, load.pk): load for load in Import.objects.raw(THESE, [workspaces, ids])
    }


def imports_of_workspaces(asked: Asked) -> dict[Named, list[Any]]:
    """Those that go on, by the workspace, twice."""
    found: dict[Named, list[Any]] = {one: [] for one in asked}
    workspaces = [workspace for workspace, _same in asked]
    for load in Import.objects.raw(ACTIVE, [workspaces]):
        found[load.workspace_id, load.workspace_id].append(load)
    return found


def of_import(load: Any) -> Figures:
    """An import's own page."""
    progress = _progress(load)
    draw = partial(render_to_string, "segments/sources/_rate.html", {"progress": progress})
    pieces = {
        "import-rate": Piece(repr(progress.rate), draw),
        "import-going": _going(progress),
    }
    return Figures(repr([getattr(load, name) for name in SHAPE]), pieces)


def of_workspace(loads: list[Any]) -> Figures:
    """Those of a workspace together."""
    pieces = {f"import-{load.pk}": _going(_progress(load)) for load in loads}
    return Figures(repr([(load.pk, load.state) for load in loads]), pieces)


def _progress(load: Any) -> Progress:
    return progress_of(load, is_query=load.is_query)


def _going(progress: Progress) -> Piece:
    state = repr((progress.doing, progress.figures, progress.done, progress.whole))
    draw = partial(render_to_string, "segments/sources/_going.html", {"progress": progress})
    return Piece(state, draw)
