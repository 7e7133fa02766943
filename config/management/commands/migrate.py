"""`manage.py migrate`: as the owner of the tables; then it lets web and workers use them."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

from config import database_roles


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with database_roles.as_owner(connection):
            super().handle(*args, **options)
            if options["check_unapplied"] or options["plan"]:
                return
            try:
                database_roles.ensure_role(connection)
            except database_roles.NotAllowed as refusal:
                raise CommandError(str(refusal)) from refusal
