"""The audit log is only added to, and whoever changes it behind PostgreSQL's back is found out."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from config.database_roles import as_owner
from tests.workspaces.factories import UserFactory, WorkspaceFactory, signed_in
from workspaces import audit, audit_chain
from workspaces.models import AuditEntry, AuditLink, Workspace
from workspaces.tasks import forget_old_audit


def linked(count: int, workspace: Workspace) -> list[AuditEntry]:
    """Entries with their links, which a transaction's end adds."""
    entries = [audit.record(workspace, "schedule.changed", note=number) for number in range(count)]
    execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return entries


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)


def refused(sql: str) -> None:
    with transaction.atomic():
        execute(sql)


def behind_its_back(sql: str, *parameters: Any) -> None:
    """As a superuser who has switched the triggers off."""
    with as_owner(connection):
        execute("SET session_replication_role = replica")
        execute(sql, *parameters)
        execute("SET session_replication_role = origin")


def test_neither_web_nor_workers_nor_the_owner_change_what_was_written(
    workspace: Workspace,
) -> None:
    (entry,) = linked(1, workspace)
    for statement in (
        "UPDATE workspaces_auditentry SET action = 'x'",
        "DELETE FROM workspaces_auditentry",
        "UPDATE workspaces_auditlink SET digest = ''",
        "INSERT INTO workspaces_auditlink DEFAULT VALUES",
        "SELECT workspaces_add_audit_link(e) FROM workspaces_auditentry e",
        "SET LOCAL segue.forgetting_audit = 'on'; DELETE FROM workspaces_auditentry",
    ):
        with pytest.raises(DatabaseError, match="permission denied"):
            refused(statement)
    for statement in (
        "UPDATE workspaces_auditentry SET action = 'x'",
        "DELETE FROM workspaces_auditentry",
        "TRUNCATE workspaces_auditentry, workspaces_auditlink",
    ):
        with as_owner(connection), pytest.raises(DatabaseError, match="only added to"):
            refused(statement)
    entry.refresh_from_db()
    assert entry.action == "schedule.changed"
    assert audit_chain.verify(workspace).is_whole


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (
            lambda one: behind_its_back(
                "UPDATE workspaces_auditentry SET details = '{\"note\": 7}' WHERE id = %s", one.pk
            ),
            "is not what it was",
        ),
        (
            lambda one: behind_its_back("DELETE FROM workspaces_auditentry WHERE id = %s", one.pk),
            "is gone",
        ),
        (
            lambda one: behind_its_back(
                "DELETE FROM workspaces_auditlink WHERE entry_id = %s", one.pk
            ),
            "hangs on no link",
        ),
        (
            lambda one: behind_its_back(
                "WITH gone AS (DELETE FROM workspaces_auditlink WHERE entry_id = %s RETURNING *)"
                " DELETE FROM workspaces_auditentry e USING gone WHERE e.id = gone.entry_id",
                one.pk,
            ),
            "are gone",
        ),
    ],
    ids=["changed", "deleted", "unlinked", "deleted with its link"],
)
def test_an_entry_changed_or_taken_out_is_told_by_the_command(
    workspace: Workspace, tamper: Callable[[AuditEntry], None], found: str
) -> None:
    entries = linked(4, workspace)
    said = StringIO()
    call_command("verify_audit", workspace.slug, json=True, stdout=said)
    report = json.loads(said.getvalue())["workspaces"][workspace.slug]
    assert (report["ok"], report["entries"]) == (True, 4)
    tamper(entries[1])
    said = StringIO()
    with pytest.raises(CommandError, match=workspace.slug):
        call_command("verify_audit", stdout=said)
    assert found in said.getvalue()


def test_a_log_cut_off_at_its_end_has_another_head(workspace: Workspace) -> None:
    entries = linked(3, workspace)
    head = audit_chain.verify(workspace).head
    for table, column in (("auditlink", "entry_id"), ("auditentry", "id")):
        behind_its_back(f"DELETE FROM workspaces_{table} WHERE {column} = %s", entries[-1].pk)
    shortened = audit_chain.verify(workspace)
    assert (shortened.is_whole, shortened.entries) == (True, 2)
    assert shortened.head != head


def test_each_workspace_has_a_chain_of_its_own(db: None) -> None:
    for _number in range(2):
        workspace = WorkspaceFactory()
        with scope(workspace=workspace):
            linked(2, workspace)
            numbers = AuditLink.objects.order_by("number").values_list("number", flat=True)
            assert list(numbers) == [1, 2]


def test_what_is_older_than_the_workspace_keeps_goes_and_the_rest_still_hangs_together(
    workspace: Workspace,
) -> None:
    old = timezone.now() - timedelta(days=400)
    for at in (old, old, timezone.now()):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AuditEntry._meta.get_field("at"), "_get_default", lambda at=at: at)
            linked(1, workspace)
    forget_old_audit()
    assert AuditEntry.objects.count() == 3
    Workspace.objects.filter(pk=workspace.pk).update(audit_days=365)
    forget_old_audit()
    execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    assert [one.action for one in AuditEntry.objects.order_by("id")] == [
        "schedule.changed",
        "audit.forgotten",
    ]
    verdict = audit_chain.verify(workspace)
    assert (verdict.is_whole, verdict.entries) == (True, 2)
    forget_old_audit()
    assert AuditEntry.objects.count() == 2
    with pytest.raises(DatabaseError, match="audit_kept_long_enough"), transaction.atomic():
        Workspace.objects.filter(pk=workspace.pk).update(audit_days=1)


@pytest.mark.django_db(transaction=True)
def test_entries_of_several_at_once_make_one_chain() -> None:
    from concurrent.futures import ThreadPoolExecutor

    workspace = WorkspaceFactory()

    def write(number: int) -> None:
        try:
            with scope(workspace=workspace), transaction.atomic():
                audit.record(workspace, "schedule.changed", note=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as several:
        list(several.map(write, range(24)))
    with scope(workspace=workspace):
        verdict = audit_chain.verify(workspace)
        assert (verdict.is_whole, verdict.entries) == (True, 24)


def test_it_is_searched_by_word_and_day_and_downloaded_as_it_is_found(
    workspace: Workspace,
) -> None:
    ada = UserFactory(first_name="Ada")
    audit.record(workspace, "member.role_changed", actor=ada, target=ada, was="viewer")
    audit.record(workspace, "schedule.changed", time_zone="Europe/Vienna")
    client = signed_in(workspace)
    page = reverse("workspaces:audit", args=[workspace.slug])
    for search, expected in (
        ({"q": "vienna"}, ["Schedule changed"]),
        ({"q": "ada viewer"}, ["Role changed"]),
        ({"q": "100%_"}, []),
        ({"since": "2000-01-01"}, ["Schedule changed", "Role changed"]),
        ({"until": "2000-01-01"}, []),
        ({"since": "no day", "until": "9999-12-31"}, ["Schedule changed", "Role changed"]),
    ):
        found = client.get(page, search).context["entries"]
        assert [audit.name_of(one.action) for one in found] == expected, search
    answer = client.get(
        reverse("workspaces:audit_download", args=[workspace.slug]),
        {"q": "vienna", "action": "schedule.changed"},
    )
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "Europe/Vienna" in lines[1]
    assert AuditEntry.objects.filter(
        action="audit.downloaded", details={"filters": ["schedule.changed"]}
    ).exists()
    viewer = signed_in(workspace, "viewer")
    denied = viewer.get(reverse("workspaces:audit_download", args=[workspace.slug]))
    assert denied.status_code == 403


def test_a_change_of_the_settings_says_what_was_and_whence_it_came(workspace: Workspace) -> None:
    client = signed_in(workspace)
    url = reverse("workspaces:settings", args=[workspace.slug])
    values = {"name": workspace.name, "time_zone": "Europe/Rome"}
    assert client.post(url, values).status_code == 302
    entry = AuditEntry.objects.get(action="workspace.changed")
    assert entry.details["changes"] == {
        "time_zone": {"was": "Europe/Madrid", "becomes": "Europe/Rome"},
    }
    assert entry.address == "127.0.0.1"
    page = client.get(reverse("workspaces:audit", args=[workspace.slug])).content.decode()
    assert "time zone Europe/Madrid → Europe/Rome" in page
