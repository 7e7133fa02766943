"""Imports a file of customers into a workspace, now."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django_scopes import scope

from config.commands import AWAITS_APPROVAL, BUSY, FAILED, NOT_THERE, SegueCommand, fail
from config.terminal_progress import Look, shown
from segments import drafts, imports, ownership, sources
from segments.columns import Column
from segments.encodings import UnreadableFile
from segments.models import Import, Source
from segments.reading_forms import NAMES, USUAL, ReadingForm
from segments.reasons import reason_text
from segments.sources import LONGEST_NAME
from workspaces.commands import add_workspace, workspace_of
from workspaces.models import Workspace

BLOCK = 1024 * 1024
SHOWN_REFUSED = 10
COUNTS = ("read", "added", "changed", "unchanged", "superseded", "refused", "removed")


class Command(SegueCommand):
    help = "Import a CSV file of customers into a workspace, now."

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--key", required=True, metavar="COLUMN", help="tells customers apart")
        parser.add_argument("--name", help="the source's name (default: the file's)")
        parser.add_argument(
            "--skip-refused", action="store_true", help="import even if some rows can't be read"
        )
        parser.add_argument(
            "--mode",
            choices=Source.Mode.values,
            help="replace: who is gone from the source is gone; update: they stay"
            " (default: as the source has it)",
        )
        parser.add_argument(
            "--approve-removals",
            type=int,
            default=0,
            metavar="N",
            help="up to so many profiles may go, where the import stopped before it removed them",
        )
        parser.add_argument(
            "--take-over",
            action="append",
            default=[],
            metavar="COLUMN",
            help="fill this attribute from now on, though another source does; may be repeated",
        )
        parser.add_argument(
            "--rename",
            action="append",
            default=[],
            metavar="COLUMN=NAME",
            help="keep this column as an attribute of its own name; may be repeated",
        )
        parser.add_argument("--separator", help="between values (default: as found out)")
        parser.add_argument("--quote", help="around values; empty: none (default: as found out)")
        parser.add_argument("--encoding", help="such as utf-8 or cp1252 (default: as found out)")
        parser.add_argument(
            "--skip", type=int, metavar="N", help="lines above the header (default: as found out)"
        )

    def handle(self, *args: Any, workspace: str, file: Path, **options: Any) -> None:
        found = workspace_of(workspace)
        if not file.is_file():
            fail(f"There is no file {file}.", NOT_THERE)
        started = time.monotonic()
        with scope(workspace=found):
            load = self._import(found, file, options)
            report = {name: getattr(load, name) for name in COUNTS}
            report["seconds"] = round(time.monotonic() - started, 3)
            if load.state != Import.State.SUCCEEDED:
                asks = load.removals_asked > options["approve_removals"]
                status = AWAITS_APPROVAL if asks else FAILED
                fail("\n".join([str(load.reason), *_first_refused(load)]), status)
        if options["json"]:
            self.print_json(report)
        else:
            self.stdout.write(", ".join(f"{name} {report[name]:,}" for name in COUNTS))

    def _import(self, workspace: Workspace, file: Path, options: dict[str, Any]) -> Import:
        name = options["name"] or file.stem[:LONGEST_NAME]
        source = Source.objects.filter(name=name).first()
        is_new = source is None
        try:
            source = source or sources.create_source(workspace, name)
            taken = Look("taking the file", 0, file.stat().st_size)

            def blocks() -> Iterator[bytes]:
                nonlocal taken
                for block in _blocks(file):
                    taken = Look(taken.doing, taken.done + len(block), taken.of)
                    yield block

            with shown(lambda: taken, unless=options["json"]):
                load = drafts.take_file(source, file.name, blocks(), told=_told(options))
            drafts.prepare(
                load,
                key=options["key"],
                columns=_renamed(drafts.chosen_columns(load), options["rename"]),
                skip_refused=options["skip_refused"],
                by=None,
                mode=options["mode"],
                approved_removals=options["approve_removals"],
                taken_over=options["take_over"],
            )
            with shown(lambda: _look(load), unless=options["json"]):
                imports.run_import(load)
        except (UnreadableFile, sources.Refused) as problem:
            if is_new and source is not None:
                sources.remove_source(source, by=None)
            fail(problem)
        except imports.SourceBusy:
            fail(f"Another import into {name!r} is going on. Wait for its end.", BUSY)
        return load


def _told(options: dict[str, Any]) -> dict[str, Any]:
    told = {name: options[name] for name in NAMES.values() if options[name] is not None}
    form = ReadingForm.of(USUAL, **told)
    if not form.is_valid():
        raise sources.Refused(form.first_error)
    return form.part(told)


def _look(load: Import) -> Look:
    with scope(workspace=load.workspace_id):
        stage, done, whole = Import.objects.values_list("stage", "done", "whole").get(pk=load.pk)
    return Look(stage, done, whole or None)


def _renamed(columns: list[Column], pairs: list[str]) -> list[Column]:
    names = {column: name for column, _equals, name in (pair.partition("=") for pair in pairs)}
    if unknown := names.keys() - {column.column for column in columns}:
        raise sources.Refused(f"The file has no column {', '.join(sorted(unknown))}.")
    return [
        ownership.renamed(column, names[column.column]) if column.column in names else column
        for column in columns
    ]


def _first_refused(load: Import) -> Iterator[str]:
    for row in load.refused_rows.order_by("row_number")[:SHOWN_REFUSED]:
        where = f"Row {row.row_number}, {row.column}" if row.column else f"Row {row.row_number}"
        value = f": “{row.value}”" if row.value else ""
        yield f"{where}: {reason_text(row.reason)}{value}"
    if load.refused > SHOWN_REFUSED:
        yield f"… and {load.refused - SHOWN_REFUSED:,} more"


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block
