"""The exports' part in a refresh: every enabled one runs, once its segments are refreshed."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from config.quick_urls import address
from exports import whys
from exports.engine.drive import drive_to_end
from exports.models import Destination, Run
from exports.runs import RunRefused, start_run
from workspaces.models import Refresh, RefreshStep
from workspaces.refreshes import Planned, StepFailed, Told
from workspaces.written import number


def plan(refresh: Refresh) -> Iterator[Planned]:
    """A refresh's steps for the exports that go with it."""
    enabled = Destination.objects.filter(
        schedule=Destination.Schedule.REFRESH, connection__isnull=False
    )
    for destination in enabled.order_by("name").prefetch_related("segments"):
        needs = frozenset(("segment", segment.pk) for segment in destination.segments.all())
        yield Planned(destination.pk, destination.name, needs)


def carry_out(step: RefreshStep) -> dict[str, object]:
    """Hands a run to the workers; by command, sees it through here. Raises `StepFailed`."""
    destination = Destination.objects.select_related("workspace").filter(pk=step.object_id).first()
    if destination is None:
        return {}
    here = step.refresh.trigger == Refresh.Trigger.COMMAND
    run = _run_of(step)
    if run is None:
        try:
            run = start_run(
                destination,
                trigger=Run.Trigger.REFRESH,
                by=step.refresh.started_by,
                enqueue=not here,
            )
        except RunRefused as refusal:
            # One that a member started, or that waits for a word or for tomorrow's requests.
            run = destination.runs.filter(state__in=Run.ACTIVE).first()
            if run is None:
                raise StepFailed(refusal.sentence) from refusal
            return {"run": run.pk}
    if here:
        drive_to_end(run)
        if run.state == Run.State.FAILED:
            raise StepFailed(whys.sentence(run.why))
    return {"run": run.pk}


def _run_of(step: RefreshStep) -> Run | None:
    """The run that a worker who died had started for this step."""
    runs = Run.objects.filter(destination_id=step.object_id, trigger=Run.Trigger.REFRESH)
    return runs.filter(created_at__gte=step.started_at).order_by("-created_at").first()


def tell(steps: list[RefreshStep]) -> dict[int, Told]:
    """Where the steps' exports are; of those that run, the run and how far it is."""
    runs = Run.objects.in_bulk([step.counts["run"] for step in steps if "run" in step.counts])
    slug = steps[0].refresh.workspace.slug
    told = {}
    found = Destination.objects.filter(pk__in=[step.object_id for step in steps])
    there = set(found.values_list("pk", flat=True))
    for step in steps:
        run = runs.get(step.counts.get("run"))
        if run is not None:
            told[step.object_id] = Told(
                address("exports:run_detail", slug, run.pk),
                state=run.shown_state,
                label=run.get_shown_state_display(),
                text=_("%(count)s sent") % {"count": number(run.sent)} if run.planned_at else "",
                goes_on=run.is_active,
                waits_for=run.reason if run.is_held_up else "",
                waits_until=run.waiting_until,
            )
        elif step.object_id in there:
            url = address("exports:destination_detail", slug, step.object_id)
            told[step.object_id] = Told(url)
    return told
