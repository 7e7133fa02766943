"""A workspace's pages, and databases that SQL sources read: real servers, and files."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.test import Client

from segments.databases.target import Target
from tests.segments import databases
from tests.segments.factories import make_customers
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

PEOPLE = [
    "CREATE TABLE people (id integer, name varchar(50), born date, points numeric(10, 2))",
    "INSERT INTO people VALUES (1, 'Ann; 100% “x”', '1980-01-02', 12.50)",
    "INSERT INTO people VALUES (2, NULL, NULL, NULL)",
]


@pytest.fixture
def client(workspace: Workspace) -> Client:
    """An administrator's browser."""
    return signed_in(workspace)


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """With the customers of `make_customers`."""
    make_customers(workspace)
    return workspace


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[databases.Postgres]:
    with databases.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[databases.MariaDB]:
    # Without it its tests are left out, saying so; REQUIRE_MARIADB makes that a fault.
    if not databases.HAS_MARIADB and not os.environ.get("REQUIRE_MARIADB"):
        pytest.skip("there is no mariadbd: install mariadb-server to run these tests")
    with databases.mariadb() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: databases.Postgres, settings: Any) -> databases.Postgres:
    """With a table of two people."""
    return _with_people(postgres_server, settings)


@pytest.fixture
def mariadb(mariadb_server: databases.MariaDB, settings: Any) -> databases.MariaDB:
    """With a table of two people."""
    return _with_people(mariadb_server, settings)


@pytest.fixture(params=["postgres_server", "mariadb_server"])
def server(request: pytest.FixtureRequest, settings: Any) -> databases.Server:
    """Each database server, with a table of two people."""
    return _with_people(request.getfixturevalue(request.param), settings)


def _with_people(server: Any, settings: Any) -> Any:
    settings.SQL_SOURCES_ALLOW_PRIVATE = True
    server.run("DROP TABLE IF EXISTS people", *PEOPLE)
    return server


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the workspace `shop` has its database files."""
    settings.SQL_SOURCES_FILE_DIR = str(tmp_path / "databases")
    folder = tmp_path / "databases" / "shop"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(params=["sqlite", "duckdb"])
def file(request: pytest.FixtureRequest, folder: Path) -> Target:
    """A database file of each kind, with a table of two people."""
    make: Any = {"sqlite": sqlite3, "duckdb": duckdb}[request.param]
    connection = make.connect(str(folder / "people.db"))
    for statement in PEOPLE:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return Target(request.param, database="people.db", home="shop")


@pytest.fixture(params=["postgres_server", "mariadb_server", "sqlite", "duckdb"])
def any_target(request: pytest.FixtureRequest, settings: Any, folder: Path) -> Target:
    """A database of every kind, with a table of two people."""
    if request.param.endswith("_server"):
        return _with_people(request.getfixturevalue(request.param), settings).target
    return file.__wrapped__(request, folder)  # type: ignore[attr-defined]
