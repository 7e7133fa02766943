"""A backup of the test's database with plain `pg_dump`, and the database made anew from it."""

import subprocess
from pathlib import Path
from typing import Any

import psycopg2
from django.db import connection, connections

from config.embedded import postgres_program
from workspaces.restored import restored_at


def dump(to: Path) -> None:
    # Written down when it was migrated, but taken away from what was made of a template.
    restored_at()
    name = connection.settings_dict["NAME"]
    _run("pg_dump", "--format=custom", f"--file={to}", name)


def restore(backup: Path) -> None:
    """What the database held since is lost, as with the server that it was on."""
    login: dict[str, Any] = connection.settings_dict
    connections.close_all()
    beside = psycopg2.connect(host=login["HOST"], user=login["USER"], dbname="postgres")
    try:
        beside.autocommit = True
        with beside.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{login["NAME"]}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{login["NAME"]}" TEMPLATE template0')
    finally:
        beside.close()
    _run("pg_restore", f"--dbname={login['NAME']}", "--exit-on-error", str(backup))


def _run(program: str, *arguments: str) -> None:
    login: dict[str, Any] = connection.settings_dict
    address = f"--host={login['HOST']}", f"--username={login['USER']}"
    subprocess.run([postgres_program(program), *address, *arguments], check=True)
