"""Databases are read, and nothing else is done to them, whatever is asked."""

import csv
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from segments.databases import rows
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table, Target
from tests.segments.databases import MariaDB, Postgres, Server, a_word, free_port

ALL = "SELECT * FROM people ORDER BY id"
GENERATED = {
    "postgresql": "SELECT generate_series(1, {n}) AS id, 'someone' AS name",
    "mysql": "SELECT seq AS id, 'someone' AS name FROM seq_1_to_{n}",
    "sqlite": (
        "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {n})"
        " SELECT i AS id, 'someone' AS name FROM s"
    ),
    "duckdb": "SELECT range AS id, 'someone' AS name FROM range({n})",
}
FOR_EVER = {
    "postgresql": "SELECT pg_sleep(600)",
    "mysql": "SELECT sleep(600)",
    "sqlite": (
        "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s) SELECT max(i) FROM s"
    ),
    "duckdb": (
        "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range < -b.range"
    ),
}


def read(
    target: Target, statement: str, path: Path, **limits: Any
) -> tuple[tuple[str, ...], list[list[str]]]:
    """The names and the rows, as they were written."""
    names = rows.write(target, statement, path, **{"seconds": 20, "most_bytes": 10**9, **limits})
    with path.open(newline="", encoding="utf-8") as file:
        header, *found = csv.reader(file)
    assert tuple(header) == names
    return names, found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_rows_come_as_a_file_would_have_them(any_target: Target, path: Path) -> None:
    names, found = read(any_target, ALL, path)
    assert names == ("id", "name", "born", "points")
    assert found == [["1", "Ann; 100% “x”", "1980-01-02", "12.50"], ["2", "", "", ""]] or (
        # SQLite keeps no decimals that nobody needs.
        any_target.kind == "sqlite" and found[0][3] == "12.5"
    )


def test_a_percent_sign_in_a_query_is_one(any_target: Target, path: Path) -> None:
    assert read(any_target, "SELECT id FROM people WHERE name LIKE '%100%%' AND 7 % 4 = 3", path)[
        1
    ] == [["1"]]


def test_tables_and_views_are_listed_and_read_by_their_odd_names(
    server: Server, path: Path
) -> None:
    quote = '"' if server.target.kind == "postgresql" else "`"
    odd = f"{quote}our ‘best’; people{quote}"
    server.run(f"DROP VIEW IF EXISTS {odd}", f"CREATE VIEW {odd} AS SELECT id FROM people")
    found = rows.tables(server.target, 10)
    assert {table.label for table in found} >= {"people", "our ‘best’; people"}
    statement = rows.select_all(server.target, Table("", "our ‘best’; people"))
    assert len(read(server.target, statement, path)[1]) == 2
    server.run(f"DROP VIEW {odd}")


def test_tables_of_other_schemas_are_named_with_them(postgres: Postgres, path: Path) -> None:
    word = f"s{a_word()}"
    postgres._ask((f"CREATE SCHEMA {word} AUTHORIZATION reader",))
    postgres.run(f"CREATE TABLE {word}.orders AS SELECT 7 AS n")
    table = next(one for one in rows.tables(postgres.target, 10) if one.name == "orders")
    assert table.label == f"{word}.orders"
    assert read(postgres.target, rows.select_all(postgres.target, table), path)[1] == [["7"]]


def test_tables_of_files_are_listed(file: Target) -> None:
    assert [table.label for table in rows.tables(file, 10)] == ["people"]


DOES_MORE_THAN_READ = [
    "DROP TABLE people",
    "INSERT INTO people VALUES (3, 'x', NULL, NULL)",
    "UPDATE people SET name = 'x'",
    "DELETE FROM people",
    "TRUNCATE TABLE people",
    "CREATE TABLE more (id integer)",
    "WITH gone AS (DELETE FROM people RETURNING id) SELECT * FROM gone",
    "WITH one AS (SELECT 1) INSERT INTO people (id) SELECT * FROM one",
    "WITH one AS (SELECT 1) DELETE FROM people",
    "SELECT 1; DROP TABLE people",
    "SELECT 1; COMMIT; BEGIN READ WRITE; DROP TABLE people; COMMIT; SELECT 1",
    "/* SELECT */ DROP TABLE people",
    "-- SELECT\nDROP TABLE people",
    "/*! DROP TABLE people */",
    "COMMIT",
    "SET SESSION TRANSACTION READ WRITE",
    "CALL something()",
    "EXPLAIN ANALYZE DELETE FROM people",
    "COPY people TO PROGRAM 'true'",
    "PRAGMA writable_schema = 1",
    "ATTACH DATABASE '/tmp/other.db' AS other",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE people",
    "",
    " ; ",
    "SELECT \0",
]


def test_what_does_not_only_read_is_refused_and_changes_nothing(
    any_target: Target, path: Path
) -> None:
    for statement in DOES_MORE_THAN_READ:
        with pytest.raises(DatabaseProblem) as problem:
            read(any_target, statement, path)
        assert problem.value.field == "statement", statement
    assert len(read(any_target, ALL, path)[1]) == 2


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE people", "DELETE FROM people", "CREATE TABLE more (id integer)"],
)
def test_the_databases_themselves_are_asked_to_refuse_changes(
    any_target: Target, path: Path, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows.statements, "checked", lambda statement: statement)
    with pytest.raises(DatabaseProblem):
        read(any_target, statement, path)
    assert len(read(any_target, ALL, path)[1]) == 2


def test_a_query_writes_no_files_at_the_server(mariadb: MariaDB, path: Path) -> None:
    for statement in (
        "SELECT * FROM people INTO OUTFILE '/tmp/people'",
        "SELECT * FROM people INTO/**/dumpfile '/tmp/people'",
        "SELECT 1 /*!INTO OUTFILE '/tmp/people'*/",
    ):
        with pytest.raises(DatabaseProblem, match="can’t write files"):
            read(mariadb.target, statement, path)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM sqlite_scan('people.db', 'people')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x')",
    ],
)
def test_duckdb_reads_no_file_but_its_own(folder: Path, path: Path, statement: str) -> None:
    duckdb.connect(str(folder / "a.db")).close()
    with pytest.raises(DatabaseProblem):
        read(Target("duckdb", database="a.db", home="shop"), statement, path)


def test_semicolons_may_be_in_texts_where_a_text_ends_for_certain(
    any_target: Target, path: Path
) -> None:
    assert read(any_target, "SELECT 'a;b' AS x;", path)[1] == [["a;b"]]
    with pytest.raises(DatabaseProblem, match="no comments"):
        read(any_target, "SELECT 'a;b' AS x -- ; ", path)


def test_a_query_that_takes_too_long_is_stopped(any_target: Target, path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(DatabaseProblem, match=r"too long|longer than"):
        read(any_target, FOR_EVER[any_target.kind], path, seconds=1)
    assert time.monotonic() - began < 8


def test_a_query_with_rows_without_end_is_stopped(any_target: Target, path: Path) -> None:
    endless = GENERATED[any_target.kind].format(n=999_999_999)
    began = time.monotonic()
    with pytest.raises(DatabaseProblem, match=r"too long|longer than"):
        read(any_target, endless, path, seconds=1)
    with pytest.raises(DatabaseProblem, match="more than 1 MB"):
        read(any_target, endless, path, most_bytes=1_000_000)
    assert time.monotonic() - began < 20


def test_only_as_many_rows_as_are_wanted_are_read(any_target: Target, path: Path) -> None:
    many = GENERATED[any_target.kind].format(n=3_000_000)
    began = time.monotonic()
    assert len(read(any_target, many, path, most_rows=120)[1]) == 120
    assert time.monotonic() - began < 5


def test_many_rows_take_no_more_memory_than_few(
    any_target: Target, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tracemalloc

    monkeypatch.setattr(rows, "MOST_IN_A_PIECE", 1_000)

    def peak(count: int) -> int:
        statement = GENERATED[any_target.kind].format(n=count)
        tracemalloc.start()
        rows.write(any_target, statement, path, seconds=60, most_bytes=10**9)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1_000)
    assert peak(16_000) < 1.3 * peak(4_000) + 500_000


def test_values_of_all_sorts_become_text(postgres: Postgres, path: Path) -> None:
    statement = (
        "SELECT true AS a, 1.5::float8 AS b, 1e-7::numeric AS c, '{x,\"y,z\",NULL}'::text[] AS d,"
        " '{\"k\": [1, \"é\"]}'::jsonb AS e, '\\xdeadbeef'::bytea AS f, 'infinity'::date AS g,"
        " '0044-03-15 BC'::date AS h, '2026-01-02 03:04:05+02'::timestamptz AS i,"
        " '12345678901234567890.12'::numeric AS j, E'a\\nb' AS k"
    )
    assert read(postgres.target, statement, path)[1] == [
        [
            "true",
            "1.5",
            "0.0000001",
            '["x", "y,z", null]',
            '{"k": [1, "é"]}',
            "deadbeef",
            "infinity",
            "0044-03-15 BC",
            "2026-01-02 01:04:05+00",
            "12345678901234567890.12",
            "a\nb",
        ]
    ]


def test_values_that_no_text_can_hold_lose_what_it_is_for(folder: Path, path: Path) -> None:
    with closing(sqlite3.connect(folder / "a.db")) as made:
        made.execute("CREATE TABLE odd (a, b)")
        made.execute("INSERT INTO odd VALUES (char(97, 0, 98), CAST(x'61ff62' AS TEXT))")
        made.commit()
    target = Target("sqlite", database="a.db", home="shop")
    assert read(target, "SELECT * FROM odd", path)[1] == [["ab", "a\ufffdb"]]


def test_zero_dates_of_mysql_come_as_they_are(mariadb: MariaDB, path: Path) -> None:
    found = read(mariadb.target, "SELECT CAST('0000-00-00' AS DATE) AS born, NULL AS x", path)[1]
    assert found in ([["0000-00-00", ""]], [["", ""]])


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT 1 AS id, 2 AS ID", "Two columns of the query are named “id”"),
        ("SELECT 1 AS id, 2 AS id", "Two columns of the query are named “id”"),
        ('SELECT 1 AS "  "', "Column 1 of the query has no name"),
        (f"SELECT {', '.join(f'{n} AS c{n}' for n in range(501))}", "501 columns"),
    ],
)
def test_columns_that_cant_be_told_apart_are_refused(
    any_target: Target, path: Path, statement: str, said: str
) -> None:
    if any_target.kind == "mysql":
        statement = statement.replace('"', "`")
    with pytest.raises(DatabaseProblem) as problem:
        read(any_target, statement, path)
    assert said.lower() in str(problem.value).lower() or "ID" in str(problem.value)


def test_odd_names_of_columns_are_kept(any_target: Target, path: Path) -> None:
    quote = "`" if any_target.kind == "mysql" else '"'
    statement = f"SELECT 1 AS {quote}the, ‘odd’ name{quote}, 2 AS {quote}Ünï{quote}"
    assert read(any_target, statement, path) == (("the, ‘odd’ name", "Ünï"), [["1", "2"]])


def test_no_rows_are_a_header_alone(any_target: Target, path: Path) -> None:
    assert read(any_target, "SELECT id FROM people WHERE id > 7", path) == (("id",), [])


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"password": "wrong"}, "password", "does not accept this user name and password"),
        ({"username": "nobody-here"}, "password", "does not accept this user name"),
        ({"database": "none"}, "database", "There is no database “none”"),
        ({"database": "x host=10.0.0.1"}, "database", "There is no database"),
        ({"host": "no-such-host.invalid"}, "host", "There is no host"),
        ({"encryption": "verify"}, "encryption", "certificate|does not offer"),
    ],
)
def test_what_keeps_one_out_is_said_without_the_password(
    server: Server, changes: dict[str, str], field: str, said: str
) -> None:
    with pytest.raises(DatabaseProblem, match=said) as problem:
        rows.reach(server.having(**changes), 10)
    assert problem.value.field == field
    assert server.target.password not in str(problem.value)
    assert problem.value.__cause__ is None


def test_nobody_at_the_port_is_said(server: Server) -> None:
    with pytest.raises(DatabaseProblem, match="Nothing answers at localhost, port"):
        rows.reach(server.having(port=free_port()), 5)


def test_a_database_that_encrypts_nothing_gets_no_password(postgres: Postgres) -> None:
    with pytest.raises(DatabaseProblem, match="does not offer an encrypted connection"):
        rows.reach(postgres.having(encryption="require"), 5)


def test_a_certificate_is_believed_by_its_authority(
    mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(mariadb.authority))
    rows.reach(mariadb.having(encryption="verify"), 5)
    with pytest.raises(DatabaseProblem, match="certificate"):
        rows.reach(mariadb.having(encryption="verify", host="127.0.0.1"), 5)


@contextmanager
def listening(answer: Any) -> Iterator[int]:
    """A server that does with every line what `answer` does; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=answer, args=[line], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_a_server_that_is_none_or_says_nothing_is_left(settings: Any, server: Server) -> None:
    def hang_up(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)
        line.close()

    with listening(hang_up) as port, pytest.raises(DatabaseProblem):
        rows.reach(server.having(port=port), 2)
    kept: list[socket.socket] = []
    began = time.monotonic()
    with listening(kept.append) as port, pytest.raises(DatabaseProblem):
        rows.reach(server.having(port=port), 2)
    assert time.monotonic() - began < 15


def passing(to: int, most: int, broken: threading.Event) -> Any:
    """Passes on what both sides say, and cuts them off after so many bytes from the server."""

    def serve(line: socket.socket) -> None:
        other = socket.create_connection(("127.0.0.1", to))

        def forth() -> None:
            while block := line.recv(65536):
                other.sendall(block)

        threading.Thread(target=forth, daemon=True).start()
        passed = 0
        while (block := other.recv(65536)) and passed < most:
            passed += len(block)
            line.sendall(block)
        if passed >= most:
            broken.set()
        line.shutdown(socket.SHUT_RDWR)
        other.close()

    return serve


def test_a_connection_that_breaks_in_the_middle_is_said(server: Server, path: Path) -> None:
    many = GENERATED[server.target.kind].format(n=1_000_000)
    broken = threading.Event()
    with (
        listening(passing(server.target.port, 300_000, broken)) as port,
        pytest.raises(DatabaseProblem, match="broke off"),
    ):
        read(server.having(port=port, encryption="off"), many, path)
    assert broken.is_set()


@pytest.mark.parametrize("name", ["../people.db", "/etc/passwd", "none.db", "", ".", "\0"])
def test_a_file_outside_of_the_workspaces_folder_does_not_exist(file: Target, name: str) -> None:
    with pytest.raises(DatabaseProblem, match="There is no file"):
        rows.reach(replace(file, database=name), 5)


def test_one_workspace_does_not_open_the_files_of_another(file: Target, folder: Path) -> None:
    (folder.parent / "other").mkdir()
    for home, name in [
        ("other", "people.db"),
        ("other", "../shop/people.db"),
        ("", "shop/people.db"),
    ]:
        with pytest.raises(DatabaseProblem, match="There is no file"):
            rows.reach(replace(file, home=home, database=name), 5)
    (folder.parent / "other" / "link.db").symlink_to(folder / "people.db")
    with pytest.raises(DatabaseProblem, match="There is no file"):
        rows.reach(replace(file, home="other", database="link.db"), 5)


def test_without_a_folder_no_file_is_read(file: Target, settings: Any) -> None:
    settings.SQL_SOURCES_FILE_DIR = ""
    with pytest.raises(DatabaseProblem, match="reads no database files"):
        rows.reach(file, 5)


def test_a_file_that_is_no_database_is_said(file: Target, folder: Path) -> None:
    (folder / "people.db").write_bytes(b"id,name\n1,Ann\n" * 100)
    with pytest.raises(DatabaseProblem, match="no database of the kind"):
        rows.reach(file, 5)
