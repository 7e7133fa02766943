"""The second wall: PostgreSQL itself keeps workspaces apart, whatever the code forgets."""

import threading
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django_scopes import scope, scopes_disabled

from config.row_security import across_workspaces
from tests.segments.factories import ProfileFactory
from tests.workspaces.factories import MembershipFactory, UserFactory, WorkspaceFactory
from workspaces.models import Membership
from workspaces.selectors import workspaces_of
from workspaces.tenancy import BulkTenantModel, TenantModel

TENANT_TABLES = sorted(
    model._meta.db_table
    for model in apps.get_models()
    if issubclass(model, TenantModel | BulkTenantModel)
)
# What schedulers, sweepers and signing in look at before they know the workspace.
SEEN_ACROSS = {
    "api_token",
    "exports_destination",
    "exports_run",
    "segments_attributechange",
    "segments_erasure",
    "segments_import",
    "segments_segment",
    "segments_sqlquery",
    "segments_upload",
    "workspaces_archive",
    "workspaces_captureddomain",
    "workspaces_endpointdelivery",
    "workspaces_invitation",
    "workspaces_membership",
    "workspaces_notice",
    "workspaces_refresh",
    "workspaces_refreshstep",
    "workspaces_schedule",
}


def rows(sql: str, parameters: Any = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def profiles() -> list[int]:
    return [workspace for (workspace,) in rows("SELECT workspace_id FROM segments_profile")]


def test_every_tenant_table_is_walled_and_its_owner_held_to_it_too(db: None) -> None:
    walled = {
        table
        for (table,) in rows(
            "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid"
            " WHERE relrowsecurity AND relforcerowsecurity AND polname = 'one_workspace'"
            " AND polcmd = '*' AND polwithcheck IS NOT NULL"
        )
    }
    assert walled == set(TENANT_TABLES)
    others = rows("SELECT tablename, cmd FROM pg_policies WHERE policyname <> 'one_workspace'")
    assert set(others) == {(table, "SELECT") for table in SEEN_ACROSS}


def test_web_and_workers_own_nothing_and_are_spared_by_no_policy(db: None) -> None:
    (role,) = rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    assert role == ("segue_work", False, False)
    assert rows("SELECT relname FROM pg_class WHERE relowner = current_user::regrole") == []
    for statement in ("TRUNCATE segments_profile", "DELETE FROM django_migrations"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            rows(statement)


def test_with_the_first_wall_away_the_second_shows_one_workspace_and_takes_no_other(
    db: None,
) -> None:
    mine, theirs = WorkspaceFactory(), WorkspaceFactory()
    ProfileFactory(workspace=mine)
    other = ProfileFactory(workspace=theirs)
    with scope(workspace=mine), scopes_disabled():
        assert profiles() == [mine.pk]
        kept = type(other).objects.filter(workspace=theirs)
        assert list(kept) == []
        assert kept.update(key="taken") == 0
        assert kept.delete()[0] == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            type(other).objects.create(workspace=theirs, key="planted", attributes={})
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            rows("UPDATE segments_profile SET workspace_id = %s RETURNING id", [theirs.pk])
    with scope(workspace=theirs):
        assert [one.key for one in type(other).objects.all()] == [other.key]


def test_with_every_filter_forgotten_no_table_shows_anything(db: None) -> None:
    member = MembershipFactory()
    ProfileFactory(workspace=member.workspace)
    with scopes_disabled():
        for table in TENANT_TABLES:
            assert rows(f"SELECT * FROM {table}") == [], table
        assert not Membership.objects.exists()


def test_across_workspaces_some_tables_are_seen_and_none_is_changed(db: None) -> None:
    person = UserFactory()
    members = [MembershipFactory(user=person), MembershipFactory(user=person)]
    ProfileFactory(workspace=members[0].workspace)
    with scope(workspace=members[0].workspace):
        assert len(workspaces_of(person)) == 2
        assert list(Membership.objects.all()) == [members[0]]
    with across_workspaces():
        assert Membership.objects.filter(user=person).count() == 2
        assert profiles() == []
        assert Membership.objects.update(role="viewer") == 0
        assert Membership.objects.all().delete()[0] == 0
        assert not Membership.objects.select_for_update().exists()
        with scope(workspace=members[1].workspace), scopes_disabled():
            assert list(Membership.objects.all()) == [members[1]]


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_scope_is_left_on_the_connection_for_whoever_comes_next() -> None:
    mine = ProfileFactory().workspace
    shown = "SELECT current_setting('segue.workspace_id', true)"
    with scope(workspace=mine):
        assert profiles() == [mine.pk]
        with transaction.atomic():
            assert profiles() == [mine.pk]
    assert rows(shown) in ([("",)], [(None,)])
    assert profiles() == []
    with scope(workspace=mine), transaction.atomic():
        assert profiles() == [mine.pk]
        transaction.set_rollback(True)
    assert profiles() == []
    with transaction.atomic():
        with scope(workspace=mine):
            assert profiles() == [mine.pk]
        assert profiles() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_rows_read_bit_by_bit_are_those_of_the_scope_that_asked_for_them(
    in_transaction: bool,
) -> None:
    mine, theirs = WorkspaceFactory(), WorkspaceFactory()
    for workspace in (mine, theirs):
        ProfileFactory.create_batch(5, workspace=workspace)
    around: Any = transaction.atomic if in_transaction else threading.Lock
    with around(), scope(workspace=mine):
        queryset = ProfileFactory._meta.model.objects.order_by("pk")
        read = queryset.iterator(chunk_size=2)
        found = [next(read).workspace_id]
        with scope(workspace=theirs):
            assert set(profiles()) == {theirs.pk}
            found += [one.workspace_id for one in read]
    assert found == [mine.pk] * 5


def test_a_failed_statement_can_be_rolled_back_inside_a_scope(db: None) -> None:
    mine = ProfileFactory().workspace
    with scope(workspace=mine):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows("SELECT 1 / 0")
        assert profiles() == [mine.pk]


def test_each_thread_tells_the_scope_of_its_own(db: None) -> None:
    mine = ProfileFactory().workspace
    told: list[str] = []

    def elsewhere() -> None:
        from config import row_security

        told.append(row_security._in_scope())

    with scope(workspace=mine):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert told == [""]
