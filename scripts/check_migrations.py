"""Checks that the code of the release before can work while a migration is applied, and after it.

A new release's migrations run first, then web and workers are replaced one by one: so no column
that the old code reads or writes may go, be renamed or become needed without a default that
PostgreSQL itself knows. docs/operations.md says how to change such things in two releases.
"""

import logging
import os
import sys
from pathlib import Path

import django

# The last migration of each app that no running release came before. Nothing is released yet;
# exports 0007, which makes of the ledger what old workers would not understand, is among them.
BASELINE = {"api": 2, "connections": 4, "exports": 10, "segments": 15, "workspaces": 10}


def number(name: str) -> int:
    return int(name.partition("_")[0])


def main() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.embedded import EmbeddedServices

    if os.environ.get("DATABASE_URL"):
        return check()
    with EmbeddedServices().using():
        return check()


def check() -> int:
    django.setup()
    from django.db import connection

    from config.database_roles import as_owner

    with as_owner(connection):
        return lint()


def lint() -> int:
    from django_migration_linter import MigrationLinter

    logging.getLogger("django_migration_linter").setLevel(logging.WARNING)
    linter = MigrationLinter(no_cache=True)
    newer = [
        migration
        for (app, name), migration in sorted(linter.migration_loader.disk_migrations.items())
        if app in BASELINE and number(name) > BASELINE[app]
    ]
    for migration in newer:
        linter.lint_migration(migration)
    return int(linter.has_errors)


if __name__ == "__main__":
    sys.exit(main())
