"""Writes docs/roles.md."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api.roles_document import written

PATH = settings.BASE_DIR / "docs" / "roles.md"


class Command(BaseCommand):
    help = "Say what each role may do, as the rules answer; fails if docs/roles.md says otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/roles.md")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        text = written()
        if write:
            PATH.write_text(text)
            return
        self.stdout.write(text)
        if PATH.is_file() and PATH.read_text() != text:
            raise CommandError("docs/roles.md says otherwise: run manage.py roles --write.")
