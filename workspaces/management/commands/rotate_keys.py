"""Encrypts every stored secret anew with the first of TOKEN_ENCRYPTION_KEYS."""

from dataclasses import asdict
from typing import Any

from config.commands import SegueCommand, fail
from workspaces import key_rotation


class Command(SegueCommand):
    help = (
        "Encrypt every stored secret anew with the first of TOKEN_ENCRYPTION_KEYS, so that the"
        " others can be taken out. It may be stopped and begun again. Every process must have the"
        " new key first: see docs/operations.md."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        account = key_rotation.rotate()
        if options["json"]:
            self.print_json(asdict(account))
        else:
            self.stdout.write(f"{account.checked} secrets, {account.rotated} encrypted anew.")
        if account.unreadable:
            fail(
                f"{account.unreadable} secrets can be read with none of TOKEN_ENCRYPTION_KEYS."
                " Put the key back that they were written with, then run this again."
            )
        if not options["json"]:
            self.stdout.write("Every one has the first key: the others can be taken out.")
