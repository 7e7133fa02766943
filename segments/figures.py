"""What moves most of imports that go on, as `workspaces.live.figures` asks for it."""

from functools import partial
from typing import Any

from django.template.loader import render_to_string
from django_scopes import get_scope

from segments.models import Import
from segments.progress import Progress, progress_of
from workspaces.live.figures import Figures, Piece

# Asked every second: what the ORM takes to write a statement would be most of what this costs.
IMPORTS = """
SELECT i.*, EXISTS (
    SELECT FROM segments_sqlquery q WHERE q.workspace_id = i.workspace_id
        AND q.source_id = i.source_id
) AS is_query
FROM segments_import i WHERE i.workspace_id = %s AND {condition} ORDER BY i.created_at DESC
"""
ONE = IMPORTS.format(condition="i.id = %s")
ACTIVE = IMPORTS.format(condition="i.state IN ('queued', 'running')")
# Of its row; whatever else is there is the part's shape. What is not shown is of no matter.
MOVING = ("done", "whole", "read", "heartbeat_at")
UNSHOWN = ("columns", "dialect", "file_path", "checksum")
SHAPE = [one.attname for one in Import._meta.fields if one.attname not in (*MOVING, *UNSHOWN)]


def of_import(pk: int) -> Figures | None:
    """An import's own page."""
    found = list(Import.objects.raw(ONE, [get_scope()["workspace"], pk]))
    if not found:
        return None
    progress = _progress(found[0])
    draw = partial(render_to_string, "segments/sources/_rate.html", {"progress": progress})
    pieces = {
        "import-rate": Piece(repr(progress.rate), draw),
        "import-going": _going(progress),
    }
    return Figures(repr([getattr(found[0], name) for name in SHAPE]), pieces)


def of_workspace(pk: int) -> Figures:
    """Those of a workspace together."""
    found = list(Import.objects.raw(ACTIVE, [pk]))
    pieces = {f"import-{load.pk}": _going(_progress(load)) for load in found}
    return Figures(repr([(load.pk, load.state) for load in found]), pieces)


def _progress(load: Any) -> Progress:
    return progress_of(load, is_query=load.is_query)


def _going(progress: Progress) -> Piece:
    state = repr((progress.doing, progress.figures, progress.done, progress.whole))
    draw = partial(render_to_string, "segments/sources/_going.html", {"progress": progress})
    return Piece(state, draw)
