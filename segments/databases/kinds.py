"""The kinds of databases: what each asks for, and how it is opened to read and do nothing else."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from segments.databases import files, servers, warehouses
from segments.databases.target import Target


@dataclass(frozen=True)
class Kind:
    """`fields` are those of a `Target` that it needs, `options` its own besides, with labels.

    `engine` takes the target and for how many seconds a query may run. `begin` gives the
    statements that make a session read only, and limit its time and rows, where the server does.
    `interrupt` stops what the connection of its driver is at, from another thread; `leave` lets
    go of rows that were not read.
    """

    name: str
    label: str
    engine: Callable[[Target, float], Any]
    begin: Callable[[Any, float, int], list[str]]
    interrupt: Callable[[Any], None]
    leave: Callable[[Any], None] = lambda connection: None
    port: int = 0
    fields: tuple[str, ...] = ("host", "port", "database", "username", "password", "encryption")
    options: tuple[tuple[str, Promise | str], ...] = ()
    driver: str = ""

    @property
    def is_installed(self) -> bool:
        return not self.driver or importlib.util.find_spec(self.driver) is not None

    @property
    def is_file(self) -> bool:
        return self.fields == ("database",)


def _nothing(connection: Any, seconds: float, rows: int) -> list[str]:
    return []


ALL = [
    Kind(
        "postgresql",
        "PostgreSQL",
        servers.postgresql,
        servers.begin_postgresql,
        servers.hang_up,
        port=5432,
    ),
    Kind(
        "mysql",
        "MySQL, MariaDB",
        servers.mysql,
        servers.begin_mysql,
        lambda connection: servers.hang_up(connection._sock),
        servers.forget_rows,
        port=3306,
    ),
    Kind(
        "sqlite",
        "SQLite",
        files.sqlite,
        files.begin_file,
        lambda connection: connection.interrupt(),
        fields=("database",),
    ),
    Kind(
        "duckdb",
        "DuckDB",
        files.duckdb,
        files.begin_file,
        lambda connection: connection.interrupt(),
        fields=("database",),
    ),
    Kind(
        "redshift",
        "Amazon Redshift",
        servers.redshift,
        servers.begin_redshift,
        servers.hang_up,
        port=5439,
        driver="sqlalchemy_redshift",
    ),
    Kind(
        "snowflake",
        "Snowflake",
        warehouses.snowflake,
        _nothing,
        warehouses.hang_up,
        fields=("database", "username", "password"),
        options=(
            ("account", gettext_lazy("Account")),
            ("schema", gettext_lazy("Schema")),
            ("warehouse", gettext_lazy("Warehouse")),
            ("role", gettext_lazy("Role")),
        ),
        driver="snowflake",
    ),
    Kind(
        "bigquery",
        "Google BigQuery",
        warehouses.bigquery,
        _nothing,
        warehouses.hang_up,
        fields=("password",),
        options=(
            ("project", gettext_lazy("Project")),
            ("dataset", gettext_lazy("Dataset")),
        ),
        driver="sqlalchemy_bigquery",
    ),
    Kind(
        "trino",
        "Trino",
        warehouses.trino,
        _nothing,
        warehouses.hang_up,
        port=443,
        options=(("schema", gettext_lazy("Schema")),),
        driver="trino",
    ),
]


def kind_of(name: str) -> Kind:
    """Raises `KeyError` for a kind that there is not."""
    return {kind.name: kind for kind in ALL}[name]


def offered() -> list[Kind]:
    """Those whose driver is installed; files only where the operator names a folder for them."""
    return [
        kind
        for kind in ALL
        if kind.is_installed and (not kind.is_file or settings.SQL_SOURCES_FILE_DIR)
    ]
