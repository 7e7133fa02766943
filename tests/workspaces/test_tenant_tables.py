"""Every table with a workspace: its keys, its indexes and its references lead with it."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django_scopes import ScopeError, scope

from tests.workspaces.factories import MembershipFactory, WorkspaceFactory
from workspaces.models import AuditEntry, Invitation, Membership
from workspaces.tenancy import BulkTenantModel, TenantModel

INDEXES = """
SELECT table_.relname, index_.relname, first_column.attname
FROM pg_index
JOIN pg_class AS table_ ON table_.oid = indrelid
JOIN pg_class AS index_ ON index_.oid = indexrelid
JOIN pg_attribute AS first_column
    ON first_column.attrelid = indrelid AND first_column.attnum = indkey[0]
WHERE table_.relnamespace = 'public'::regnamespace
  AND EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = indrelid AND attname = 'workspace_id' AND NOT attisdropped
  )
"""

REFERENCES = """
SELECT table_.relname, conname, (
    SELECT array_agg(attname ORDER BY ordinality)
    FROM unnest(conkey) WITH ORDINALITY AS key (number, ordinality)
    JOIN pg_attribute ON attrelid = conrelid AND attnum = key.number
)
FROM pg_constraint
JOIN pg_class AS table_ ON table_.oid = conrelid
JOIN pg_class AS target ON target.oid = confrelid
WHERE contype = 'f'
  AND table_.relnamespace = 'public'::regnamespace
  AND target.relname <> 'workspaces_workspace'
  AND EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = confrelid AND attname = 'workspace_id' AND NOT attisdropped
  )
"""

# The one question asked across workspaces: which ones a person belongs to.
ACROSS = {("workspaces_membership", "user_id")}


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_every_index_leads_with_the_workspace(db: None) -> None:
    found = rows(INDEXES)
    assert len(found) > 10
    wrong = [
        f"{table}.{index}"
        for table, index, column in found
        if column != "workspace_id" and (table, column) not in ACROSS
    ]
    assert wrong == []


def test_every_reference_between_tenant_tables_compares_the_workspace_too(db: None) -> None:
    wrong = [
        f"{table}.{name}"
        for table, name, columns in rows(REFERENCES)
        if columns[0] != "workspace_id"
    ]
    assert wrong == []


def test_every_model_with_a_workspace_is_a_tenant_model() -> None:
    with_workspace = [
        model
        for model in apps.get_models()
        if any(field.name == "workspace" for field in model._meta.get_fields())
    ]
    assert with_workspace
    for model in with_workspace:
        assert issubclass(model, TenantModel | BulkTenantModel), model


def test_a_query_without_a_workspace_in_scope_raises() -> None:
    for model in apps.get_models():
        if issubclass(model, TenantModel | BulkTenantModel):
            with pytest.raises(ScopeError):
                model.objects.all()


def test_the_database_refuses_a_reference_into_another_workspace(db: None) -> None:
    mine, theirs = WorkspaceFactory(), WorkspaceFactory()
    member = MembershipFactory(workspace=theirs)
    invitation = Invitation(
        workspace=mine, email="a@example.org", role="viewer", expires_at=member.created_at
    )
    invitation.membership_id = member.pk
    with scope(workspace=mine), connection.cursor() as cursor:
        invitation.save()
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        invitation.delete()


def test_a_scope_shows_the_rows_of_its_workspace_only(db: None) -> None:
    mine, theirs = MembershipFactory(), MembershipFactory()
    with scope(workspace=mine.workspace):
        assert list(Membership.objects.all()) == [mine]
        assert not Membership.objects.filter(pk=theirs.pk).exists()
        assert not AuditEntry.objects.exists()
