"""Mirror mode: who left the segments is taken off the list, and nobody else."""

from typing import Any

import pytest

from exports.engine import remove, send
from exports.engine.drive import drive_to_end
from exports.models import Delivery, Destination, DestinationSegment, Run
from exports.runs import RunRefused, approve_run, cancel_run
from segments.models import Segment, SegmentMember
from tests.exports.engine_world import World, account, put_in
from tests.workspaces.factories import MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    return World(workspace, sandbox)


def leave(world: World, count: int) -> None:
    """So many of the segment's members, the last to come first, are no longer in it."""
    kept = SegmentMember.objects.filter(segment=world.segment).order_by("profile_id")
    gone = list(kept.values_list("profile_id", flat=True))[-count:]
    SegmentMember.objects.filter(segment=world.segment, profile_id__in=gone).delete()
    Segment.objects.filter(pk=world.segment.pk).update(
        member_count=SegmentMember.objects.filter(segment=world.segment).count()
    )


def addresses(*numbers: int) -> set[str]:
    return {f"person{n}@example.com" for n in numbers}


def lists_of(world: World) -> set[str]:
    return set(world.sandbox.lists())


@pytest.mark.parametrize("few", [1, 7, 8, 30])
def test_they_are_taken_off_and_nobody_else(world: World, few: int) -> None:
    newsletter = world.list_id
    world.sandbox.control("seed", contacts=[{"email": "old@example.com"}], list_id=newsletter)
    world.add_people(60)
    world.run()
    leave(world, few)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"unchanged": 60 - few}
    assert (run.to_remove, run.removed) == (few, few)
    assert world.on_list() == addresses(*range(60 - few)) | {"old@example.com"}
    assert world.sandbox.control("accounts")[0]["contacts"] == 61, "nobody is deleted"
    assert Delivery.objects.count() == 60 - few
    assert lists_of(world) == {"Newsletter", "Customers", "Events"}
    assert run.requests < few + 13
    again = world.run()
    assert (again.removed, again.requests) == (0, 2)


def test_a_thousand_cost_few_requests(world: World) -> None:
    world.add_many(3_000)
    world.destination.removal_share = 100
    world.destination.save(update_fields=["removal_share"])
    world.run()
    leave(world, 1_000)
    run = world.run()
    assert run.removed == 1_000
    assert run.requests <= 14
    assert len(world.on_list()) == 2_000


def test_who_returns_is_put_back(world: World) -> None:
    world.add_people(3)
    world.run()
    everyone = list(SegmentMember.objects.values_list("profile_id", flat=True))
    leave(world, 1)
    world.run()
    put_in(world.segment, [type("P", (), {"pk": everyone[-1]})])
    assert account(world.run()) == {"added": 1, "unchanged": 2}
    assert world.on_list() == addresses(0, 1, 2)


def test_a_changed_address_takes_the_old_one_off(world: World) -> None:
    from segments.models import Profile

    world.add_people(2)
    world.run()
    profile = Profile.objects.order_by("pk").last()
    assert profile is not None
    Profile.objects.filter(pk=profile.pk).update(
        attributes={**profile.attributes, "email": "new@example.com"}
    )
    run = world.run()
    assert account(run) == {"added": 1, "unchanged": 1}
    assert run.removed == 1
    assert world.on_list() == {"person0@example.com", "new@example.com"}


def test_in_add_mode_nobody_is_taken_off(world: World) -> None:
    world.destination.mode = Destination.Mode.ADD
    world.destination.save(update_fields=["mode"])
    world.add_people(3)
    world.run()
    leave(world, 1)
    run = world.run()
    assert (run.to_remove, run.removed) == (0, 0)
    assert world.on_list() == addresses(0, 1, 2)


def test_an_address_that_another_export_of_the_list_holds_stays_until_both_let_go(
    world: World,
) -> None:
    world.add_people(3)
    others = Segment.objects.create(workspace=world.workspace, name="Others")
    other = world.another_destination(others)
    everyone = list(SegmentMember.objects.values_list("profile_id", flat=True))
    put_in(others, [type("P", (), {"pk": pk}) for pk in everyone])
    world.run()
    world.run(of=other)
    leave(world, 1)
    run = world.run()
    assert run.removed == 0
    assert world.on_list() == addresses(0, 1, 2)
    SegmentMember.objects.filter(segment=others, profile_id=everyone[-1]).delete()
    Segment.objects.filter(pk=others.pk).update(member_count=2)
    assert world.run(of=other).removed == 1
    assert world.on_list() == addresses(0, 1)


@pytest.mark.parametrize("count", [2, 12])
def test_who_was_taken_off_or_deleted_by_hand_is_not_touched(world: World, count: int) -> None:
    world.add_people(20)
    world.run()
    last, before = "person19@example.com", "person18@example.com"
    world.sandbox.control("delete", email=last)
    world.sandbox.control("take_off", email=before, list_id=world.list_id)
    leave(world, count)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert run.removed == count - 2
    assert world.sandbox.control("contact", email=last)["deleted"], "not put back for removal"
    assert world.on_list() == addresses(*range(20 - count))


def test_who_unsubscribed_and_is_still_on_the_list_is_no_obstacle(world: World) -> None:
    world.add_people(20)
    world.run()
    world.sandbox.control("unsubscribe", email="person19@example.com")
    leave(world, 12)
    run = world.run()
    assert not world.on_list() & addresses(*range(8, 19))
    assert run.removed >= 11


@pytest.mark.parametrize("few", [3, 12])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut_after", "count": 3},
        {"kind": "cut_before", "count": 3},
        {"kind": "server_error", "count": 3, "status": 503},
        {"kind": "throttled", "count": 2},
        {"kind": "activity_failed", "count": 1},
        {"kind": "activity_timed_out", "count": 2},
    ],
    ids=lambda fault: fault["kind"] if isinstance(fault, dict) else str(fault),
)
def test_whatever_goes_wrong_on_the_way_it_ends_right(
    world: World, few: int, fault: dict[str, Any]
) -> None:
    world.add_people(20)
    world.run()
    leave(world, few)
    world.sandbox.control("fault", **fault)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert run.removed == few
    assert world.on_list() == addresses(*range(20 - few))
    assert lists_of(world) == {"Newsletter", "Customers", "Events"}


@pytest.mark.parametrize("step", [*remove.STEPS])
def test_a_worker_that_dies_before_or_after_any_step_loses_nobody(
    world: World, monkeypatch: Any, step: str
) -> None:
    world.add_people(20)
    world.run()
    leave(world, 12)
    real = remove.STEPS[step]

    def dies(run: Run, provider: Any) -> None:
        real(run, provider)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(remove.STEPS, step, dies)
        if step == "check":
            return
        with pytest.raises(KeyboardInterrupt):
            world.run()
    run = Run.objects.order_by("pk").last()
    assert run is not None
    drive_to_end(run)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert run.removed == 12
    assert world.on_list() == addresses(*range(8))
    assert lists_of(world) == {"Newsletter", "Customers", "Events"}


def test_removals_that_never_work_fail_the_run_and_are_tried_again_by_the_next(
    world: World,
) -> None:
    world.add_people(20)
    world.run()
    leave(world, 12)
    world.sandbox.control("fault", kind="activity_failed", count=20)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "could not be taken off" in run.reason
    assert Delivery.objects.count() == 20
    world.sandbox.control("clear_faults")
    assert world.run().removed == 12
    assert world.on_list() == addresses(*range(8))


@pytest.fixture
def large(world: World) -> World:
    """150 of 400 have left."""
    world.add_many(400)
    world.run()
    leave(world, 150)
    return world


def test_many_at_once_wait_for_approval(large: World) -> None:
    large.sandbox.control("forget_statistics")
    run = large.run()
    assert run.state == Run.State.AWAITING_APPROVAL
    assert (run.to_remove, run.removal["held"]) == (150, 400)
    assert len(run.removal["sample"]) == 10
    assert large.sandbox.control("statistics")["total"] == 2, "who unsubscribed, and the list"
    assert len(large.on_list()) == 400
    member = MembershipFactory(workspace=large.workspace).user
    approve_run(run, by=member)
    drive_to_end(run)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert (run.removed, run.approved_by) == (150, member)
    assert len(large.on_list()) == 250


def test_more_than_was_approved_waits_again(large: World) -> None:
    run = large.run()
    leave(large, 50)
    approve_run(run, by=MembershipFactory(workspace=large.workspace).user)
    drive_to_end(run)
    run.refresh_from_db()
    assert (run.state, run.to_remove) == (Run.State.AWAITING_APPROVAL, 200)
    assert len(large.on_list()) == 400


def test_what_waits_can_be_cancelled_and_not_approved_twice(large: World) -> None:
    run = large.run()
    member = MembershipFactory(workspace=large.workspace).user
    cancel_run(run, member)
    drive_to_end(run)
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    with pytest.raises(RunRefused, match="does not wait"):
        approve_run(run, by=member)
    assert len(large.on_list()) == 400


def test_a_share_that_is_set_higher_or_few_people_need_no_approval(large: World) -> None:
    large.destination.removal_share = 50
    large.destination.save(update_fields=["removal_share"])
    assert large.run().removed == 150
    leave(large, 100)
    assert large.run().removed == 100


def test_an_empty_or_failed_segment_is_never_read_as_nobody_is_left(world: World) -> None:
    world.add_people(5)
    world.run()
    members = list(SegmentMember.objects.values_list("profile_id", flat=True))
    leave(world, 5)
    empty = world.run()
    assert empty.state == Run.State.SKIPPED
    other = Segment.objects.create(workspace=world.workspace, name="Others")
    DestinationSegment.objects.create(
        workspace=world.workspace, destination=world.destination, segment=other
    )
    put_in(other, [type("P", (), {"pk": pk}) for pk in members[:2]])
    half = world.run()
    assert half.state == Run.State.SKIPPED
    assert "is empty" in half.reason
    Segment.objects.filter(pk=world.segment.pk).update(refresh_state="failed", member_count=1)
    failed = world.run()
    assert failed.state == Run.State.SKIPPED
    assert len(world.on_list()) == 5


def test_a_cancelled_run_takes_nobody_off(world: World, monkeypatch: Any) -> None:
    world.add_people(5)
    world.run()
    leave(world, 2)
    world.add({"email": "new@example.com"})
    real = send.send_batch

    def cancel_after(run: Run, batch: Any) -> None:
        real(run, batch)
        cancel_run(run, by=None)

    monkeypatch.setattr("exports.engine.drive.send_batch", cancel_after)
    run = world.run()
    assert (run.state, run.removed) == (Run.State.CANCELLED, 0)
    assert len(world.on_list()) == 6
    monkeypatch.setattr("exports.engine.drive.send_batch", real)
    assert world.run().removed == 2


def test_a_dry_run_counts_them_and_takes_nobody_off(world: World) -> None:
    world.add_people(5)
    world.run()
    leave(world, 2)
    trial = world.run(dry_run=True)
    assert (trial.state, trial.to_remove, trial.removed) == (Run.State.SUCCEEDED, 2, 0)
    assert len(world.on_list()) == 5


@pytest.mark.parametrize("count", [2, 12])
def test_who_was_taken_off_by_hand_left_and_came_back_is_not_put_back(
    world: World, count: int
) -> None:
    world.add_people(20)
    world.run()
    last = SegmentMember.objects.order_by("-profile_id").values_list("profile_id", flat=True)[0]
    world.sandbox.control("take_off", email="person19@example.com", list_id=world.list_id)
    leave(world, count)
    assert world.run().removed == count - 1
    SegmentMember.objects.create(
        workspace_id=world.workspace.pk, segment=world.segment, profile_id=last
    )
    assert account(world.run()) == {"unchanged": 20 - count, "suppressed": 1}
    assert "person19@example.com" not in world.on_list()


def test_who_may_be_off_by_a_removal_of_unknown_outcome_is_put_back_when_they_return(
    world: World,
) -> None:
    world.add_people(20)
    world.run()
    gone = list(SegmentMember.objects.order_by("-profile_id").values_list("profile_id", flat=True))
    leave(world, 3)
    world.sandbox.control("fault", kind="activity_failed", count=9)
    assert world.run().state == Run.State.FAILED
    for number in (18, 19):
        world.sandbox.control(
            "take_off", email=f"person{number}@example.com", list_id=world.list_id
        )
    SegmentMember.objects.create(
        workspace_id=world.workspace.pk, segment=world.segment, profile_id=gone[0]
    )
    world.sandbox.control("clear_faults")
    run = world.run()
    assert account(run) == {"unchanged": 17, "changed": 1}
    assert world.on_list() == addresses(*range(17), 19)
