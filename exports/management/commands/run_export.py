"""Runs an export, now."""

from typing import Any

from django.core.management.base import CommandParser
from django_scopes import scope

from config.commands import AWAITS_APPROVAL, BUSY, FAILED, NOT_THERE, SegueCommand, fail
from config.terminal_progress import Look, shown
from exports.engine.drive import drive_to_end
from exports.models import Destination, Run
from exports.progress import progress_of
from exports.runs import RunActive, RunRefused, run_account, start_run
from workspaces.commands import add_workspace, workspace_of

GOOD = {Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS}


class Command(SegueCommand):
    help = "Run an export now and print its account."

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)
        parser.add_argument("destination", help="the export's name, or its number")
        parser.add_argument("--dry-run", action="store_true", help="count only, send nothing")
        parser.add_argument("--full", action="store_true", help="send all again, changed or not")
        parser.add_argument(
            "--wait", action="store_true", help="see it through here; else the workers do"
        )

    def handle(self, *args: Any, workspace: str, destination: str, **options: Any) -> None:
        found = workspace_of(workspace)
        with scope(workspace=found):
            run = self._run(_destination(destination), options)
            account = run_account(run)
        if options["json"]:
            self.print_json(account)
        else:
            self.stdout.write("\n".join(f"{name:12} {value}" for name, value in account.items()))
        if run.state == Run.State.AWAITING_APPROVAL:
            fail(
                f"The run waits for approval on its page: it would take {run.to_remove:,} people"
                f" off the list, of {run.removal['held']:,} that this export put there.",
                AWAITS_APPROVAL,
            )
        if run.state not in GOOD and not run.is_active:
            fail(run.reason or f"The run ended as {run.get_state_display()}.")

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
            fail(refusal, BUSY if isinstance(refusal, RunActive) else FAILED)
        if here:
            with shown(lambda: _look(run), unless=options["json"]):
                drive_to_end(run)
        return run


def _look(run: Run) -> Look:
    with scope(workspace=run.workspace_id):
        seen = Run.objects.get(pk=run.pk)
        progress = progress_of(seen)
    return Look(str(seen.get_state_display()), progress.steps_done, progress.steps or None)


def _destination(named: str) -> Destination:
    found = Destination.objects.filter(name=named).first()
    if found is None and named.isdecimal():
        found = Destination.objects.filter(pk=int(named)).first()
    if found is None:
        fail(f"The workspace has no export called {named!r}.", NOT_THERE)
    return found
