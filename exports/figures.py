"""What moves most on the page of a run that goes on, as `workspaces.live.figures` asks for it."""

from collections.abc import Iterator
from functools import partial

from django.template.loader import render_to_string
from django_scopes import get_scope

from exports.models import Batch, Run
from exports.progress import Progress, progress_of
from workspaces.live.figures import Figures, Piece
from workspaces.templatetags.segue import number

# Asked every second: what the ORM takes to write a statement would be most of what this costs.
RUN = "SELECT * FROM exports_run WHERE workspace_id = %s AND id = %s"
BATCHES = """
SELECT id, number, state, failure, why, contacts, body_bytes, activity_id, attempts, rejected,
  sent_at, ended_at
FROM exports_batch WHERE workspace_id = %s AND run_id = %s ORDER BY number
"""
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


def of_run(pk: int) -> Figures | None:
    ids = [get_scope()["workspace"], pk]
    run = next(iter(Run.objects.raw(RUN, ids)), None)
    if run is None:
        return None
    batches = list(Batch.objects.raw(BATCHES, ids))
    progress = progress_of(run, batches)
    # Elements that are there or not, by the time rather than by the row.
    timely = (run.is_waiting, progress.rate is None, bool(progress.to_send), progress.awaits)
    shape = repr((timely, [getattr(run, name) for name in SHAPE]))
    return Figures(shape, dict(_pieces(run, batches, progress)))


def _pieces(run: Run, batches: list[Batch], progress: Progress) -> Iterator[tuple[str, Piece]]:
    yield "run-requests", Piece(str(run.requests), partial(number, run.requests))
    if progress.rate is not None:
        rate = partial(render_to_string, "exports/_run_rate.html", {"progress": progress})
        yield "run-rate", Piece(f"{progress.rate:.0f}", rate)
    going = (progress.sent, progress.confirmed, progress.to_send, progress.time_left)
    context = {"run": run, "progress": progress}
    draw = partial(render_to_string, "exports/_run_going.html", context)
    yield "run-going", Piece(repr(going), draw)
    for batch in batches:
        state = repr([getattr(batch, name) for name in SHOWN])
        draw = partial(render_to_string, "exports/_batch_cells.html", {"batch": batch})
        yield f"batch-{batch.number}", Piece(state, draw)
