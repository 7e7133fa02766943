"""Runs an export, now."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scope

from exports.engine.drive import drive_to_end
from exports.models import Destination, Run
from exports.runs import RunRefused, run_account, start_run
from workspaces.models import Workspace

GOOD = {Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS}


class Command(BaseCommand):
    help = "Run an export now and print its account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", help="the workspace's address, as in /w/ADDRESS/")
        parser.add_argument("destination", help="the export's name, or its number")
        parser.add_argument("--dry-run", action="store_true", help="count only, send nothing")
        parser.add_argument("--full", action="store_true", help="send all again, changed or not")
        parser.add_argument(
            "--wait", action="store_true", help="see it through here; else the workers do"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, workspace: str, destination: str, **options: Any) -> None:
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace called {workspace!r}.")
        with scope(workspace=found):
            run = self._run(_destination(destination), options)
            account = run_account(run)
        if options["json"]:
            self.stdout.write(json.dumps(account))
        else:
            self.stdout.write("\n".join(f"{name:12} {value}" for name, value in account.items()))
        if run.state == Run.State.AWAITING_APPROVAL:
            raise CommandError(
                f"The run waits for approval on its page: it would take {run.to_remove:,} people"
                f" off the list, of {run.removal['held']:,} that this export put there."
            )
        if run.state not in GOOD and not run.is_active:
            raise CommandError(run.reason or f"The run ended as {run.get_state_display()}.")

    def _run(self, destination: Destination, options: dict[str, Any]) -> Run:
        here = options["wait"] or options["dry_run"]
        try:
            run = start_run(
                destination,
                trigger=Run.Trigger.COMMAND,
                full=options["full"],
                dry_run=options["dry_run"],
                enqueue=not here,
            )
        except RunRefused as refusal:
            raise CommandError(str(refusal)) from None
        if here:
            drive_to_end(run)
        return run


def _destination(named: str) -> Destination:
    found = Destination.objects.filter(name=named).first()
    if found is None and named.isdigit():
        found = Destination.objects.filter(pk=int(named)).first()
    if found is None:
        raise CommandError(f"The workspace has no export called {named!r}.")
    return found
