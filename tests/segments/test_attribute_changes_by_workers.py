"""Changes of attributes by real workers: they wait for imports, imports for them, none is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from segments import attribute_changes, drafts, profile_merge, sources
from segments.models import Attribute, AttributeChange, Import, Profile
from segments.tasks import change_attribute_task, sweep
from tests.another_session import held_elsewhere
from tests.conftest import wait_until
from tests.segments.files import import_bytes, values
from tests.workspaces.factories import signed_in
from workspaces import locks
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def ask(workspace: Workspace, type_: str) -> AttributeChange:
    attribute = Attribute.objects.get(name="points")
    at = reverse("segments:attribute_type", args=[workspace.slug, attribute.pk])
    assert signed_in(workspace).post(at, {"type": type_}).status_code == 302
    return AttributeChange.objects.latest("pk")


def ended(change: AttributeChange) -> bool:
    change.refresh_from_db()
    return not change.is_unfinished


@contextmanager
def merged_elsewhere(workspace: Workspace) -> Iterator[None]:
    """Another session merges profiles of the workspace inside the block."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(profile_merge.HOLD_ALONE, [workspace.pk])
            yield
            cursor.execute(profile_merge.END_ALONE, [workspace.pk])
    finally:
        other.close()


def test_a_worker_converts_every_value(worker: Any, workspace: Workspace) -> None:
    rows = "".join(f"{number},{number}\n" for number in range(20_000))
    import_bytes(workspace, f"id,points\n{rows}".encode(), types={"points": "text"})
    change = ask(workspace, "integer")
    wait_until(lambda: ended(change), 60, "the change")
    assert (change.state, change.changed) == ("succeeded", 20_000)
    assert values("777")["points"] == 777
    at = reverse("segments:attribute_remove", args=[workspace.slug, change.attribute_id])
    signed_in(workspace).post(at)
    wait_until(lambda: not Attribute.objects.filter(name="points").exists(), 60, "the removal")
    assert values("777") == {"id": "777"}


def test_a_change_waits_for_those_who_merge_and_for_imports_of_its_source(
    worker: Any, workspace: Workspace
) -> None:
    load = import_bytes(workspace, b"id,points\n1,5\n", types={"points": "text"})
    with merged_elsewhere(workspace):
        change = ask(workspace, "integer")
        wait_until(lambda: AttributeChange.objects.get().state == "running", 30, "the beginning")
        time.sleep(1)
        assert values("1")["points"] == "5"
    wait_until(lambda: ended(change), 30, "the change")
    with held_elsewhere(locks.SOURCE, load.source_id):
        second = ask(workspace, "text")
        time.sleep(3)
        assert not ended(second)
        assert second.state == "queued"
    wait_until(lambda: ended(second), 30, "the second change")
    assert values("1")["points"] == "5"


def test_imports_queued_before_a_change_are_read_by_its_type(
    worker: Any, workspace: Workspace
) -> None:
    load = import_bytes(workspace, b"id,points\n1,5\n2,6\n", types={"points": "text"})
    loads = []
    with held_elsewhere(locks.SOURCE, load.source_id):
        change = ask(workspace, "integer")
        for number in range(3):
            following = drafts.take_file(
                load.source, "next.csv", [f"id,points\n1,{number}\n".encode()]
            )
            columns = drafts.chosen_columns(following)
            drafts.queue(following, key="id", columns=columns, skip_refused=False, by=None)
            loads.append(following)
    wait_until(lambda: ended(change), 60, "the change")
    wait_until(lambda: not Import.objects.exclude(state="succeeded").exists(), 60, "the imports")
    assert Attribute.objects.get(name="points").type == "integer"
    kinds = {type(one.attributes["points"]) for one in Profile.objects.all()}
    assert kinds == {int}


def test_an_import_waits_for_a_change(workspace: Workspace, worker: Any) -> None:
    import_bytes(workspace, b"id,points\n1,5\n", types={"points": "text"})
    other = sources.create_source(workspace, "Other")
    load = drafts.take_file(other, "other.csv", [b"key,city\n1,Rome\n"])
    columns = drafts.chosen_columns(load)
    with merged_elsewhere(workspace):
        drafts.queue(load, key="key", columns=columns, skip_refused=False, by=None)
        time.sleep(2)
        load.refresh_from_db()
        assert load.state != "succeeded"
        assert "city" not in values("1")
    wait_until(lambda: Import.objects.get(pk=load.pk).state == "succeeded", 30, "the import")


def test_one_that_lost_its_worker_is_taken_up_again(workspace: Workspace, monkeypatch: Any) -> None:
    import_bytes(workspace, b"id,points\n1,5\n", types={"points": "text"})
    taken_up: list[tuple[int, int]] = []
    monkeypatch.setattr(change_attribute_task, "delay", lambda *known: taken_up.append(known))
    change = ask(workspace, "integer")
    taken_up.clear()
    AttributeChange.objects.update(
        state="running", stage="storing", heartbeat_at=timezone.now() - timedelta(minutes=10)
    )
    with held_elsewhere(locks.ATTRIBUTE, change.attribute_id or 0):
        sweep()
        assert taken_up == []
    sweep()
    sweep()
    assert taken_up == [(workspace.pk, change.pk)]
    change.refresh_from_db()
    attribute_changes.run_change(change)
    assert ended(change)
    assert values("1")["points"] == 5
