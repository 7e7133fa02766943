"""`manage.py sandbox`: the stand-in for Constant Contact alone, as a program of its own."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Runs the stand-in for Constant Contact. Its options are those of python -m sandbox."

    def run_from_argv(self, argv: list[str]) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *argv[2:]])  # noqa: S606

    def handle(self, *args: Any, **options: Any) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *map(str, args)])  # noqa: S606
