"""Computes the chain of the audit log anew."""

from argparse import ArgumentParser
from typing import Any

from django_scopes import scope

from config.commands import NOT_THERE, SegueCommand, fail
from workspaces.audit_chain import verify
from workspaces.models import Workspace


class Command(SegueCommand):
    help = (
        "Verify that no entry of the audit log was changed, taken out or put in: of a workspace,"
        " or of all. Note the head that it prints somewhere else: a log cut off at its end has"
        " another."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "workspace", nargs="?", help="the workspace's address, as in /w/ADDRESS/; else all"
        )

    def handle(self, *args: Any, workspace: str | None, **options: Any) -> None:
        found = Workspace.objects.order_by("slug")
        if workspace:
            found = found.filter(slug=workspace)
            if not found:
                fail(f"There is no workspace called {workspace!r}.", NOT_THERE)
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
            self.print_json({"ok": not broken, "workspaces": report})
        else:
            for slug, verdict in verdicts.items():
                state = "whole" if verdict.is_whole else f"{verdict.broken} faults"
                self.stdout.write(
                    f"{slug}: {verdict.entries} entries, {state}, head {verdict.head}"
                )
                for fault in verdict.faults:
                    self.stdout.write(f"  {fault}")
        if broken:
            fail(f"The audit log is broken: {', '.join(broken)}.")
