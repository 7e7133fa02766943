"""Two exports to one list take turns: nobody is taken off it while the other one sends to it."""

from typing import Any

import pytest

from exports.engine.drive import attempt, drive, drive_to_end
from exports.models import Batch, Run
from exports.runs import start_run
from segments.models import Segment, SegmentMember
from tests.exports.engine_world import World, put_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    return World(workspace, sandbox)


def begun(destination: Any) -> Run:
    return start_run(destination, trigger=Run.Trigger.COMMAND, enqueue=False)


def hand_out_nothing(run: Run, batch_ids: list[int]) -> None:
    """As if every worker were busy."""


def another_of_whoever_left(world: World) -> Any:
    """The first export's last member has left it, and is in the other one's segment."""
    others = Segment.objects.create(workspace=world.workspace, name="Others")
    last = SegmentMember.objects.filter(segment=world.segment).latest("profile_id")
    put_in(others, [type("P", (), {"pk": last.profile_id})])
    SegmentMember.objects.filter(segment=world.segment, profile_id=last.profile_id).delete()
    return world.another_destination(others)


def test_whom_another_export_is_just_sending_is_not_taken_off(world: World) -> None:
    world.add_people(3)
    world.run()
    other = begun(another_of_whoever_left(world))
    while other.state != Run.State.SENDING:
        drive(other, hand_out_nothing)
        other.refresh_from_db()

    run = begun(world.destination)
    drive(run, hand_out_nothing)
    run.refresh_from_db()
    assert (run.state, run.why["code"]) == (Run.State.CONFIRMING, "others_send")

    (batch,) = Batch.objects.filter(run=other)
    attempt(other, batch)
    drive_to_end(other)
    drive_to_end(run)
    assert run.state == Run.State.SUCCEEDED
    assert world.on_list() == {f"person{n}@example.com" for n in range(3)}


def test_nobody_is_sent_while_another_export_takes_people_off(world: World) -> None:
    world.add_people(3)
    world.run()
    run = begun(world.destination)
    other = begun(another_of_whoever_left(world))
    world.sandbox.control("fault", kind="server_error", count=1, route="remove_list_memberships")
    drive(run, hand_out_nothing)
    run.refresh_from_db()
    assert run.removal["begun"]
    assert "done" not in run.removal

    drive(other, hand_out_nothing)
    other.refresh_from_db()
    assert (other.state, other.why["code"]) == (Run.State.PLANNING, "others_take_off")

    drive_to_end(run)
    drive_to_end(other)
    assert other.state == Run.State.SUCCEEDED
    assert world.on_list() == {f"person{n}@example.com" for n in range(3)}
