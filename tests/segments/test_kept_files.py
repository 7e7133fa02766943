"""How long the files of imports are kept: as long as somebody may want them, and no longer."""

import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from segments import drafts, imports, kept_files, sources
from segments.models import Import, Source
from segments.tasks import clear_old_files
from tests.exports.pages import words
from tests.segments.factories import SourceFactory
from tests.segments.files import import_bytes
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

CUSTOMERS = b"id,name\n1,Ann\n2,Bob\n"
BROKEN = b"id,points\n1,5\n2,many\n"


@pytest.fixture
def source(workspace: Workspace) -> Source:
    return SourceFactory(workspace=workspace, name="Shop")


def draft(source: Source) -> Import:
    return drafts.take_file(source, "customers.csv", [CUSTOMERS])


def failed(source: Source) -> Import:
    load = import_bytes(source.workspace, BROKEN, source=source, types={"points": "number"})
    assert load.state == "failed"
    return load


def days_pass(days: int, *loads: Import) -> None:
    """For files and what is on record of them."""
    ago = timedelta(days=days)
    for load in loads or Import.objects.all():
        for name in ("created_at", "heartbeat_at", "finished_at"):
            if before := getattr(load, name):
                setattr(load, name, before - ago)
        load.save()
        if kept_files.is_there(load):
            age(Path(load.file_path), days)


def age(path: Path, days: int) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def url(name: str, load: Import) -> str:
    return reverse(f"segments:{name}", args=[load.workspace.slug, load.pk])


def test_a_draft_is_kept_for_a_week_after_it_was_last_looked_at(source: Source) -> None:
    load = draft(source)
    client = signed_in(source.workspace)
    days_pass(6)
    clear_old_files()
    assert "7 days after it was last looked at" in words(client.get(url("import_columns", load)))
    age(Path(load.file_path), 12)
    clear_old_files()
    assert kept_files.is_there(load)
    load.refresh_from_db()
    days_pass(8, load)
    clear_old_files()
    assert not kept_files.is_there(load)
    page = client.get(url("import_columns", load), follow=True)
    assert "The uploaded file is gone. Upload it again." in words(page)


def test_a_source_keeps_the_file_of_its_last_success_and_a_week_those_of_failures_since(
    source: Source,
) -> None:
    failed_before = failed(source)
    first = import_bytes(source.workspace, CUSTOMERS, source=source)
    last = import_bytes(source.workspace, CUSTOMERS, source=source)
    failed_since = failed(source)
    elsewhere = import_bytes(source.workspace, b"number,city\n1,Rome\n", key="number")
    days_pass(3)
    clear_old_files()
    everyone = (failed_before, first, last, failed_since, elsewhere)
    assert [kept_files.is_there(one) for one in everyone] == [False, False, True, True, True]
    days_pass(30)
    clear_old_files()
    assert [kept_files.is_there(one) for one in everyone] == [False, False, True, False, True]
    source.workspace.files_days = 30
    source.workspace.save()
    clear_old_files()
    assert not any(kept_files.is_there(one) for one in everyone)


def test_the_pages_say_how_long_and_offer_what_can_be_done(source: Source) -> None:
    client = signed_in(source.workspace)
    broken, load = failed(source), import_bytes(source.workspace, CUSTOMERS, source=source)
    about = reverse("segments:source_detail", args=[source.workspace.slug, source.pk])
    assert "file of the last import that succeeded is kept" in words(client.get(about))
    page = words(client.get(url("import_detail", load)))
    assert "Import again" in page
    assert "until a later import of this source succeeds" in page
    again = client.post(url("import_again", load))
    assert "Choose columns" in words(client.get(again["Location"]))
    assert "kept for 7 days, or until" in words(client.get(url("import_detail", broken)))
    days_pass(2)
    clear_old_files()
    page = words(client.get(url("import_detail", broken)))
    assert "The file is no longer kept." in page
    assert "Import again" not in page
    assert "Upload it again" in page


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_a_worker_is_at_is_never_touched(source: Source, state: str) -> None:
    load = draft(source)
    import_bytes(source.workspace, CUSTOMERS, source=source)
    Import.objects.filter(pk=load.pk).update(state=state)
    load.refresh_from_db()
    days_pass(100, load)
    clear_old_files()
    assert kept_files.is_there(load)


def test_what_a_killed_process_left_goes_after_a_day_and_nothing_else(source: Source) -> None:
    load = draft(source)
    left, young = (kept_files.new_path(source.workspace_id) for _ in range(2))
    other = left.with_name("notes.txt")
    for path in (left, young, other):
        path.write_bytes(CUSTOMERS)
    age(left, 2)
    age(other, 2)
    assert kept_files.clear() == 1
    assert not left.exists()
    assert young.exists()
    assert other.exists()
    assert kept_files.is_there(load)


def test_a_draft_whose_file_has_just_gone_is_not_started(source: Source, client: Client) -> None:
    load = draft(source)
    Path(load.file_path).unlink()
    with pytest.raises(sources.Refused, match="Upload it again"):
        drafts.prepare(
            load, key="id", columns=drafts.chosen_columns(load), skip_refused=False, by=None
        )
    load.refresh_from_db()
    assert load.state == "draft"


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_import_is_being_started_is_left_alone(source: Source, settings: Any) -> None:
    load = draft(source)
    days_pass(20)
    cleared: list[int] = []

    def clear() -> None:
        try:
            cleared.append(kept_files.clear())
        finally:
            connection.close()

    with scope(workspace=source.workspace):
        with transaction.atomic():
            drafts.prepare(
                load, key="id", columns=drafts.chosen_columns(load), skip_refused=False, by=None
            )
            other = threading.Thread(target=clear)
            other.start()
            other.join(20)
        assert cleared == [0]
        imports.run_import(load)
    load.refresh_from_db()
    assert load.state == "succeeded"
    assert timezone.now() - load.finished_at < timedelta(minutes=1)


def test_a_file_stays_when_what_removed_it_is_taken_back(
    source: Source, django_capture_on_commit_callbacks: Any
) -> None:
    load = draft(source)
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        sources.remove_source(source, by=None)
        transaction.set_rollback(True)
    assert kept_files.is_there(load)
    with django_capture_on_commit_callbacks(execute=True):
        sources.remove_source(Source.objects.get(), by=None)
    assert not kept_files.is_there(load)
