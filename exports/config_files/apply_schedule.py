"""The refresh schedule, as a file says it."""

from exports.config_files import current, parts
from exports.config_files.document import Document
from workspaces import services
from workspaces.forms import ScheduleForm
from workspaces.models import User, Workspace
from workspaces.posted import posted


def apply(workspace: Workspace, wanted: Document, before: Document, by: User | None) -> None:
    """Raises `Problem`."""
    if wanted.schedule is None or wanted.schedule == before.schedule:
        return
    said = wanted.schedule
    form = ScheduleForm(
        posted(
            enabled=said.enabled,
            days=parts.day_numbers(said.days),
            times=said.times,
            every_hours=said.every_hours,
            time_zone=said.time_zone,
        )
    )
    parts.require_valid(form, ("schedule",))
    with parts.unless_as_it_was(lambda: current.schedule(workspace)):
        services.save_schedule(workspace, **form.cleaned_data, by=by)
