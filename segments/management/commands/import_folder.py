"""Imports what is new or changed in a folder of the server."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django_scopes import scope

from config.commands import NOT_THERE, SegueCommand, fail
from segments import folders
from workspaces.commands import add_workspace, workspace_of

OUTCOMES = ("imported", "unchanged", "waiting", "failed")


class Command(SegueCommand):
    help = (
        "Import what is new or changed in a folder, each file into the source of its name. Run it"
        " as often as you like: what was imported last is not imported again, and a file that is"
        " still being written waits for the next time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)
        parser.add_argument("directory", type=Path)
        parser.add_argument("--key", required=True, metavar="COLUMN", help="tells customers apart")
        parser.add_argument(
            "--pattern",
            default="",
            help="only files whose names match, such as 'shop-*' (default: names that end like"
            " those of CSV, TSV, JSON and Parquet files, packed or not)",
        )
        parser.add_argument(
            "--settled",
            type=float,
            default=10,
            metavar="SECONDS",
            help="leave files for the next time that were written to in the last SECONDS (10)",
        )
        parser.add_argument(
            "--skip-refused", action="store_true", help="import even if some rows can't be read"
        )

    def handle(self, *args: Any, workspace: str, directory: Path, **options: Any) -> None:
        found = workspace_of(workspace)
        if not directory.is_dir():
            fail(f"There is no folder {directory}.", NOT_THERE)
        started = time.monotonic()
        outcomes = []
        with scope(workspace=found):
            for outcome in folders.import_folder(
                found,
                directory,
                key=options["key"],
                pattern=options["pattern"],
                settled_seconds=options["settled"],
                skip_refused=options["skip_refused"],
            ):
                outcomes.append(outcome)
                if not options["json"]:
                    self.stdout.write(_line(outcome))
        totals = {name: sum(one.outcome == name for one in outcomes) for name in OUTCOMES}
        if options["json"]:
            report = {
                **totals,
                "seconds": round(time.monotonic() - started, 3),
                "files": [outcome.as_json() for outcome in outcomes],
            }
            self.print_json(report)
        elif not outcomes:
            self.stdout.write("There is no such file.")
        if totals["failed"]:
            fail(f"{totals['failed']} of {len(outcomes)} files were not imported.")


def _line(outcome: folders.Outcome) -> str:
    counts = outcome.counts if outcome.outcome == "imported" else None
    told = ", ".join(f"{name} {count:,}" for name, count in (counts or {}).items())
    return ": ".join(part for part in (outcome.file, outcome.outcome, outcome.reason, told) if part)
