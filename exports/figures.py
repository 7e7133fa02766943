"""What moves most of runs that go on, as `workspaces.live.figures` asks for it."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.template.loader import render_to_string
from django_scopes import get_scope

from exports.models import Batch, Run
from exports.progress import Progress, progress_of
from workspaces.live.figures import Figures, Piece
from workspaces.templatetags.segue import number

# Asked every second: what the ORM takes to write a statement would be most of what this costs.
RUNS = """
SELECT r.*, (
  SELECT md5(string_agg(concat_ws(' ', b.number, b.state, b.failure, b.why, b.contacts,
    b.body_bytes, b.activity_id, b.attempts, b.rejected, b.sent_at, b.ended_at), ','
    ORDER BY b.number))
  FROM exports_batch b WHERE b.workspace_id = r.workspace_id AND b.run_id = r.id
) AS batches_state
FROM exports_run r WHERE r.workspace_id = %s AND {condition} ORDER BY r.created_at DESC
"""
ONE = RUNS.format(condition="r.id = %s")
ACTIVE = RUNS.format(
    condition="r.state IN ('queued', 'planning', 'awaiting_approval', 'sending', 'confirming')"
)
BATCHES = """
SELECT id, number, state, failure, why, contacts, body_bytes, activity_id, attempts, rejected,
  sent_at, ended_at
FROM exports_batch WHERE workspace_id = %s AND run_id = %s ORDER BY number
"""
# So many runs' batches are remembered: they move far less often than their run is asked for.
REMEMBERED = 100
# Of a run's row; whatever else is there is the part's shape. What is not shown is of no matter.
MOVING = ("requests", "heartbeat_at")
UNSHOWN = ("configuration", "read_back", "removal", "removed")
SHAPE = [one.attname for one in Run._meta.fields if one.attname not in (*MOVING, *UNSHOWN)]
SHOWN = (
    "state",
    "failure",
    "why",
    "contacts",
    "body_bytes",
    "activity_id",
    "attempts",
    "rejected",
    "sent_at",
    "ended_at",
)


@dataclass(frozen=True)
class _Known:
    """A run's batches, and the state of each as a page shows it."""

    state: str
    batches: list[Batch]
    shown: list[str]


_known: OrderedDict[int, _Known] = OrderedDict()


def of_run(pk: int) -> Figures | None:
    ids = [get_scope()["workspace"], pk]
    run: Any = next(iter(Run.objects.raw(ONE, ids)), None)
    if run is None:
        return None
    known = _batches(run)
    progress = progress_of(run, known.batches)
    # Elements that are there or not, by the time rather than by the row.
    timely = (run.is_waiting, bool(progress.to_send), progress.awaits)
    shape = repr((timely, [getattr(run, name) for name in SHAPE]))
    return Figures(shape, dict(_pieces(run, known, progress)))


def of_workspace(pk: int) -> Figures:
    """Those of a workspace that go on, together."""
    runs: list[Any] = list(Run.objects.raw(ACTIVE, [pk]))
    pieces = {}
    for run in runs:
        pieces[f"run-{run.pk}"] = _going(run, progress_of(run, _batches(run).batches))
    return Figures(repr([(run.pk, run.state) for run in runs]), pieces)


def _batches(run: Any) -> _Known:
    known, state = _known.get(run.pk), run.batches_state or ""
    if known is None or known.state != state:
        batches = list(Batch.objects.raw(BATCHES, [run.workspace_id, run.pk]))
        shown = [repr([getattr(batch, name) for name in SHOWN]) for batch in batches]
        known = _known[run.pk] = _Known(state, batches, shown)
    _known.move_to_end(run.pk)
    while len(_known) > REMEMBERED:
        _known.popitem(last=False)
    return known


def _pieces(run: Run, known: _Known, progress: Progress) -> Iterator[tuple[str, Piece]]:
    yield "run-requests", Piece(str(run.requests), partial(number, run.requests))
    rate = partial(render_to_string, "exports/_run_rate.html", {"progress": progress})
    yield "run-rate", Piece(repr(progress.rate), rate)
    yield "run-going", _going(run, progress)
    for batch, state in zip(known.batches, known.shown, strict=True):
        draw = partial(render_to_string, "exports/_batch_cells.html", {"batch": batch})
        yield f"batch-{batch.number}", Piece(state, draw)


def _going(run: Run, progress: Progress) -> Piece:
    state = (
        run.state,
        progress.sent,
        progress.confirmed,
        progress.to_send,
        progress.time_left,
        progress.awaits,
    )
    context = {"run": run, "progress": progress}
    return Piece(repr(state), partial(render_to_string, "exports/_run_going.html", context))
