"""The system restored from last night's backup: what it did since is on the list alone."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from exports.engine import batches, read_back
from exports.engine.drive import attempt, drive, drive_to_end
from exports.models import Batch, Delivery, OptOut, Run
from exports.runs import start_run
from segments.models import Profile, Segment, SegmentMember
from tests.backups import dump, restore
from tests.exports.engine_world import World, account
from workspaces.restored import restored_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add_people(6)
    return world


def leave(world: World, *numbers: int) -> None:
    gone = [f"person{n}@example.com" for n in numbers]
    members = SegmentMember.objects.filter(segment=world.segment)
    for profile in Profile.objects.filter(attributes__email__in=gone):
        members.filter(profile_id=profile.pk).delete()
    Segment.objects.filter(pk=world.segment.pk).update(member_count=members.count())


def addresses(*numbers: int) -> set[str]:
    return {f"person{n}@example.com" for n in numbers}


def sent(world: World) -> int:
    return int(world.sandbox.control("statistics")["imported_contacts"])


def test_nobody_is_sent_twice_and_nobody_taken_off_or_put_back_wrongly(
    world: World, tmp_path: Path
) -> None:
    world.sandbox.control("seed", contacts=[{"email": "old@example.com"}], list_id=world.list_id)
    world.run()
    assert restored_at() is None
    dump(tmp_path / "backup")

    # Since the backup: 4 and 5 left, 6 and 7 came, 3 had herself taken off the list.
    leave(world, 4, 5)
    newcomers = [
        {"email": f"person{n}@example.com", "first": f"First{n}", "last": f"Last{n}"}
        for n in (6, 7)
    ]
    world.add(*newcomers)
    world.run()
    assert world.on_list() == addresses(0, 1, 2, 3, 6, 7) | {"old@example.com"}
    world.sandbox.control("take_off", email="person3@example.com", list_id=world.list_id)
    before = sent(world)

    restore(tmp_path / "backup")
    assert restored_at() is not None
    # The sources are loaded again, and tell what they told before; 7 is called otherwise by now.
    leave(world, 4, 5)
    world.add(newcomers[0], newcomers[1] | {"first": "Seventh"})
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"unchanged": 4, "changed": 1, "suppressed": 1}
    assert (sent(world) - before, run.removed) == (1, 0)
    assert world.on_list() == addresses(0, 1, 2, 6, 7) | {"old@example.com"}
    assert set(OptOut.objects.values_list("address", "reason")) == {
        ("person3@example.com", "taken_off")
    }

    leave(world, 6)
    again = world.run()
    assert (account(again), again.removed) == ({"unchanged": 4, "suppressed": 1}, 1)
    assert world.on_list() == addresses(0, 1, 2, 7) | {"old@example.com"}


@pytest.mark.parametrize(("told", "fate"), [(True, "unchanged"), (False, "changed")])
def test_an_export_whose_first_run_is_forgotten_knows_its_people_on_the_list(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool, fate: str
) -> None:
    if not told:
        # As if the provider called its columns otherwise: nothing is known of the names then.
        monkeypatch.setattr(read_back, "KNOWN", {read_back.ADDRESS: "address"})
    dump(tmp_path / "backup")
    world.run()
    restore(tmp_path / "backup")
    assert account(world.run()) == {fate: 6}
    assert sent(world) == (6 if told else 12)
    assert Delivery.objects.count() == 6


def test_a_run_under_way_in_the_backup_is_not_gone_on_with(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 2)
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    while again := drive(run, lambda run, ids: attempt(run, Batch.objects.get(pk=ids[0]))):
        time.sleep(max(0, (again - timezone.now()).total_seconds()))
    assert run.batches.filter(state=Batch.State.PLANNED).count() == 2
    dump(tmp_path / "backup")
    drive_to_end(run)
    assert sent(world) == 6

    restore(tmp_path / "backup")
    run = Run.objects.get()
    drive_to_end(run)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "restored from a backup" in run.batches.order_by("number").last().reason
    assert sent(world) == 6
    assert account(world.run()) == {"unchanged": 6}
    assert sent(world) == 6
    assert restored_at() < timezone.now()
