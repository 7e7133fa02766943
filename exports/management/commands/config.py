"""A workspace's configuration as a file: exported, compared, applied."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django_scopes import scope

from config.commands import DIFFERS, NOT_THERE, SegueCommand, fail
from exports.config_files import applying
from exports.config_files.current import document_of
from exports.config_files.differences import Change, Field
from exports.config_files.document import Problem, line_of, parse, plain
from exports.config_files.yaml_text import MOST_BYTES, Unreadable, read, write
from workspaces.commands import add_workspace, workspace_of
from workspaces.models import Workspace

SIGNS = {"add": "+", "change": "~", "remove": "-", "leave": "="}
SAID = {"add": "to add", "change": "to change", "remove": "to remove", "leave": "only here, left"}
DONE = {"add": "added", "change": "changed", "remove": "removed", "leave": "only here, left"}
LONGEST_SHOWN = 120
HEADER = """\
# The configuration of the workspace “{name}” (docs/configuration.md says what may be here).
# Not in it: passwords, tokens, customers, and the lists of static segments.
"""


class Command(SegueCommand):
    reports = False
    help = (
        "Write a workspace's sources, attributes, segments, exports and schedules to a YAML file,"
        " compare the workspace with one, or make it what the file says."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        export = steps.add_parser("export", help="write the configuration to a file")
        plan = steps.add_parser(
            "plan",
            help="show what applying a file would change; exit status 2 if anything would",
        )
        apply = steps.add_parser(
            "apply", help="make the workspace what the file says, all or nothing"
        )
        for step in (export, plan, apply):
            add_workspace(step)
            step.add_argument("--json", action="store_true", help="print one JSON object")
        export.add_argument("file", nargs="?", default="-", help="default: standard output")
        for step in (plan, apply):
            step.add_argument("file", help="- for standard input")
            step.add_argument(
                "--remove",
                action="store_true",
                help="remove what is only in the workspace, in the sections that the file has",
            )

    def handle(self, *args: Any, step: str, workspace: str, file: str, **options: Any) -> None:
        found = workspace_of(workspace)
        with scope(workspace=found):
            if step == "export":
                self._export(found, file, as_json=options["json"])
            else:
                self._compare(found, file, step, options)

    def _export(self, workspace: Workspace, file: str, *, as_json: bool) -> None:
        document = plain(document_of(workspace))
        text = (
            json.dumps(document, ensure_ascii=False, indent=2) + "\n"
            if as_json
            else HEADER.format(name=" ".join(workspace.name.split())) + write(document)
        )
        if file == "-":
            self.stdout.write(text, ending="")
        else:
            try:
                Path(file).write_text(text, encoding="utf-8")
            except OSError as error:
                fail(f"{file} can't be written: {error.strerror}.")

    def _compare(self, workspace: Workspace, file: str, step: str, options: dict[str, Any]) -> None:
        content = _content(file)
        try:
            changes = self._changes(workspace, file, content, step, removes=options["remove"])
        except Unreadable as unreadable:
            fail(f"{file}: {unreadable}")
        differences = sum(change.action != "leave" for change in changes)
        if options["json"]:
            self.print_json(
                {
                    "applied": step == "apply",
                    "differences": differences,
                    "changes": [change.as_json() for change in changes],
                }
            )
        else:
            self._show(changes, DONE if step == "apply" else SAID)
        if differences and step == "plan":
            sys.exit(DIFFERS)

    def _changes(
        self, workspace: Workspace, file: str, content: bytes, step: str, *, removes: bool
    ) -> list[Change]:
        found = read(content)
        try:
            wanted = parse(found)
            if step == "plan":
                return applying.plan(workspace, wanted, removes=removes)
            digest = hashlib.sha256(content).hexdigest()
            return applying.apply(workspace, wanted, removes=removes, by=None, digest=digest)
        except Problem as problem:
            line = problem.line or line_of(problem.path, found.lines)
            fail(f"{file}: {Problem(problem.path, problem.message, line)}")

    def _show(self, changes: list[Change], said: dict[str, str]) -> None:
        for change in changes:
            name = f" “{change.name}”" if change.name else ""
            self.stdout.write(f"{SIGNS[change.action]} {change.kind}{name}")
            for field in change.fields:
                self.stdout.write(f"    {_field(change, field)}")
        counts = {action: sum(one.action == action for one in changes) for action in said}
        told = [f"{count} {said[action]}" for action, count in counts.items() if count]
        self.stdout.write(f"{', '.join(told) or 'No differences'}.")


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}.", NOT_THERE)


def _field(change: Change, field: Field) -> str:
    if change.action == "add":
        return f"{field.field}: {_value(field.becomes)}"
    return f"{field.field}: {_value(field.was)} → {_value(field.becomes)}"


def _value(value: Any) -> str:
    if value is None:
        return "(default)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
