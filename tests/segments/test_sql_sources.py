"""SQL sources: connected, asked, loaded as a file would be, with nothing of a secret anywhere."""

import json
import logging
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core import serializers
from django_scopes import scope

from config import cipher
from segments import drafts, imports, sources, sql_loads, sql_sources
from segments.columns import Column
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table
from segments.models import Attribute, Import, Profile, Source, SqlQuery
from segments.tasks import run_import_task
from tests.conftest import wait_until
from tests.segments.databases import Postgres, Server
from tests.segments.files import counts, values
from tests.segments.test_reading_databases import GENERATED, listening, passing
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory
from workspaces.models import AuditEntry, User, Workspace

PEOPLE = Table("", "people")


@pytest.fixture
def member(workspace: Workspace) -> User:
    return MembershipFactory(workspace=workspace).user


def connected(server: Server, workspace: Workspace, member: User, **changes: Any) -> SqlQuery:
    return sql_sources.create(workspace, "Shop", server.having(**changes), by=member)


def chosen(draft: Import, by: User, **more: Any) -> Import:
    """Takes what is proposed, and queues the load."""
    with patch("segments.tasks.run_import_task.delay"):
        drafts.queue(
            draft,
            **{
                "key": "id",
                "columns": drafts.chosen_columns(draft),
                "skip_refused": False,
                "by": by,
                **more,
            },
        )
    return draft


def made(server: Server, workspace: Workspace, member: User, statement: str = "") -> SqlQuery:
    """A source that is loaded once."""
    query = connected(server, workspace, member)
    table = None if statement else PEOPLE
    load = chosen(sql_sources.ask(query, table, statement, by=member), member)
    imports.run_import(load)
    query.refresh_from_db()
    return query


def loaded(query: SqlQuery, trigger: str = "member") -> Import:
    with patch("segments.tasks.run_import_task.delay"):
        load = sql_sources.begin_load(query, trigger=trigger)
    imports.run_import(load)
    load.refresh_from_db()
    return load


def kept_files(settings: Any) -> list[Path]:
    return [path for path in Path(settings.UPLOAD_DIR).rglob("*") if path.is_file()]


def test_a_table_becomes_profiles_with_typed_attributes(
    server: Server, workspace: Workspace, member: User, settings: Any
) -> None:
    query = made(server, workspace, member)
    load = query.source.imports.get()
    assert (load.state, counts(load)) == ("succeeded", {"added": 2})
    assert values("1") == {
        "id": "1",
        "name": "Ann; 100% “x”",
        "born": "1980-01-02",
        "points": 12.5,
    }
    assert values("2") == {"id": "2"}
    assert {one.name: one.type for one in Attribute.objects.all()} == {
        "id": "text",
        "name": "text",
        "born": "date",
        "points": "number",
    }
    assert not kept_files(settings)


def test_another_load_takes_what_changed(
    server: Server, workspace: Workspace, member: User
) -> None:
    query = made(server, workspace, member)
    server.run(
        "UPDATE people SET points = 13 WHERE id = 1",
        "INSERT INTO people VALUES (3, 'Cleo', NULL, 1)",
    )
    assert counts(loaded(query)) == {"added": 1, "changed": 1, "unchanged": 1}
    assert values("1")["points"] == 13
    assert query.source.imports.count() == 2


def test_rows_that_cant_be_taken_are_refused_all_or_nothing_or_skipped(
    server: Server, workspace: Workspace, member: User
) -> None:
    text = "CASE WHEN id = 9 THEN 'many' ELSE '5' END AS amount"
    query = made(server, workspace, member, f"SELECT id, name, {text} FROM people")
    server.run("INSERT INTO people VALUES (9, 'Zoe', NULL, 1), (NULL, 'Nobody', NULL, NULL)")
    failed = loaded(query)
    assert (failed.state, failed.refused, Profile.objects.count()) == ("failed", 2, 2)
    assert "nothing was loaded" in str(failed.reason)
    assert "the query" in str(failed.reason)
    assert set(failed.refused_rows.values_list("column", "value", "reason")) == {
        ("amount", "many", "not_a_whole_number"),
        ("id", "", "no_key"),
    }
    again = chosen(
        sql_sources.ask(query, None, query.statement, by=member),
        member,
        skip_refused=True,
        columns=[Column(**one) for one in query.columns],
    )
    imports.run_import(again)
    assert counts(again) == {"unchanged": 2, "refused": 2}
    query.refresh_from_db()
    assert query.skip_refused
    assert loaded(query).state == "succeeded"


def test_no_rows_are_nothing_to_load_and_no_fault(
    server: Server, workspace: Workspace, member: User
) -> None:
    query = made(server, workspace, member)
    server.run("DELETE FROM people")
    load = loaded(query)
    assert (load.state, load.read, Profile.objects.count()) == ("succeeded", 0, 2)


def test_without_a_row_nothing_is_known_of_the_columns(
    server: Server, workspace: Workspace, member: User, settings: Any
) -> None:
    query = connected(server, workspace, member)
    with pytest.raises(DatabaseProblem, match="It gives no rows"):
        sql_sources.ask(query, None, "SELECT id FROM people WHERE id > 5", by=member)
    query.refresh_from_db()
    assert (query.statement, query.is_ready, kept_files(settings)) == ("", False, [])


def test_a_column_that_is_gone_fails_the_load_and_says_which(
    server: Server, workspace: Workspace, member: User
) -> None:
    query = made(server, workspace, member)
    server.run("ALTER TABLE people DROP COLUMN points", "ALTER TABLE people ADD extra integer")
    load = loaded(query)
    assert (load.state, values("1")["points"]) == ("failed", 12.5)
    assert "no longer gives a column “points”" in str(load.reason)


def test_columns_that_were_chosen_before_stay_chosen(
    server: Server, workspace: Workspace, member: User
) -> None:
    query = connected(server, workspace, member)
    draft = sql_sources.ask(query, PEOPLE, "", by=member)
    columns = [
        Column(**{**one.as_json(), "label": "Full name", "keep": one.column != "points"})
        if one.column in ("name", "points")
        else one
        for one in drafts.chosen_columns(draft)
    ]
    imports.run_import(chosen(draft, member, columns=columns))
    query.refresh_from_db()
    again = sql_sources.ask(query, PEOPLE, "", by=member)
    assert {one["column"]: (one["label"], one["keep"]) for one in again.columns} == {
        "id": ("id", True),
        "name": ("Full name", True),
        "born": ("born", True),
        "points": ("Full name", False),
    }
    assert again.source.imports.filter(state="draft").count() == 1
    assert sql_sources.ask(query, PEOPLE, "", by=member).source.imports.count() == 2


def test_two_sources_do_not_fill_one_attribute(
    server: Server, workspace: Workspace, member: User
) -> None:
    made(server, workspace, member)
    other = sql_sources.create(workspace, "Other", server.target, by=member)
    draft = sql_sources.ask(other, PEOPLE, "", by=member)
    with pytest.raises(sources.Refused, match="is filled by the source “Shop”"):
        chosen(draft, member)


def test_what_cant_be_reached_is_not_saved(
    server: Server, workspace: Workspace, member: User
) -> None:
    with pytest.raises(DatabaseProblem):
        connected(server, workspace, member, password="wrong")
    assert not Source.objects.exists()
    query = connected(server, workspace, member)
    with pytest.raises(DatabaseProblem):
        sql_sources.change_connection(query, server.having(database="none"), by=member)
    query.refresh_from_db()
    assert query.database == server.target.database


def test_a_password_is_kept_encrypted_and_told_to_nobody(
    server: Server,
    workspace: Workspace,
    member: User,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = server.target.password
    query = made(server, workspace, member)
    assert secret.encode() not in bytes(query.password or b"")
    assert cipher.decrypt(query.password) == secret
    server.run("DROP TABLE people")
    load = loaded(query)
    assert load.state == "failed"
    everything = serializers.serialize(
        "json", [*SqlQuery.objects.all(), *Import.objects.all(), *AuditEntry.objects.all()]
    )
    for said in (caplog.text, everything, repr(sql_loads.target_of(query))):
        assert secret not in said
        assert json.dumps(secret)[1:-1] not in said


def test_a_password_goes_to_no_server_that_it_was_not_given_for(
    server: Server, workspace: Workspace, member: User
) -> None:
    query = connected(server, workspace, member)
    for changes in ({"host": "127.0.0.1"}, {"username": "other"}, {"port": 1}):
        with pytest.raises(DatabaseProblem, match="Type the password again") as problem:
            sql_sources.change_connection(query, server.having(password="", **changes), by=member)
        assert problem.value.field == "password"
    sql_sources.change_connection(query, server.having(password=""), by=member)
    query.refresh_from_db()
    assert sql_loads.password_of(query) == server.target.password


def test_a_password_is_encrypted_anew_with_the_first_key(
    server: Server, workspace: Workspace, member: User, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    query = made(server, workspace, member)
    new, old = Fernet.generate_key().decode(), settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [new, *old]
    loaded(query)
    settings.TOKEN_ENCRYPTION_KEYS = [new]
    query.refresh_from_db()
    assert sql_loads.password_of(query) == server.target.password
    settings.TOKEN_ENCRYPTION_KEYS = old
    load = loaded(query)
    assert load.state == "failed"
    assert "can’t be read with this installation’s keys" in str(load.reason)


def test_every_change_is_on_the_audit_log_without_a_persons_data(
    server: Server, workspace: Workspace, member: User
) -> None:
    made(server, workspace, member, "SELECT id FROM people WHERE name <> 'zoe@example.com'")
    found = {one.action: one for one in AuditEntry.objects.all()}
    assert found.keys() >= {
        "source.created",
        "source.connection_changed",
        "source.query_changed",
        "source.columns_changed",
        "import.started",
        "import.finished",
    }
    assert found["source.connection_changed"].details["host"] == "localhost"
    assert found["source.query_changed"].actor == member
    assert "zoe@example.com" not in serializers.serialize("json", AuditEntry.objects.all())


def test_one_load_of_a_source_at_a_time(server: Server, workspace: Workspace, member: User) -> None:
    query = made(server, workspace, member)
    with patch("segments.tasks.run_import_task.delay"):
        first = sql_sources.begin_load(query, trigger="member")
        with pytest.raises(sql_sources.LoadActive) as refused:
            sql_sources.begin_load(query, trigger="schedule")
    assert refused.value.load == first


def test_a_source_that_is_not_finished_is_not_loaded(
    server: Server, workspace: Workspace, member: User
) -> None:
    with pytest.raises(sources.Refused, match="is not finished"):
        sql_sources.begin_load(connected(server, workspace, member), trigger="member")


def test_a_connection_that_breaks_in_the_middle_loads_nothing(
    server: Server, workspace: Workspace, member: User, settings: Any
) -> None:
    many = GENERATED[server.target.kind].format(n=500_000)
    broken = threading.Event()
    with listening(passing(server.target.port, 1_500_000, broken)) as port:
        query = sql_sources.create(
            workspace, "Shop", server.having(port=port, encryption="off"), by=member
        )
        with patch.object(sql_sources, "SAMPLE_ROWS", 100):
            load = chosen(sql_sources.ask(query, None, many, by=member), member)
        imports.run_import(load)
    load.refresh_from_db()
    assert broken.is_set()
    assert (load.state, Profile.objects.exists()) == ("failed", False)
    assert "broke off" in str(load.reason)
    assert not kept_files(settings)


def test_a_load_that_takes_too_long_is_stopped(
    server: Server, workspace: Workspace, member: User, settings: Any
) -> None:
    query = made(server, workspace, member)
    slow = "pg_sleep(600)" if server.target.kind == "postgresql" else "sleep(600)"
    SqlQuery.objects.filter(pk=query.pk).update(
        table_name="", statement=f"SELECT id, name, born, points, {slow} FROM people"
    )
    settings.SQL_SOURCES_SECONDS = 1
    load = loaded(query)
    assert load.state == "failed"
    assert "long" in str(load.reason)


def test_another_workspaces_source_is_no_ones(
    postgres: Postgres, workspace: Workspace, member: User
) -> None:
    query = made(postgres, workspace, member)
    other = WorkspaceFactory()
    run_import_task(other.pk, query.source.imports.get().pk)
    with scope(workspace=other), pytest.raises(SqlQuery.DoesNotExist):
        sql_sources.begin_load(query, trigger="member")


@pytest.mark.django_db(transaction=True)
def test_a_worker_loads_what_a_member_asked_for(
    postgres: Postgres, workspace: Workspace, worker: Any, settings: Any
) -> None:
    member = MembershipFactory(workspace=workspace).user
    settings.SQL_SOURCES_ALLOW_PRIVATE = True
    query = connected(postgres, workspace, member)
    draft = sql_sources.ask(query, PEOPLE, "", by=member)
    drafts.queue(
        draft,
        key="id",
        columns=drafts.chosen_columns(draft),
        skip_refused=False,
        by=member,
    )
    wait_until(lambda: Import.objects.get(pk=draft.pk).finished_at, what="the load")
    load = Import.objects.get(pk=draft.pk)
    # A worker's operator has not allowed private addresses.
    assert (load.state, "private network" in str(load.reason)) == ("failed", True)
