"""Erases a person from a workspace, now."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scope

from segments import address_erasures, erasures
from workspaces.models import Workspace

PATIENCE_SECONDS = 600


class Command(BaseCommand):
    help = (
        "Erase a person: their profile and what names it, here at once; from the lists they were"
        " put on, by the workers. Later imports do not bring them back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", help="the workspace's address, as in /w/ADDRESS/")
        parser.add_argument("key", help="the profile's key, or with --address an e-mail address")
        parser.add_argument(
            "--address",
            action="store_true",
            help="erase what is still known of an address that no profile has any more",
        )
        parser.add_argument(
            "--delete-at-provider",
            action="store_true",
            help="delete the contact in the accounts of this workspace's connections, too",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, workspace: str, key: str, **options: Any) -> None:
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace called {workspace!r}.")
        with scope(workspace=found):
            try:
                how: dict[str, Any] = {
                    "by": None,
                    "delete_at_provider": options["delete_at_provider"],
                    "patience": PATIENCE_SECONDS,
                }
                if options["address"]:
                    erasure = address_erasures.erase(found, key, **how)
                else:
                    erasure = erasures.erase(erasures.profile_of_key(found, key), **how)
            except erasures.Refused as refusal:
                raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps({"erasure": erasure.pk}))
        else:
            self.stdout.write(
                f"Erased (number {erasure.pk}). The workers take them off lists and remove kept"
                " files; the page Erasures says when that is done."
            )
