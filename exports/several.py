"""One thing done to several exports: what one does not allow is told, the others have it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from exports import destinations
from exports.models import Destination, Run
from exports.runs import RunRefused, start_run
from exports.schedule_forms import SeveralForm
from workspaces.models import Membership, User
from workspaces.permissions import may
from workspaces.timing import Timing


@dataclass(frozen=True)
class Started:
    """The runs, and by export why it has none."""

    runs: list[Run] = field(default_factory=list)
    refused: list[tuple[Destination, RunRefused]] = field(default_factory=list)


def run_all(member: Membership, *, trigger: Run.Trigger, by: User | None) -> Started:
    """Runs every export with an active schedule that the member may run, by name."""
    scheduled = (
        Destination.objects.exclude(schedule=Destination.Schedule.OFF)
        .filter(connection__isnull=False)
        .select_related("workspace", "connection")
        .order_by("name")
    )
    started = Started()
    for destination in scheduled:
        if not may(member, "destination.run", destination):
            continue
        try:
            started.runs.append(start_run(destination, trigger=trigger, by=by))
        except RunRefused as refusal:
            started.refused.append((destination, refusal))
    return started


def reschedule(chosen: Iterable[Destination], form: SeveralForm, *, by: User | None) -> None:
    """Switches their own schedules, or gives them a new one, as the valid form says."""
    handling = form.cleaned_data["handling"]
    for destination in chosen:
        if handling == form.DEFINE:
            timing = form.timing(Timing.of(destination))
            destinations.reschedule(destination, by=by, timing=timing)
        else:
            destinations.switch(destination, by=by, on=handling == form.KEEP_ON)
