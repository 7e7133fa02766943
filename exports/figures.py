"""What moves most of runs that go on, as `workspaces.live.figures` asks for it."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import zip_longest
from typing import Any

from django.db import connection
from django.template.loader import render_to_string

from exports.models import Batch, Run
from exports.progress import Progress, progress_of
from workspaces.live.figures import Asked, Figures, Named, Piece
from workspaces.written import number

# Asked every second: what the ORM takes to write a statement would be most of what this costs.
RUNS = """
SELECT r.*, exports_batches_state(r.workspace_id, r.id) AS batches_state
FROM exports_run r {} ORDER BY r.created_at DESC
"""
THESE = RUNS.format(
    "JOIN unnest(%s, %s) asked (workspace, id)"
    " ON r.workspace_id = asked.workspace AND r.id = asked.id"
)
ACTIVE = RUNS.format(
    "WHERE r.workspace_id = ANY(%s)"
    " AND r.state IN ('queued', 'planning', 'awaiting_approval', 'sending', 'confirming')"
)
BATCHES = """
SELECT run, exports_batches_shown(workspace, run) FROM unnest(%s, %s) asked (workspace, run)
"""
# So many runs' batches are remembered: they move far less often than their run is asked for.
REMEMBERED = 100
# Of a run's row; whatever else is there is the part's shape. What is not shown is of no matter.
MOVING = ("requests", "heartbeat_at")
UNSHOWN = ("configuration", "read_back", "removal", "removed")
SHAPE = [one.attname for one in Run._meta.fields if one.attname not in (*MOVING, *UNSHOWN)]
# What `batches_sql` tells of each batch.
MOMENTS = ("sent_at", "ended_at")
TOLD = (
    "id",
    "number",
    "state",
    "failure",
    "why",
    "contacts",
    "body_bytes",
    "activity_id",
    "attempts",
    "rejected",
    *MOMENTS,
)


@dataclass(frozen=True)
class _Known:
    """A run's batches in their order, and of each what was told: its state as a page shows it."""

    state: str
    batches: list[Batch]
    told: list[list[Any]]

    @cached_property
    def pieces(self) -> dict[str, Piece]:
        return {
            f"batch-{batch.number}": Piece(
                told, partial(render_to_string, "exports/_batch_cells.html", {"batch": batch})
            )
            for batch, told in zip(self.batches, self.told, strict=True)
        }


NOTHING = _Known("", [], [])
Loaded = tuple[Run, _Known]
_known: OrderedDict[int, _Known] = OrderedDict()


def runs(asked: Asked) -> dict[Named, Loaded]:
    """By workspace and id."""
    workspaces, ids = map(list, zip(*asked, strict=True))
    found = _with_batches(Run.objects.raw(THESE, [workspaces, ids]))
    return {(run.workspace_id, run.pk): (run, known) for run, known in found}


def runs_of_workspaces(asked: Asked) -> dict[Named, list[Loaded]]:
    """Those that go on, by the workspace, twice."""
    loaded: dict[Named, list[Loaded]] = {one: [] for one in asked}
    workspaces = [workspace for workspace, _same in asked]
    for run, known in _with_batches(Run.objects.raw(ACTIVE, [workspaces])):
        loaded[run.workspace_id, run.workspace_id].append((run, known))
    return loaded


def of_run(loaded: Loaded) -> Figures:
    run, known = loaded
    progress = progress_of(run, known.batches)
    # Elements that are there or not, by the time rather than by the row.
    timely = (run.is_waiting, run.is_held_up, bool(progress.to_send), progress.awaits)
    shape = repr((timely, [getattr(run, name) for name in SHAPE]))
    return Figures(shape, dict(_pieces(run, known, progress)))


def of_workspace(loaded: list[Loaded]) -> Figures:
    """Those of a workspace that go on, together."""
    pieces = {
        f"run-{run.pk}": _going(run, progress_of(run, known.batches)) for run, known in loaded
    }
    return Figures(repr([(run.pk, run.shown_state) for run, _known in loaded]), pieces)


def _with_batches(found: Iterable[Any]) -> list[Loaded]:
    """Batches are asked for only where one of them shows something else by now."""
    runs = list(found)
    moved = {run.pk: run for run in runs if _is_new(run)}
    if moved:
        with connection.cursor() as cursor:
            workspaces = [run.workspace_id for run in moved.values()]
            cursor.execute(BATCHES, [workspaces, list(moved)])
            for pk, told in cursor.fetchall():
                _known[pk] = _read(moved[pk], json.loads(told or "[]"))
    loaded = [(run, _known[run.pk]) for run in runs]
    for run in runs:
        _known.move_to_end(run.pk)
    while len(_known) > REMEMBERED:
        _known.popitem(last=False)
    return loaded


def _is_new(run: Any) -> bool:
    known = _known.get(run.pk)
    return known is None or known.state != run.batches_state


def _read(run: Any, told: list[list[Any]]) -> _Known:
    known = _known.get(run.pk, NOTHING)
    # Most are as they were.
    batches = [
        batch if values == before else _batch(run, values)
        for values, before, batch in zip_longest(told, known.told, known.batches)
        if values is not None
    ]
    return _Known(run.batches_state, batches, told)


def _batch(run: Any, values: list[Any]) -> Batch:
    fields = dict(zip(TOLD, values, strict=True))
    for name in MOMENTS:
        if fields[name] is not None:
            fields[name] = datetime.fromtimestamp(fields[name], UTC)
    return Batch(workspace_id=run.workspace_id, run_id=run.pk, **fields)


def _pieces(run: Run, known: _Known, progress: Progress) -> Iterator[tuple[str, Piece]]:
    yield "run-requests", Piece(str(run.requests), partial(number, run.requests))
    rate = partial(render_to_string, "exports/_run_rate.html", {"progress": progress})
    yield "run-rate", Piece(repr(progress.rate), rate)
    yield "run-going", _going(run, progress)
    yield from known.pieces.items()


def _going(run: Run, progress: Progress) -> Piece:
    state = (
        run.shown_state,
        progress.sent,
        progress.confirmed,
        progress.to_send,
        progress.time_left,
        progress.awaits,
    )
    context = {"run": run, "progress": progress}
    return Piece(repr(state), partial(render_to_string, "exports/_run_going.html", context))
