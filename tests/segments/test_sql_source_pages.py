"""SQL sources in pages: connected, asked, gone over, loaded; every fault told where it is."""

from datetime import time
from threading import BoundedSemaphore, Event
from time import monotonic
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from segments import imports, sql_loads, sql_sources
from segments.databases import bounded, rows
from segments.databases.target import Table
from segments.models import Import, Source, SqlQuery
from tests.exports.pages import words
from tests.segments.databases import Server
from tests.segments.factories import SourceFactory, SqlQueryFactory
from tests.segments.pages import url
from tests.segments.test_sql_sources import made
from workspaces.models import Workspace


def entered(server: Server, **changes: Any) -> dict[str, Any]:
    target = server.target
    return {
        "name": "Shop",
        "kind": target.kind,
        "host": target.host,
        "port": target.port,
        "database": target.database,
        "username": target.username,
        "password": target.password,
        "encryption": target.encryption,
    } | changes


def test_a_database_becomes_a_source_step_by_step(
    server: Server, workspace: Workspace, client: Client
) -> None:
    answer = client.post(url("source_add_database", workspace), entered(server))
    source = Source.objects.get()
    assert answer["Location"] == url("source_query", workspace, source.pk)
    page = client.get(answer["Location"])
    assert '<option value="people">' in page.content.decode()

    asked = {"what": "table", "table": "people", "statement": ""}
    shown = client.post(url("source_query_preview", workspace, source.pk), asked)
    assert "Ann; 100% “x”" in words(shown)
    assert "The first 2 rows" in words(shown)
    answer = client.post(url("source_query", workspace, source.pk), asked)
    draft = Import.objects.get()
    assert answer["Location"] == url("import_columns", workspace, draft.pk)
    page = client.get(answer["Location"])
    assert "Save and load" in words(page)
    assert 'value="id" checked' in page.content.decode()

    columns = {f"keep-{place}": "on" for place in range(4)}
    columns |= {
        f"label-{place}": name for place, name in enumerate(["id", "name", "born", "points"])
    }
    with patch("segments.tasks.run_import_task.delay"):
        answer = client.post(answer["Location"], {"key": "id", **columns})
    assert answer["Location"] == url("import_detail", workspace, draft.pk)
    imports.run_import(draft)
    assert "Succeeded" in words(client.get(answer["Location"]))

    page = words(client.get(url("source_detail", workspace, source.pk)))
    assert "Load now" in page
    assert f"reader @ localhost:{server.target.port} / {server.target.database}" in page
    with patch("segments.tasks.run_import_task.delay"):
        answer = client.post(url("source_load", workspace, source.pk))
        second = Import.objects.exclude(pk=draft.pk).get()
        assert answer["Location"] == url("import_detail", workspace, second.pk)
        # Asked for twice, it is loaded once.
        assert (
            client.post(url("source_load", workspace, source.pk))["Location"]
            == (answer["Location"])
        )
    assert "Queued" in words(client.get(answer["Location"]))
    assert "See the load" in words(client.get(url("source_detail", workspace, source.pk)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "does not accept this user name and password"),
        ({"database": "none"}, "There is no database “none”"),
        ({"host": "no-such-host.invalid"}, "There is no host called"),
        ({"host": ""}, "This field is required."),
        ({"host": "a.example,b.example"}, "the host alone"),
        ({"host": "/var/run/postgresql"}, "the host alone"),
        ({"port": "99999999"}, "less than or equal to 65535"),
        ({"kind": "oracle"}, "Select a valid choice"),
        ({"kind": "sqlite"}, "Select a valid choice"),
        ({"name": ""}, "This field is required."),
        ({"name": "taken"}, "Another source has this name."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_saved(
    server: Server, workspace: Workspace, client: Client, changes: dict[str, Any], said: str
) -> None:
    SourceFactory(workspace=workspace, name="Taken")
    page = client.post(url("source_add_database", workspace), entered(server, **changes))
    assert page.status_code == 422
    assert said in words(page)
    assert server.target.password not in page.content.decode()
    assert not SqlQuery.objects.exists()


def test_a_private_address_is_refused(
    server: Server, workspace: Workspace, client: Client, settings: Any
) -> None:
    settings.SQL_SOURCES_ALLOW_PRIVATE = False
    page = client.post(url("source_add_database", workspace), entered(server))
    assert "inside a private network" in words(page)
    assert not Source.objects.exists()


def test_files_are_offered_where_the_operator_names_a_folder(
    file: Any, workspace: Workspace, client: Client
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(slug="shop")
    workspace.refresh_from_db()
    form = {"name": "Shop", "kind": file.kind, "file": "people.db"}
    page = client.post(url("source_add_database", workspace), form | {"file": "../x.db"})
    assert "There is no file “../x.db”" in words(page)
    assert client.post(url("source_add_database", workspace), form).status_code == 302
    source = Source.objects.get()
    asked = {"what": "query", "statement": "SELECT id, name FROM people", "table": ""}
    answer = client.post(url("source_query", workspace, source.pk), asked)
    assert "Ann" in words(client.get(answer["Location"]))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"what": "table", "table": ""}, "Choose a table."),
        ({"what": "table", "table": "secrets"}, "There is no table “secrets”"),
        ({"what": "query", "statement": " "}, "Type a query."),
        ({"what": "query", "statement": "DROP TABLE people"}, "Only queries that read"),
        ({"what": "query", "statement": "SELECT 1 AS a; DROP TABLE people"}, "Only one query"),
        ({"what": "query", "statement": "SELECT nope FROM people"}, "nope"),
        ({"what": "query", "statement": "SELECT id FROM people WHERE id > 9"}, "no rows"),
    ],
)
def test_what_cant_be_asked_is_said_on_the_page_and_in_the_preview(
    server: Server, workspace: Workspace, client: Client, asked: dict[str, str], said: str
) -> None:
    client.post(url("source_add_database", workspace), entered(server))
    source = Source.objects.get()
    page = client.post(url("source_query", workspace, source.pk), asked)
    assert page.status_code == 422
    assert said in words(page)
    assert said in words(client.post(url("source_query_preview", workspace, source.pk), asked))
    assert not Import.objects.exists()


def test_a_password_is_never_shown_and_left_as_it_is_when_nothing_is_typed(
    server: Server, workspace: Workspace, client: Client
) -> None:
    client.post(url("source_add_database", workspace), entered(server))
    query = SqlQuery.objects.get()
    where = url("source_connection", workspace, query.source_id)
    for name in ("source_connection", "source_query", "source_detail"):
        page = client.get(url(name, workspace, query.source_id)).content.decode()
        assert "s3cr3t" not in page
    answer = client.post(where, entered(server, password=""))
    assert answer.status_code == 302
    assert sql_loads.password_of(query) == server.target.password
    page = client.post(where, entered(server, password="", host="127.0.0.1"))
    assert "Type the password again" in words(page)


def test_a_database_that_went_away_is_told_with_the_way_to_its_connection(
    workspace: Workspace, client: Client
) -> None:
    query = SqlQueryFactory(source__workspace=workspace)
    page = client.get(url("source_query", workspace, query.source_id))
    assert "inside a private network" in words(page)
    assert url("source_connection", workspace, query.source_id) in page.content.decode()


def test_a_source_that_is_not_finished_says_so_and_is_not_loaded(
    workspace: Workspace, client: Client
) -> None:
    query = SqlQueryFactory(source__workspace=workspace)
    page = client.get(url("source_detail", workspace, query.source_id))
    assert "This source is not finished" in words(page)
    assert "Load now" not in words(page)
    client.post(url("source_load", workspace, query.source_id))
    assert not Import.objects.exists()


def test_a_source_of_files_has_no_database_and_one_of_a_database_no_files(
    workspace: Workspace, client: Client
) -> None:
    source = SourceFactory(workspace=workspace)
    for name in ("source_connection", "source_query", "source_schedule"):
        assert client.get(url(name, workspace, source.pk)).status_code == 404
    query = SqlQueryFactory(source__workspace=workspace)
    assert client.get(url("source_upload", workspace, query.source_id)).status_code == 302


def test_a_failed_load_is_gone_over_again_with_what_was_chosen(
    server: Server, workspace: Workspace, client: Client
) -> None:
    query = made(server, workspace, client.member.user)  # type: ignore[attr-defined]
    server.run("INSERT INTO people VALUES (NULL, 'Nobody', NULL, NULL)")
    with patch("segments.tasks.run_import_task.delay"):
        client.post(url("source_load", workspace, query.source_id))
    load = Import.objects.get(state="queued")
    imports.run_import(load)
    assert "Choose columns again" in words(client.get(url("import_detail", workspace, load.pk)))
    answer = client.post(url("import_again", workspace, load.pk))
    draft = Import.objects.get(state="draft")
    assert answer["Location"] == url("import_columns", workspace, draft.pk)
    assert "Nobody" in words(client.get(answer["Location"]))


def test_a_source_gets_a_schedule_of_its_own(workspace: Workspace, client: Client) -> None:
    query = SqlQueryFactory(source__workspace=workspace, columns=[{"column": "id", "keep": True}])
    where = url("source_schedule", workspace, query.source_id)
    assert "With every refresh of the workspace" in words(client.get(where))
    form = {"schedule": "own", "days": ["1"], "times": ["07:30"], "time_zone": "Europe/Madrid"}
    assert client.post(where, form | {"times": []}).status_code == 422
    assert client.post(where, form).status_code == 302
    query.refresh_from_db()
    assert (query.schedule, query.days, query.times) == ("own", [1], [time(7, 30)])
    assert query.next_run_at is not None
    page = words(client.get(url("source_detail", workspace, query.source_id)))
    assert "On its own schedule" in page


def test_removing_the_source_removes_its_connection(workspace: Workspace, client: Client) -> None:
    query = SqlQueryFactory(source__workspace=workspace)
    client.post(url("source_remove", workspace, query.source_id))
    assert not SqlQuery.objects.exists()


def test_the_schema_of_a_table_is_kept(workspace: Workspace) -> None:
    query = SqlQueryFactory(source__workspace=workspace, table_schema="crm", table_name="people")
    assert query.table == Table("crm", "people")
    assert query.table.label == "crm.people"


def test_a_driver_that_never_answers_is_not_waited_for(
    server: Server, workspace: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, free = Event(), BoundedSemaphore(1)
    monkeypatch.setattr(rows, "reach", lambda target, seconds: ended.wait(60))
    monkeypatch.setattr(sql_sources, "TEST_SECONDS", 0.1)
    monkeypatch.setattr(bounded, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(bounded, "_free", free)
    began = monotonic()
    answer = client.post(url("source_add_database", workspace), entered(server))
    assert answer.status_code == 422
    assert "gave no answer within" in words(answer)
    answer = client.post(url("source_add_database", workspace), entered(server))
    assert "Too many databases are being waited for" in words(answer)
    assert monotonic() - began < 10
    assert not Source.objects.exists()
    ended.set()
    assert free.acquire(timeout=10)
