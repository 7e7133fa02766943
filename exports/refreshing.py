"""The exports' part in a refresh: every enabled one runs, after the segments."""

from exports.engine.drive import drive_to_end
from exports.models import Destination, Run
from exports.runs import RunRefused, start_run
from workspaces.models import Refresh


def run_enabled(refresh: Refresh) -> dict[str, object]:
    """Starts every export that goes with refreshes; by command, sees each through here."""
    here = refresh.trigger == Refresh.Trigger.COMMAND
    started = refused = 0
    enabled = Destination.objects.filter(
        schedule=Destination.Schedule.REFRESH, connection__isnull=False
    ).select_related("workspace")
    for destination in enabled.order_by("name"):
        try:
            run = start_run(
                destination, trigger=Run.Trigger.REFRESH, by=refresh.started_by, enqueue=not here
            )
        except RunRefused:
            refused += 1
            continue
        started += 1
        if here:
            drive_to_end(run)
    return {"exports": started, "running_already": refused}
