"""Whoever is held just as they are is told apart at a glance; what matters is judged anew."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from connections.access import client
from exports.configuration import configuration_of
from exports.engine.judge import drop_judged, judge
from exports.models import Delivery, OptOut, Rejection, Run
from segments.models import Attribute, Profile, SegmentMember
from tests.exports.engine_world import World, account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    return World(workspace, sandbox)


def change(key: str, *, ago: timedelta = timedelta(), **values: Any) -> None:
    profile = Profile.objects.get(key=key)
    profile.attributes |= values
    profile.updated_at = timezone.now() - ago
    profile.save()


def imports(world: World) -> int:
    return int(world.sandbox.control("statistics")["imports"])


def arrived(world: World, address: str) -> Any:
    return world.sandbox.control("contact", email=address)["first_name"]


def test_a_newer_profile_with_the_address_of_one_who_is_held_takes_its_place(world: World) -> None:
    world.add({"key": "old", "email": "ann@example.com", "first": "Old"})
    change("old", ago=timedelta(days=1))
    world.run()
    world.add({"key": "new", "email": "ANN@example.com", "first": "New"})
    run = world.run()
    assert account(run) == {"changed": 1, "duplicate": 1}
    assert Rejection.objects.get(run=run).profile_key == "old"
    assert arrived(world, "ann@example.com") == "New"
    assert account(world.run()) == {"unchanged": 1, "duplicate": 1}


def test_an_older_profile_with_the_address_of_one_who_is_held_is_a_duplicate(world: World) -> None:
    world.add({"key": "first", "email": "ann@example.com", "first": "Ann"})
    world.run()
    world.add({"key": "later", "email": "ann@example.com", "first": "Older"})
    change("later", ago=timedelta(days=1))
    run = world.run()
    assert account(run) == {"unchanged": 1, "duplicate": 1}
    rejection = Rejection.objects.get(run=run)
    assert (rejection.profile_key, rejection.detail) == ("later", "first")
    assert imports(world) == 1


def test_the_other_takes_over_when_the_one_who_is_held_leaves(world: World) -> None:
    world.add(
        {"key": "a", "email": "ann@example.com", "first": "Ann"},
        {"key": "b", "email": "ann@example.com", "first": "Ann"},
    )
    change("b", ago=timedelta(days=1))
    assert account(world.run()) == {"added": 1, "duplicate": 1}
    SegmentMember.objects.filter(profile_id=Profile.objects.get(key="a").pk).delete()
    assert account(world.run()) == {"unchanged": 1}, "the same data: nothing to send"
    assert imports(world) == 1
    assert Delivery.objects.get().profile_id == Profile.objects.get(key="b").pk


@pytest.mark.parametrize("leaving", [0, 1])
def test_who_has_nothing_to_send_learns_that_the_list_was_deleted_as_who_has(
    world: World, leaving: int
) -> None:
    world.add_people(3)
    world.run()
    client(world.connection).delete_list(world.list_id)
    gone = SegmentMember.objects.order_by("profile_id")[:leaving]
    SegmentMember.objects.filter(profile_id__in=gone.values("profile_id")).delete()
    run = world.run()
    assert (run.state, run.requests) == (Run.State.FAILED, 2)
    assert not OptOut.objects.exists(), "nobody was taken off a list that is not there"
    change("k0000002", first="Changed")
    assert (world.run().reason, run.planned_at) == (run.reason, None)


@pytest.mark.parametrize("address", ["Ann@Example.COM", "  ann@example.com ", "ANN@EXAMPLE.COM\t"])
def test_an_address_written_otherwise_is_the_same(world: World, address: str) -> None:
    world.add({"key": "ann", "email": address, "first": "Ann"})
    world.run()
    assert account(world.run()) == {"unchanged": 1}
    change("ann", email="ann@example.com")
    assert account(world.run()) == {"unchanged": 1}
    assert imports(world) == 1


def test_a_value_that_is_not_sent_changes_nothing(world: World) -> None:
    world.add({"key": "ann", "email": "ann@example.com", "first": "Ann"})
    world.run()
    change("ann", points=7)
    assert account(world.run()) == {"unchanged": 1}
    assert imports(world) == 1


def test_an_emptied_value_is_a_change(world: World) -> None:
    world.add({"key": "ann", "email": "ann@example.com", "first": "Ann", "last": "Bee"})
    world.run()
    profile = Profile.objects.get()
    del profile.attributes["last"]
    profile.updated_at = timezone.now()
    profile.save()
    assert account(world.run()) == {"changed": 1}


def test_values_that_change_places_are_a_change(world: World) -> None:
    world.add({"key": "ann", "email": "ann@example.com", "first": "Ann", "last": "Bee"})
    world.run()
    change("ann", first="Bee", last="Ann")
    assert account(world.run()) == {"changed": 1}


def test_another_matching_sends_those_again_whom_it_changes_and_no_others(world: World) -> None:
    Attribute.objects.create(
        workspace=world.workspace, name="called", label="Called", type="text", position=9
    )
    world.add(
        {"email": "ann@example.com", "first": "Ann", "called": "Ann"},
        {"email": "bob@example.com", "first": "Robert", "called": "Bob"},
        {"email": "cat@example.com"},
    )
    world.run()
    world.destination.matching = {"email": "email", "first_name": "called", "last_name": "last"}
    world.destination.save(update_fields=["matching"])
    assert account(world.run()) == {"changed": 1, "unchanged": 2}
    assert arrived(world, "bob@example.com") == "Bob"


def test_a_broken_address_that_is_mended_and_one_that_breaks(world: World) -> None:
    world.add(
        {"key": "ann", "email": "ann.example.com"}, {"key": "bob", "email": "bob@example.com"}
    )
    assert account(world.run()) == {"added": 1, "invalid": 1}
    change("ann", email="ann@example.com")
    change("bob", email="bob@@example.com")
    run = world.run()
    assert account(run) == {"added": 1, "invalid": 1}
    assert world.on_list() == {"ann@example.com"}, "who has no valid address any more is taken off"


def test_few_are_judged_by_looking_into_the_ledger_as_many_are_by_reading_it(
    world: World, monkeypatch: Any
) -> None:
    world.add_people(6)
    world.add({"key": "twin", "email": "person5@example.com", "first": "Older"})
    change("twin", ago=timedelta(days=1))
    world.run()
    Delivery.objects.filter(address="person0@example.com").update(refusal="refused")
    Delivery.objects.filter(address="person1@example.com").update(refusal="on_hold")
    Delivery.objects.filter(address="person2@example.com").update(leaving_run_id=1)
    change("k0000003", first="Changed")
    change("k0000004", email="broken")
    world.add({"key": "new", "email": "new@example.com"})
    found = []
    for share in (0, 100):
        monkeypatch.setattr("exports.engine.judge.FEW_LEFT", share)
        with transaction.atomic(), connection.cursor() as cursor:
            judged = judge(configuration_of(world.destination), full=False, tidied=True)
            cursor.execute("SELECT * FROM planned ORDER BY key")
            found.append((judged, cursor.fetchall()))
            drop_judged(judged)
    assert found[0] == found[1]
    fates = {row[2]: row[4] for row in found[0][1]}
    assert fates == {
        "k0000000": "rejected",
        "k0000001": "suppressed",
        "k0000002": "changed",
        "k0000003": "changed",
        "k0000004": "invalid",
        "k0000005": "unchanged",
        "twin": "duplicate",
        "new": "added",
    }
