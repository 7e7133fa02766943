"""What Segue's commands have in common: exit statuses, a workspace's address, JSON, progress."""

import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

# After sysexits.h, whose numbers begin at 64; docs/operations.md lists them.
FAILED = 1
DIFFERS = 2
AWAITS_APPROVAL = 3
USAGE = 64
NOT_THERE = 66
BUSY = 75
INTERRUPTED = 130


class SegueCommand(BaseCommand):
    """`reports` says that it can print one JSON object, and nothing else, on standard output."""

    reports = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if self.reports:
            parser.add_argument("--json", action="store_true", help="print one JSON object")
        parse = parser.parse_args

        def parse_args(*args: Any, **options: Any) -> Any:
            try:
                return parse(*args, **options)
            except SystemExit as ended:
                raise SystemExit(USAGE if ended.code == 2 else ended.code) from None

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            sys.stderr.write("Interrupted.\n")
            sys.exit(INTERRUPTED)

    def print_json(self, report: Any) -> None:
        self.stdout.write(json.dumps(report))


def fail(message: object, status: int = FAILED) -> NoReturn:
    """Ends the command with a message for people and an exit status."""
    raise CommandError(str(message), returncode=status)
