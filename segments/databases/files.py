"""SQLite and DuckDB: files on this machine, opened to be read, and nothing else of it."""

import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings

from segments.databases import engines
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Target
from workspaces.sentences import gettext as _

LONGEST_VALUE = 64 * 1024 * 1024


def _file(target: Target) -> Path:
    """The file that is meant, inside the workspace's own folder. Raises `DatabaseProblem`."""
    if not settings.SQL_SOURCES_FILE_DIR:
        raise DatabaseProblem(
            _("This system reads no database files. Ask your operator to name a folder for them."),
            "database",
        )
    home = (Path(settings.SQL_SOURCES_FILE_DIR) / target.home).resolve()
    try:
        path = (home / target.database).resolve()
        is_there = path.is_relative_to(home) and path.is_file()
    except (OSError, ValueError):
        is_there = False
    if not is_there or not target.home:
        raise DatabaseProblem(
            _("There is no file “%(name)s” in the folder of this workspace. Check its name.")
            % {"name": target.database},
            "database",
        )
    return path


def sqlite(target: Target, seconds: float) -> Any:
    def connect() -> Any:
        connection = sqlite3.connect(
            f"{_file(target).as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=5
        )
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        return connection

    return engines.over("sqlite", connect)


def duckdb(target: Target, seconds: float) -> Any:
    return engines.at(
        "duckdb",
        {"database": str(_file(target))},
        connect_args={
            "read_only": True,
            "config": {
                "enable_external_access": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "memory_limit": "700MB",
                "threads": 2,
                "lock_configuration": True,
            },
        },
    )


def begin_file(connection: Any, seconds: float, rows: int) -> list[str]:
    # Whether the file is one of its kind shows only when it is read.
    return ["SELECT count(*) FROM sqlite_master"]
