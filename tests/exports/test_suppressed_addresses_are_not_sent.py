"""Whoever is on the workspace's suppression list is sent by none of its exports."""

from typing import Any

import pytest

from exports.configuration import configuration_of
from exports.engine import drive
from exports.engine.plan import preview
from exports.models import Destination, Rejection, Run
from exports.runs import start_run
from segments import suppressions
from segments.models import Profile
from tests.exports.engine_world import World, account
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add_people(3)
    return world


def person(number: int) -> str:
    return f"person{number}@example.com"


def suppress(world: World, *addresses: str) -> None:
    member = MembershipFactory(workspace=world.workspace).user
    suppressions.add_text(world.workspace, "\n".join(addresses), reason="Asked", by=member)


def test_who_is_suppressed_is_not_sent_and_the_account_says_why(world: World) -> None:
    suppress(world, "Person1@Example.com ")
    run = world.run()
    assert account(run) == {"added": 2, "suppressed": 1}
    rejection = Rejection.objects.get(run=run)
    assert (rejection.address, rejection.reason) == (person(1), "suppressed")
    assert world.on_list() == {person(0), person(2)}


def test_who_is_suppressed_later_is_taken_off_a_list_that_mirrors(world: World) -> None:
    Destination.objects.update(mode=Destination.Mode.MIRROR)
    world.run()
    suppress(world, person(1))
    run = world.run()
    assert (account(run), run.removed) == ({"unchanged": 2, "suppressed": 1}, 1)
    assert world.on_list() == {person(0), person(2)}
    assert world.sandbox.control("contact", email=person(1)) is not None


def test_who_is_suppressed_later_stays_where_nobody_is_taken_off(world: World) -> None:
    Destination.objects.update(mode=Destination.Mode.ADD)
    world.run()
    suppress(world, person(1))
    run = world.run(full=True)
    assert (account(run), run.removed) == ({"changed": 2, "suppressed": 1}, 0)
    assert person(1) in world.on_list()


def test_who_is_let_go_of_is_sent_again(world: World) -> None:
    suppress(world, person(1))
    world.run()
    member = MembershipFactory(workspace=world.workspace).user
    assert suppressions.remove(world.workspace, [person(1)], by=member) == 1
    assert account(world.run()) == {"unchanged": 2, "added": 1}


def test_a_preview_and_a_dry_run_know_of_it(world: World) -> None:
    world.run()
    suppress(world, person(1))
    counts = preview(configuration_of(world.destination)).counts
    assert (counts["suppressed"], counts["unchanged"]) == (1, 2)
    assert account(world.run(dry_run=True)) == {"suppressed": 1, "unchanged": 2}


def test_unsubscribed_and_suppressed_counts_once(world: World) -> None:
    world.run()
    world.sandbox.control("unsubscribe", email=person(1))
    suppress(world, person(1))
    run = world.run()
    assert account(run) == {"unchanged": 2, "suppressed": 1}
    assert Rejection.objects.get(run=run).reason == "unsubscribed"


def test_another_workspaces_list_says_nothing_here(world: World) -> None:
    from django_scopes import scope

    other = WorkspaceFactory()
    with scope(workspace=other):
        member = MembershipFactory(workspace=other).user
        suppressions.add_text(other, person(1), reason="", by=member)
    run = world.run()
    assert (run.state, account(run)) == (Run.State.SUCCEEDED, {"added": 3})


def test_who_is_suppressed_while_a_planned_run_waits_is_not_sent_either(world: World) -> None:
    world.run()
    world.add(*({"email": person(n), "first": f"First{n}"} for n in (3, 4)))
    again = Profile.objects.filter(attributes__email=person(1))
    again.update(attributes={"email": person(1), "first": "New"})
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    assert drive.drive(run, lambda *_: None) is None
    suppress(world, person(1), person(4), "stranger@example.com")
    drive.drive_to_end(run)
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 1, "suppressed": 2, "unchanged": 2}
    assert world.on_list() == {person(0), person(1), person(2), person(3)}
    assert world.sandbox.control("contact", email=person(1)).get("first_name") != "New"
    told = Rejection.objects.filter(run=run).values_list("address", "reason", "profile_key")
    assert {address for address, *_ in told} == {person(1), person(4)}
    assert {reason for _, reason, _ in told} == {"suppressed"}
    assert all(key for *_, key in told)
