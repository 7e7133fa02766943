"""Refreshes a workspace now, in the foreground."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_scopes import scope

from workspaces import execution, services
from workspaces.models import Refresh, RefreshStep, Workspace


class Command(BaseCommand):
    help = (
        "Refresh a workspace now and wait for it: its segments, then the exports that go with it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="the workspace's address, as in /w/ADDRESS/")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, workspace: str, **options: Any) -> None:
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace called {workspace!r}.")
        with scope(workspace=found):
            refresh = _refresh(found)
        self.stdout.write(json.dumps(_report(refresh)) if options["json"] else _as_text(refresh))
        if refresh.state != Refresh.State.SUCCEEDED:
            raise CommandError(str(refresh.reason))


def _refresh(workspace: Workspace) -> Refresh:
    try:
        refresh = services.start_refresh(
            workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False
        )
    except services.RefreshActive as refusal:
        raise CommandError(str(refusal)) from None
    ended = execution.run_refresh(workspace.pk, refresh.pk)
    if ended is None:
        raise CommandError("Another process took the refresh up; the schedule page shows it.")
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
