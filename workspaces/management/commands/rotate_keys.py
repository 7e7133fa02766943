"""Encrypts every stored secret anew with the first of TOKEN_ENCRYPTION_KEYS."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workspaces import key_rotation


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret anew with the first of TOKEN_ENCRYPTION_KEYS, so that the"
        " others can be taken out. It may be stopped and begun again. Every process must have the"
        " new key first: see docs/operations.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        account = key_rotation.rotate()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(account)))
        else:
            self.stdout.write(f"{account.checked} secrets, {account.rotated} encrypted anew.")
        if account.unreadable:
            raise CommandError(
                f"{account.unreadable} secrets can be read with none of TOKEN_ENCRYPTION_KEYS."
                " Put the key back that they were written with, then run this again."
            )
        if not options["json"]:
            self.stdout.write("Every one has the first key: the others can be taken out.")
