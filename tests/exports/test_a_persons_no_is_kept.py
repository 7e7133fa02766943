"""Whoever unsubscribed at the provider is not sent, and is sent again if they return."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections.access import client
from exports import taken_off
from exports.engine import plan, preferences, read_back
from exports.engine.drive import attempt, drive, drive_to_end
from exports.engine.judge import judge
from exports.models import Batch, Delivery, OptOut, PreferencePull, Rejection, Run
from exports.runs import start_run
from segments.models import Profile, SegmentMember
from tests.exports.engine_world import World, account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    return World(workspace, sandbox)


def person(number: int) -> str:
    return f"person{number}@example.com"


def rename_all() -> None:
    for profile in Profile.objects.all():
        profile.attributes["first"] = "Renamed"
        profile.save()


def read_whole_long_ago() -> None:
    PreferencePull.objects.update(read_whole_at=timezone.now() - timedelta(days=2))


def test_those_known_to_be_unsubscribed_before_the_first_run_are_not_sent(world: World) -> None:
    seed = [{"email": "PERSON1@example.com", "permission": "unsubscribed"}]
    world.sandbox.control("seed", contacts=seed)
    world.add_people(3)
    run = world.run()
    assert account(run) == {"added": 2, "suppressed": 1}
    assert Rejection.objects.get(run=run).reason == "unsubscribed"
    assert world.on_list() == {person(0), person(2)}
    assert world.sandbox.control("statistics")["imported_contacts"] == 2


def test_who_unsubscribes_later_is_not_sent_again_whatever_changes(world: World) -> None:
    world.add_people(3)
    world.run()
    world.sandbox.control("unsubscribe", email=person(1))
    rename_all()
    run = world.run()
    assert account(run) == {"changed": 2, "suppressed": 1}
    assert world.sandbox.control("contact", email=person(1))["first_name"] == "First1"
    full = world.run(full=True)
    assert account(full) == {"changed": 2, "suppressed": 1}


def test_who_unsubscribed_and_left_the_segments_is_no_removal(world: World) -> None:
    world.add_people(3)
    world.run()
    world.sandbox.control("unsubscribe", email=person(2))
    last = SegmentMember.objects.order_by("profile_id").last()
    SegmentMember.objects.filter(profile_id=last.profile_id).delete()
    run = world.run()
    assert (account(run), run.to_remove) == ({"unchanged": 2}, 0)


def test_looking_costs_two_requests_between_the_days_whole_readings(world: World) -> None:
    world.add_people(3)
    first = world.run()
    assert first.requests == 5, "export, its outcome, import, its outcome"
    assert world.run().requests == 2, "who unsubscribed, whether the list is there"
    read_whole_long_ago()
    assert 3 <= world.run().requests <= 4


def test_who_opts_in_again_is_sent_again(world: World) -> None:
    world.add_people(3)
    world.run()
    world.sandbox.control("unsubscribe", email=person(1))
    assert account(world.run()) == {"unchanged": 2, "suppressed": 1}
    again = [{"email": person(1), "permission": "explicit"}]
    world.sandbox.control("seed", contacts=again, list_id=world.list_id)
    read_whole_long_ago()
    assert account(world.run()) == {"added": 1, "unchanged": 2}
    assert not OptOut.objects.exists()


def test_a_clock_that_is_off_by_minutes_misses_nobody(world: World) -> None:
    world.add_people(3)
    world.run()
    world.sandbox.control("clock", offset=-300)
    world.sandbox.control("unsubscribe", email=person(1))
    rename_all()
    assert account(world.run()) == {"changed": 2, "suppressed": 1}


def test_another_account_is_another_matter(world: World) -> None:
    other = world.sandbox.control("accounts")[1]["account"]
    seed = [{"email": person(1), "permission": "unsubscribed"}]
    world.sandbox.control("seed", contacts=seed, account=other)
    world.add_people(3)
    assert account(world.run()) == {"added": 3}


@pytest.mark.parametrize("kind", ["server_error", "throttled", "cut_before", "cut_after"])
def test_a_fault_on_the_way_is_overcome_before_anything_is_planned(world: World, kind: str) -> None:
    seed = [{"email": person(1), "permission": "unsubscribed"}]
    world.sandbox.control("seed", contacts=seed)
    world.sandbox.control("fault", kind=kind, count=3)
    world.add_people(3)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 2, "suppressed": 1}


def test_without_knowing_who_said_no_nothing_is_sent(world: World) -> None:
    world.sandbox.control("fault", kind="server_error", route="contact_exports")
    world.add_people(3)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert world.sandbox.control("statistics")["imports"] == 0
    assert not Delivery.objects.exists()


def test_a_dry_run_asks_the_provider_nothing(world: World) -> None:
    world.add_people(3)
    world.run(dry_run=True)
    assert world.sandbox.control("statistics")["total"] == 0


def take_off(world: World, *numbers: int) -> None:
    for number in numbers:
        world.sandbox.control("take_off", email=person(number), list_id=world.list_id)


def test_who_was_taken_off_the_list_by_hand_is_not_put_back(world: World) -> None:
    world.add_people(3)
    world.run()
    take_off(world, 1)
    rename_all()
    run = world.run()
    assert account(run) == {"changed": 2, "suppressed": 1}
    assert Rejection.objects.get(run=run).reason == "taken_off"
    assert world.on_list() == {person(0), person(2)}
    assert world.sandbox.control("contact", email=person(1))["first_name"] == "First1"


def change_address(world: World, number: int) -> None:
    world.sandbox.control("change_address", email=person(number), to=f"new{number}@example.com")


@pytest.mark.parametrize("few", [7, 1])
def test_an_address_that_was_changed_there_is_told_from_who_was_taken_off(
    world: World, monkeypatch: Any, few: int
) -> None:
    monkeypatch.setattr(preferences, "FEW", few)
    world.add_people(4)
    world.run()
    take_off(world, 0)
    change_address(world, 1)
    world.sandbox.control("delete", email=person(2))
    rename_all()
    run = world.run()
    assert account(run) == {"changed": 1, "suppressed": 3}
    assert dict(Rejection.objects.filter(run=run).values_list("address", "reason")) == {
        person(0): "taken_off",
        person(1): "changed_at_provider",
        person(2): "taken_off",
    }
    assert world.on_list() == {"new1@example.com", person(3)}
    assert world.run().requests == 2, "nobody is looked for twice"
    world.destination.refresh_from_db()
    by = world.connection.export_user
    assert taken_off.put_back(world.destination, [person(1)], by=by) == 1
    assert account(world.run()) == {"added": 1, "unchanged": 1, "suppressed": 2}


def test_whom_the_list_lost_while_they_were_sent_is_named_by_what_the_account_tells(
    world: World,
) -> None:
    world.add_people(4)
    world.run()
    world.know_everyones_preferences()
    rename_all()
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    while drive(run, lambda run, batches: None) is not None:
        """Until the list is read and the batch written."""
    world.sandbox.control("unsubscribe", email=person(0))
    attempt(run, run.batches.get())
    change_address(world, 1)
    take_off(world, 2)
    drive_to_end(run)
    assert account(run) == {"changed": 1, "rejected": 3}
    assert dict(Rejection.objects.filter(run=run).values_list("address", "reason")) == {
        person(0): "unsubscribed",
        person(1): "changed_at_provider",
        person(2): "taken_off",
    }
    rename_all()
    assert account(world.run(full=True)) == {"changed": 1, "suppressed": 3}
    assert world.on_list() == {"new1@example.com", person(3)}


@pytest.mark.parametrize("how", [{"full": True}, {}])
def test_sending_all_again_or_other_fields_puts_nobody_back(world: World, how: Any) -> None:
    world.add_people(3)
    world.run()
    take_off(world, 1)
    if not how:
        world.destination.matching = {"email": "email", "company_name": "last"}
        world.destination.save(update_fields=["matching"])
    assert account(world.run(**how)) == {"changed": 2, "suppressed": 1}
    assert world.on_list() == {person(0), person(2)}


def test_taken_off_stays_so_for_every_export_to_the_list(world: World) -> None:
    world.add_people(3)
    world.run()
    take_off(world, 1)
    rename_all()
    world.run()
    other = world.another_destination()
    assert account(world.run(of=other)) == {"added": 2, "suppressed": 1}
    assert world.on_list() == {person(0), person(2)}


def test_an_export_that_is_new_to_a_list_puts_nobody_back_whom_another_one_had_put_there(
    world: World,
) -> None:
    world.add_people(3)
    world.run()
    Batch.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    take_off(world, 1)
    other = world.another_destination()
    assert account(world.run(of=other)) == {"added": 2, "suppressed": 1}
    assert world.on_list() == {person(0), person(2)}


def test_whom_another_export_is_about_to_send_was_taken_off_by_nobody(world: World) -> None:
    world.add_people(3)
    world.know_everyones_preferences()
    first = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    drive(first, lambda run, batches: None)
    assert first.batches.get().state == Batch.State.PLANNED
    assert account(world.run(of=world.another_destination())) == {"added": 3}
    assert not OptOut.objects.exists()
    drive_to_end(first)
    assert account(first) == {"added": 3}


def test_who_was_taken_off_and_leaves_the_segments_is_no_removal(world: World) -> None:
    world.add_people(3)
    world.run()
    take_off(world, 2)
    rename_all()
    world.run()
    last = SegmentMember.objects.order_by("profile_id").last()
    SegmentMember.objects.filter(profile_id=last.profile_id).delete()
    run = world.run()
    assert (account(run), run.to_remove) == ({"unchanged": 2}, 0)


def test_who_is_put_back_there_is_sent_again(world: World) -> None:
    world.add_people(3)
    world.run()
    take_off(world, 1)
    rename_all()
    assert account(world.run()) == {"changed": 2, "suppressed": 1}
    back = [{"email": person(1), "first_name": "Back"}]
    world.sandbox.control("seed", contacts=back, list_id=world.list_id)
    assert account(world.run(full=True)) == {"changed": 2, "added": 1}
    assert not OptOut.objects.exists()


def test_people_this_export_takes_off_itself_are_no_refusals(world: World) -> None:
    world.add_people(3)
    world.run()
    gone = SegmentMember.objects.order_by("profile_id").last()
    SegmentMember.objects.filter(profile_id=gone.profile_id).delete()
    assert world.run().removed == 1
    SegmentMember.objects.create(
        workspace_id=gone.workspace_id, segment=world.segment, profile_id=gone.profile_id
    )
    rename_all()
    assert account(world.run()) == {"added": 1, "changed": 2}
    assert world.on_list() == {person(0), person(1), person(2)}


def test_the_list_is_read_only_when_somebody_may_be_sent_again(world: World) -> None:
    world.add_people(3)
    world.run()
    assert world.run().requests == 2
    rename_all()
    before = world.sandbox.control("statistics")["total"]
    run = world.run()
    assert 5 <= run.requests <= 7, "opt-outs, three to read the list, import, outcome"
    assert run.requests == world.sandbox.control("statistics")["total"] - before


@pytest.fixture
def judged_when(world: World, monkeypatch: Any) -> list[bool]:
    """Judging takes as long as the provider needs for the export of the list; how often it did."""
    times: list[bool] = []

    def slowly(configuration: Any, **how: Any) -> Any:
        asked = client(world.connection)
        while any(not one.has_ended for one in asked.activities()):
            pass
        times.append(True)
        return judge(configuration, **how)

    monkeypatch.setattr(plan, "judge", slowly)
    monkeypatch.setattr(read_back, "poll_delay", lambda polls: 0.0)
    return times


def test_a_plan_made_while_the_list_was_prepared_stands_if_nobody_is_missing(
    world: World, judged_when: list[bool]
) -> None:
    world.add_people(4)
    world.run()
    judged_when.clear()
    rename_all()
    Profile.objects.update(updated_at=timezone.now())
    run = world.run()
    assert account(run) == {"changed": 4}
    assert (run.requests, len(judged_when)) == (6, 1)


def test_a_plan_made_while_the_list_was_prepared_is_made_anew_if_the_list_tells_more(
    world: World, judged_when: list[bool]
) -> None:
    world.add_people(4)
    world.run()
    take_off(world, 1)
    judged_when.clear()
    rename_all()
    Profile.objects.update(updated_at=timezone.now())
    run = world.run()
    assert (account(run), len(judged_when)) == ({"changed": 3, "suppressed": 1}, 2)
    assert world.on_list() == {person(0), person(2), person(3)}
    world.sandbox.control("seed", contacts=[{"email": person(1)}], list_id=world.list_id)
    judged_when.clear()
    assert account(world.run(full=True)) == {"changed": 3, "added": 1}
    assert len(judged_when) == 2


@pytest.mark.parametrize("kind", ["server_error", "throttled", "cut_before", "cut_after"])
def test_a_fault_while_the_list_is_read_puts_nobody_back(world: World, kind: str) -> None:
    world.add_people(3)
    world.run()
    take_off(world, 1)
    rename_all()
    world.sandbox.control("fault", kind=kind, count=4, after=1)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"changed": 2, "suppressed": 1}


def test_a_list_that_can_not_be_read_is_not_sent_to(world: World) -> None:
    world.add_people(3)
    world.run()
    rename_all()
    world.sandbox.control("fault", kind="server_error", route="contact_exports")
    run = world.run()
    assert run.state == Run.State.FAILED
    assert world.sandbox.control("contact", email=person(1))["first_name"] == "First1"
