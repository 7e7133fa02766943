"""Erases a person from a workspace, now."""

from typing import Any

from django.core.management.base import CommandParser
from django_scopes import scope

from config.commands import SegueCommand, fail
from segments import address_erasures, erasures
from workspaces.commands import add_workspace, workspace_of

PATIENCE_SECONDS = 600


class Command(SegueCommand):
    help = (
        "Erase a person: their profile and what names it, here at once; from the lists they were"
        " put on, by the workers. Later imports do not bring them back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)
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

    def handle(self, *args: Any, workspace: str, key: str, **options: Any) -> None:
        found = workspace_of(workspace)
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
                fail(refusal)
        if options["json"]:
            self.print_json({"erasure": erasure.pk})
        else:
            self.stdout.write(
                f"Erased (number {erasure.pk}). The workers take them off lists and remove kept"
                " files; the page Erasures says when that is done."
            )
