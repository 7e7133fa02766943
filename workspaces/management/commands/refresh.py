"""Refreshes a workspace now, in the foreground."""

from typing import Any

from django.core.management.base import CommandParser
from django_scopes import scope

from config.commands import BUSY, SegueCommand, fail
from config.terminal_progress import Look, shown
from workspaces import execution, services
from workspaces.commands import add_workspace, workspace_of
from workspaces.models import Refresh, RefreshStep, Workspace

ENDED = (RefreshStep.State.SUCCEEDED, RefreshStep.State.FAILED, RefreshStep.State.SKIPPED)


class Command(SegueCommand):
    help = (
        "Refresh a workspace now and wait for it: its segments, then the exports that go with it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)

    def handle(self, *args: Any, workspace: str, **options: Any) -> None:
        found = workspace_of(workspace)
        with scope(workspace=found):
            refresh = _refresh(found, quietly=options["json"])
            report, text = _report(refresh), _as_text(refresh)
        if options["json"]:
            self.print_json(report)
        else:
            self.stdout.write(text)
        if refresh.state != Refresh.State.SUCCEEDED:
            fail(refresh.reason)


def _refresh(workspace: Workspace, *, quietly: bool) -> Refresh:
    try:
        refresh = services.start_refresh(
            workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False
        )
    except services.RefreshActive as refusal:
        fail(refusal, BUSY)

    def look() -> Look:
        with scope(workspace=workspace):
            steps = RefreshStep.objects.filter(refresh_id=refresh.pk)
            running = steps.filter(state=RefreshStep.State.RUNNING).first()
            return Look(
                running.name if running else "", steps.filter(state__in=ENDED).count(), len(steps)
            )

    with shown(look, unless=quietly):
        ended = execution.run_refresh(workspace.pk, refresh.pk)
    if ended is None:
        fail("Another process took the refresh up; the schedule page shows it.", BUSY)
    return ended


def _report(refresh: Refresh) -> dict[str, Any]:
    return {
        "refresh": refresh.pk,
        "state": refresh.state,
        "reason": str(refresh.reason),
        "steps": [
            {
                "kind": step.kind,
                "name": step.name,
                "state": step.state,
                "reason": str(step.reason),
                "counts": step.counts,
                "seconds": round(_seconds(step), 3),
            }
            for step in refresh.steps.order_by("position")
        ],
        "seconds": round(_seconds(refresh), 3),
    }


def _as_text(refresh: Refresh) -> str:
    lines = []
    for step in refresh.steps.order_by("position"):
        counts = ", ".join(f"{name} {count}" for name, count in step.counts.items())
        said = str(step.reason) or counts
        lines.append(f"{step.kind} “{step.name}”: {step.state}{f' ({said})' if said else ''}")
    lines.append(f"{refresh.get_state_display()} in {_seconds(refresh):.1f} s")
    return "\n".join(lines)


def _seconds(of: Refresh | RefreshStep) -> float:
    return of.duration.total_seconds() if of.duration else 0.0
