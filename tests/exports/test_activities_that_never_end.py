"""Whatever never ends at Constant Contact, a run does: in its time, with the reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from exports.engine import confirm, read_back, remove, send
from exports.engine.drive import drive, drive_to_end
from exports.models import Batch, Delivery, Run
from exports.runs import start_run
from segments.models import SegmentMember
from tests.exports.engine_world import World, account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any, monkeypatch: Any) -> World:
    for module in (read_back, remove):
        monkeypatch.setattr(module, "MAX_POLLS", 3)
    world = World(workspace, sandbox)
    world.add_people(12)
    return world


def stuck(world: World, route: str, **how: Any) -> None:
    world.sandbox.control("fault", kind="activity_stuck", route=route, **how)


def test_an_import_that_never_ends_stays_at_the_provider_and_fails_at_last(world: World) -> None:
    world.know_everyones_preferences()
    stuck(world, "contacts_json_import", count=1)
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)

    def send_here(run: Run, batch_ids: list[int]) -> None:
        for batch_id in batch_ids:
            send.send_batch(run, Batch.objects.get(pk=batch_id))

    assert drive(run, send_here) is not None
    run.refresh_from_db()
    assert run.state == Run.State.CONFIRMING
    run.batches.update(sent_at=timezone.now() - confirm.PATIENCE - timedelta(minutes=1))
    drive_to_end(run)
    assert run.state == Run.State.FAILED
    assert "within a day" in run.reason
    assert account(run) == {"rejected": 12}
    assert set(run.rejections.values_list("reason", flat=True)) == {"outcome_unknown"}
    assert account(world.run()) == {"changed": 12}, "whoever may be on the list is sent again"


def test_who_can_not_be_asked_about_it_for_a_day_is_not_asked_for_ever(world: World) -> None:
    world.know_everyones_preferences()
    stuck(world, "contacts_json_import", count=1)
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    drive(run, lambda run, ids: send.send_batch(run, Batch.objects.get(pk=ids[0])))
    run.batches.update(sent_at=timezone.now() - confirm.PATIENCE - timedelta(minutes=1))
    world.sandbox.control("fault", kind="server_error", status=503)
    drive_to_end(run)
    world.sandbox.control("clear_faults")
    assert run.state == Run.State.FAILED
    assert "has a fault of its own (503)" in run.reason
    assert account(run) == {"rejected": 12}


def test_a_run_that_never_learns_who_unsubscribed_sends_nothing(world: World) -> None:
    stuck(world, "contact_exports", count=1)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "within two hours" in run.reason
    assert world.sandbox.control("statistics")["imports"] == 0
    assert account(world.run()) == {"added": 12}


def test_contact_exports_that_always_fail_are_given_up(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(read_back, "GIVEN_UP_WAIT", timedelta(0))
    world.sandbox.control("fault", kind="activity_failed", route="contact_exports", count=3)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "gave up its export" in run.reason
    assert account(world.run()) == {"added": 12}


def test_refusals_that_can_not_be_named_end_the_run_with_their_number(world: World) -> None:
    world.know_everyones_preferences()
    world.sandbox.control(
        "seed", list_id=world.list_id, contacts=[{"email": "person3@example.com"}]
    )
    world.sandbox.control("unsubscribe", email="person3@example.com")
    stuck(world, "contact_exports", count=1)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "refused 1 contacts" in run.reason
    assert "within two hours" in run.reason
    account(run)


@pytest.mark.parametrize("count", [3, 10])
def test_a_removal_that_never_ends_fails_the_run_and_is_in_doubt_until_the_next(
    world: World, count: int
) -> None:
    world.run()
    leaving = SegmentMember.objects.order_by("-profile_id").values_list("profile_id", flat=True)
    SegmentMember.objects.filter(profile_id__in=list(leaving[:count])).delete()
    world.segment.member_count = 12 - count
    world.segment.save()
    stuck(world, "remove_list_memberships", count=1)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "could not be taken off" in run.reason
    assert Delivery.objects.filter(leaving_run_id=run.pk).count() == count
    assert not [name for name in world.sandbox.lists() if name.startswith("Segue: leaving")]
    assert world.run().state == Run.State.SUCCEEDED
    assert world.on_list() == {f"person{n}@example.com" for n in range(12 - count)}
    assert Delivery.objects.count() == 12 - count
