"""Sources by the API: files that are read otherwise than was found out, databases."""

import sqlite3
from pathlib import Path
from typing import Any

from segments.models import SqlQuery
from tests.api.client import program
from workspaces.models import AuditEntry, Workspace


def columns(load: dict[str, Any]) -> list[str]:
    return [column["column"] for column in load["columns"]]


def test_a_draft_is_read_as_the_program_says(workspace: Workspace) -> None:
    caller = program(workspace)
    file = b"id;name, first\n1;Ana, or Anna\n2;Pep, or Jos\xe9\n"
    load = caller.upload("/sources?name=Shop&draft=true&separator=;", file).json()
    assert columns(load) == ["id", "name, first"]
    path = f"/loads/{load['id']}/reading"

    wrong = caller.send("put", path, {"separator": "no"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/separator")
    assert columns(caller.get(f"/loads/{load['id']}").json()) == columns(load)
    no_such = caller.send("put", path, {"encoding": "utf-8"})
    assert (no_such.status_code, no_such.json()["code"]) == (422, "unreadable_file")

    read = caller.send("put", path, {"separator": ",", "encoding": "cp1252"})
    assert columns(read.json()) == ["id;name", "first"]
    read = caller.send("put", path, {"separator": ";"})
    assert columns(read.json()) == ["id", "name, first"]
    caller.post(f"/loads/{load['id']}/start", {"key": "id"})
    late = caller.send("put", path, {"separator": ","})
    assert (late.status_code, late.json()["code"]) == (409, "refused")


def test_a_database_is_changed_asked_otherwise_and_scheduled(
    workspace: Workspace, settings: Any, tmp_path: Path
) -> None:
    settings.SQL_SOURCES_FILE_DIR = str(tmp_path)
    home = tmp_path / workspace.slug
    home.mkdir()
    for name, people in (("old.db", "crm"), ("new.db", "people")):
        with sqlite3.connect(home / name) as database:
            database.execute(f"CREATE TABLE {people} (id integer, town text)")
            database.execute(f"INSERT INTO {people} VALUES (1, 'Olot')")
    caller = program(workspace)
    body = {"name": "Shop", "kind": "sqlite", "file": "old.db", "table": "crm"}
    source = caller.post("/sources/database", body).json()["source_id"]

    gone = caller.send("put", f"/sources/{source}/database", {"kind": "sqlite", "file": "none.db"})
    assert (gone.status_code, gone.json()["errors"][0]["pointer"]) == (422, "/file")
    moved = caller.send("put", f"/sources/{source}/database", {"kind": "sqlite", "file": "new.db"})
    assert (moved.status_code, moved.json()["database"]) == (200, "new.db")
    draft = caller.send("put", f"/sources/{source}/query", {"statement": "SELECT id FROM people"})
    assert (draft.status_code, columns(draft.json())) == (201, ["id"])
    assert caller.post(f"/loads/{draft.json()['id']}/start", {"key": "id"}).status_code == 202

    body = {"schedule": "own", "days": [1], "times": ["07:30"], "time_zone": "Europe/Madrid"}
    timed = caller.send("put", f"/sources/{source}/schedule", body)
    assert (timed.json()["times"], timed.json()["next_run_at"] is None) == (["07:30"], False)
    told = caller.get(f"/sources/{source}/database").json()
    assert (told["statement"], told["schedule"]) == ("SELECT id FROM people", "own")
    assert "password" not in told
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"source.connection_changed", "source.query_changed", "source.scheduled"} <= actions
    assert SqlQuery.objects.get().time_zone == "Europe/Madrid"
