"""`manage.py completion`: what a shell needs to complete the other commands."""

from typing import Any

from django.core.management.base import CommandParser

from config.commands import SegueCommand
from config.completion import SHELLS, all_words


class Command(SegueCommand):
    help = 'Print a shell\'s completion of these commands: eval "$(./manage.py completion bash)".'
    reports = False
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("shell", choices=list(SHELLS))

    def handle(self, *args: Any, shell: str, **options: Any) -> None:
        self.stdout.write(SHELLS[shell](all_words()), ending="")
