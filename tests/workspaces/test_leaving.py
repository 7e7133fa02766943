"""A workspace is taken along whole, and deleted whole: neither leaves anything out."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from celery.exceptions import Ignore
from django.core import mail
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from api import tokens
from config.database_roles import as_owner
from exports import runs
from exports.models import Run
from segments import kept_files
from segments.tasks import refresh_segment_task
from tests.connections.walk import prove
from tests.exports.factories import DestinationFactory, RunFactory
from tests.exports.pages import words
from tests.workspaces.factories import (
    MembershipFactory,
    UserFactory,
    WorkspaceFactory,
    grown_stale,
    sign_in,
    signed_in,
)
from tests.workspaces.filled import SECRET, fill
from workspaces import cached, due, services
from workspaces.leaving import archives, closing, deletion
from workspaces.models import (
    Archive,
    AuditEntry,
    DeletedWorkspace,
    Schedule,
    User,
    Workspace,
)
from workspaces.tasks import run_refresh

# Every table of whatever app, by the database's own word.
TABLES = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'workspace_id' ORDER BY table_name
"""


def counts(workspace_id: int) -> dict[str, int]:
    with scope(workspace=workspace_id), connection.cursor() as cursor:
        cursor.execute(TABLES)
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE workspace_id = {workspace_id}")
            found[table] = cursor.fetchone()[0]
        return found


def full() -> tuple[Workspace, User]:
    """A workspace with rows everywhere, files, and keys in Redis."""
    member = MembershipFactory()
    rows = fill(member.workspace, member.user)
    assert rows
    with scope(workspace=member.workspace):
        path = kept_files.new_path(member.workspace_id)
        path.write_bytes(b"id,name\n")
        load = next(row for model, row in rows.items() if model._meta.model_name == "import")
        load.file_path, load.file_name = str(path), "../customers.csv"
        load.save()
    cache.set(cached.key(member.workspace_id, "lists", 1), ["Newsletter"])
    return member.workspace, member.user


def days_pass(workspace: Workspace) -> None:
    """As nobody but the tables' owner could make them."""
    with as_owner(connection), scope(workspace=workspace):
        Workspace.objects.filter(pk=workspace.pk).update(delete_at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_deleted_workspace_leaves_no_row_no_file_and_no_key(
    own_redis: redis.Redis, settings: Any
) -> None:
    (mine, person), (theirs, _other) = full(), full()
    before = counts(theirs.pk)
    assert {table for table, count in counts(mine.pk).items() if not count} == set()
    with scope(workspace=mine):
        closing.ask(mine, by=person)
        log = AuditEntry.objects.count()
    deletion.delete(mine.pk)
    assert Workspace.objects.filter(pk=mine.pk).exists(), "the days of grace are not over"
    days_pass(mine)

    deletion.delete(mine.pk)

    assert {table for table, count in counts(mine.pk).items() if count} == set()
    assert not Workspace.objects.filter(pk=mine.pk).exists()
    assert not (Path(settings.UPLOAD_DIR) / str(mine.pk)).exists()
    assert own_redis.keys(f"*w:{mine.pk}:*") == []
    assert counts(theirs.pk) == before
    assert (Path(settings.UPLOAD_DIR) / str(theirs.pk)).exists()
    assert cache.get(cached.key(theirs.pk, "lists", 1)) == ["Newsletter"]
    left = DeletedWorkspace.objects.get(number=mine.pk)
    assert left.rows > 30
    assert (left.files, left.audit_entries, len(left.audit_head)) == (1, log, 64)
    assert User.objects.filter(pk=person.pk).exists(), "an account is its person's"

    # What a worker still had in its hands is gone an hour later.
    late = Path(settings.UPLOAD_DIR) / str(mine.pk)
    late.mkdir()
    DeletedWorkspace.objects.update(deleted_at=timezone.now() - timedelta(hours=2))
    deletion.delete(mine.pk)
    assert not late.exists()
    assert DeletedWorkspace.objects.get(number=mine.pk).swept_at
    with pytest.raises(Ignore):
        run_refresh(mine.pk, 1)


@pytest.mark.django_db(transaction=True)
def test_an_archive_holds_every_table_and_no_secret(own_redis: redis.Redis) -> None:
    mine, person = full()
    theirs, _other = full()
    with scope(workspace=mine):
        Archive.objects.all().delete()
        archive = archives.ask(mine, by=person)
        archives.make(mine, archive.pk)
        archive.refresh_from_db()
    client = sign_in(Client(), person)
    prove(client)
    url = reverse("workspaces:archive_download", args=[mine.slug, archive.pk])
    answer = client.get(url)
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{mine.slug}-')
    assert "no-store" in answer["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as file:
        assert file.testzip() is None
        about = json.loads(file.read("workspace.json"))
        texts = {name: file.read(name).decode() for name in file.namelist()}
    empty = {name for name, count in about["rows"].items() if not count}
    assert empty == set()
    assert len(about["rows"]) == len(counts(mine.pk)) + 1
    for name, text in texts.items():
        assert SECRET not in text, name
        if name.endswith(".jsonl"):
            lines = [json.loads(line) for line in text.splitlines()]
            assert len(lines) == about["rows"][name.removesuffix(".jsonl")]
            assert all(line.get("workspace_id", mine.pk) == mine.pk for line in lines)
    assert about["files"] == [name for name in texts if name.startswith("files/")]
    assert about["files"][0].endswith("-customers.csv")
    assert ".." not in about["files"][0]
    assert person.email in texts["people.jsonl"]
    with scope(workspace=mine):
        assert AuditEntry.objects.filter(action="workspace.archive_downloaded").count() == 1
    assert theirs.name not in texts["workspace.json"]

    with scope(workspace=mine):
        Archive.objects.update(expires_at=timezone.now())
        place = archives.path_of(archive)
    archives.look_after(timezone.now())
    assert not place.exists()
    assert client.get(url).status_code == 404


def test_who_asks_for_an_archive_has_just_proved_who_they_are_and_is_told_when_it_is_ready(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = reverse("workspaces:archive", args=[workspace.slug])
    assert signed_in(workspace, "contributor").post(url).status_code == 403
    client = signed_in(workspace)
    prove(client)
    client.post(url)
    assert "is being made already" in words(client.post(url, follow=True))
    archive = Archive.objects.get()
    assert client.get(f"{url}{archive.pk}/").status_code == 404
    page = client.get(url, headers={"HX-Target": "archives"}).content.decode()
    assert page.strip().startswith('<div id="archives" data-moves')
    archives.make(workspace, archive.pk)
    assert "data-moves" not in client.get(url, headers={"HX-Target": "archives"}).content.decode()
    assert "The archive of this workspace is ready" in words(
        client.get(reverse("workspaces:notices", args=[workspace.slug]))
    )
    stale = grown_stale(sign_in(Client(), client.member.user))
    for page in (url, f"{url}{archive.pk}/"):
        answer = stale.get(page)
        assert "reauthenticate" in answer["Location"], page
    assert Archive.objects.count() == 1


def test_a_disk_that_is_full_fails_an_archive_with_what_to_do(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    archive = archives.ask(workspace, by=UserFactory())
    monkeypatch.setattr(archives, "_write", full_disk)
    archives.make(workspace, archive.pk)
    archive.refresh_from_db()
    assert archive.state == "failed"
    assert "No space left on device. Tell your operator." in str(archive.reason)


def test_a_workspace_is_deleted_by_its_name_only_and_all_stops_at_once(
    workspace: Workspace, django_capture_on_commit_callbacks: Any
) -> None:
    client = signed_in(workspace)
    prove(client)
    viewer = signed_in(workspace, "viewer")
    url = reverse("workspaces:deletion_ask", args=[workspace.slug])
    run = RunFactory(
        destination=DestinationFactory(workspace=workspace), state="sending", finished_at=None
    )
    Schedule.objects.create(
        workspace=workspace, enabled=True, next_run_at=timezone.now(), times=[], days=[]
    )
    token = tokens.create(
        workspace, name="shop", role="viewer", scopes=["read"], expires_at=None, by=run.started_by
    )
    assert viewer.get(url).status_code == 403
    assert "This is not its name" in client.post(url, {"name": "Other"}).content.decode()
    assert not Workspace.objects.get(pk=workspace.pk).is_closing
    client.post(url, {"name": workspace.name})
    current = Workspace.objects.get(pk=workspace.pk)
    assert current.is_closing
    entry = AuditEntry.objects.get(action="workspace.deletion_asked")
    assert entry.actor == client.member.user

    assert Run.objects.get(pk=run.pk).cancel_requested_at
    with pytest.raises(runs.RunRefused, match="is to be deleted"):
        runs.start_run(run.destination, trigger=Run.Trigger.MEMBER)
    with pytest.raises(services.RefreshActive, match="is to be deleted"):
        services.start_refresh(workspace, trigger="member")
    due.start_due()
    assert Schedule.objects.get().next_run_at <= timezone.now(), "it did not start"
    for task in (run_refresh, refresh_segment_task):
        with pytest.raises(Ignore):
            task(workspace.pk, 1)
    answer = Client().get("/api/v1/token", headers={"Authorization": f"Bearer {token.text}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "workspace_closing")
    for page in ("workspaces:home", "segments:segment_list", "workspaces:settings"):
        answer = viewer.get(reverse(page, args=[workspace.slug]), follow=True)
        assert "This workspace is to be deleted" in words(answer)
        assert "Until then an Administrator can take that back" in words(answer)
    take_back = reverse("workspaces:deletion_take_back", args=[workspace.slug])
    assert viewer.post(take_back).status_code == 403

    client.post(take_back)
    assert not Workspace.objects.get(pk=workspace.pk).is_closing
    assert AuditEntry.objects.filter(action="workspace.deletion_taken_back").count() == 1
    assert viewer.get(workspace.get_absolute_url()).status_code == 200
    from workspaces.notices import emails

    emails.send_due()
    told = [message.subject for message in mail.outbox if message.to == [viewer.member.user.email]]
    assert any("taken back" in subject for subject in told)


def test_nobody_but_the_owner_of_the_tables_brings_the_day_forward_or_deletes_a_log_before(
    workspace: Workspace,
) -> None:
    soon = timezone.now() + timedelta(days=6)
    with pytest.raises(DatabaseError, match="seven days after"), transaction.atomic():
        Workspace.objects.filter(pk=workspace.pk).update(delete_at=soon)
    for sql in ("SELECT workspaces_delete_audit(%s)", "DELETE FROM workspaces_auditentry"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [workspace.pk] if "%s" in sql else [])
    elsewhere = WorkspaceFactory()
    assert Workspace.objects.filter(pk=elsewhere.pk, delete_at=None).exists()
