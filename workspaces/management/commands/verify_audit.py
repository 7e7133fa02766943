"""Computes the chain of the audit log anew."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_scopes import scope

from workspaces.audit_chain import verify
from workspaces.models import Workspace


class Command(BaseCommand):
    help = (
        "Verify that no entry of the audit log was changed, taken out or put in: of a workspace,"
        " or of all. Note the head that it prints somewhere else: a log cut off at its end has"
        " another."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "workspace", nargs="?", help="the workspace's address, as in /w/ADDRESS/; else all"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, workspace: str | None, **options: Any) -> None:
        found = Workspace.objects.order_by("slug")
        if workspace:
            found = found.filter(slug=workspace)
            if not found:
                raise CommandError(f"There is no workspace called {workspace!r}.")
        verdicts = {}
        for one in found:
            with scope(workspace=one):
                verdicts[one.slug] = verify(one)
        broken = [slug for slug, verdict in verdicts.items() if not verdict.is_whole]
        if options["json"]:
            report = {
                slug: {
                    "ok": verdict.is_whole,
                    "entries": verdict.entries,
                    "head": verdict.head,
                    "broken": verdict.broken,
                    "faults": verdict.faults,
                }
                for slug, verdict in verdicts.items()
            }
            self.stdout.write(json.dumps({"ok": not broken, "workspaces": report}))
        else:
            for slug, verdict in verdicts.items():
                state = "whole" if verdict.is_whole else f"{verdict.broken} faults"
                self.stdout.write(
                    f"{slug}: {verdict.entries} entries, {state}, head {verdict.head}"
                )
                for fault in verdict.faults:
                    self.stdout.write(f"  {fault}")
        if broken:
            raise CommandError(f"The audit log is broken: {', '.join(broken)}.")
