"""`manage.py makemigrations`: works before the first migration has made the role for work."""

from typing import Any

from django.core.management.commands import makemigrations
from django.db import connection

from config import database_roles


class Command(makemigrations.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with database_roles.as_owner(connection):
            super().handle(*args, **options)
