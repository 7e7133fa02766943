"""Runs against the sandbox: who arrives, what is counted, what is left out and why."""

from typing import Any

import pytest

from exports.models import Delivery, Run
from segments.models import Profile as SegmentProfile
from tests.exports.engine_world import World, account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    return World(workspace, sandbox)


def test_everyone_with_a_valid_address_arrives_on_the_list(world: World) -> None:
    world.add_people(3)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 3}
    assert world.on_list() == {f"person{n}@example.com" for n in range(3)}
    assert world.sandbox.control("contact", email="person1@example.com")["first_name"] == "First1"


def test_a_second_run_with_nothing_changed_makes_no_import_request(world: World) -> None:
    world.add_people(3)
    world.run()
    world.sandbox.control("forget_statistics")
    run = world.run()
    assert account(run) == {"unchanged": 3}
    assert run.state == Run.State.SUCCEEDED
    assert world.sandbox.control("statistics")["imports"] == 0


def test_only_what_changed_is_sent_again(world: World) -> None:
    world.add_people(3)
    world.run()
    profile = SegmentProfile.objects.get(attributes__email="person1@example.com")
    profile.attributes["first"] = "Renamed"
    profile.save()
    world.sandbox.control("forget_statistics")
    run = world.run()
    assert account(run) == {"changed": 1, "unchanged": 2}
    assert world.sandbox.control("statistics")["imported_contacts"] == 1
    assert world.sandbox.control("contact", email="person1@example.com")["first_name"] == "Renamed"


def test_a_full_run_sends_all_again(world: World) -> None:
    world.add_people(3)
    world.run()
    run = world.run(full=True)
    assert account(run) == {"changed": 3}


def test_a_dry_run_counts_and_sends_nothing(world: World) -> None:
    world.add_people(3)
    run = world.run(dry_run=True)
    assert run.state == Run.State.SUCCEEDED
    assert account(run) == {"added": 3}
    assert run.requests == 0
    assert world.on_list() == set()
    assert account(world.run()) == {"added": 3}


def test_addresses_are_trimmed_and_compared_without_case(world: World) -> None:
    world.add({"email": "  Ann@Example.COM ", "first": "Ann"})
    world.run()
    assert world.on_list() == {"ann@example.com"}


BAD_ADDRESSES = {
    None: "no_address",
    "   ": "no_address",
    "ann.example.com": "malformed_address",
    "ann@@example.com": "malformed_address",
    "ann@example": "malformed_address",
    "ann smith@example.com": "malformed_address",
    "ann,smith@example.com": "malformed_address",
    ".ann@example.com": "malformed_address",
    "ann@-example.com": "malformed_address",
    '"ann"@example.com': "malformed_address",
    "ànn@example.com": "not_ascii",
    "a" * 70 + "@example.com": "address_too_long",
}


def test_a_bad_address_is_invalid_with_its_reason(world: World) -> None:
    keys = {f"bad{number:02}": address for number, address in enumerate(BAD_ADDRESSES)}
    world.add(*({"key": key, "email": address, "first": "Ann"} for key, address in keys.items()))
    world.add({"email": "good@example.com"})
    run = world.run()
    assert account(run) == {"added": 1, "invalid": len(BAD_ADDRESSES)}
    found = dict(run.rejections.values_list("profile_key", "reason"))
    assert found == {key: BAD_ADDRESSES[address] for key, address in keys.items()}
    assert world.on_list() == {"good@example.com"}


def test_a_value_too_long_for_its_field_is_invalid_and_names_the_field(world: World) -> None:
    world.add({"email": "ann@example.com", "first": "A" * 51})
    run = world.run()
    rejection = run.rejections.get()
    assert (rejection.reason, rejection.detail) == ("field_too_long", "first_name")


def test_of_profiles_with_one_address_the_most_recently_updated_is_sent(world: World) -> None:
    world.add(
        {"key": "old", "email": "ann@example.com", "first": "Old"},
        {"key": "new", "email": "ANN@example.com", "first": "New"},
    )
    newer = SegmentProfile.objects.get(key="new")
    SegmentProfile.objects.filter(key="old").update(
        updated_at=newer.updated_at.replace(year=newer.updated_at.year - 1)
    )
    run = world.run()
    assert account(run) == {"added": 1, "duplicate": 1}
    rejection = run.rejections.get()
    assert (rejection.profile_key, rejection.kind, rejection.detail) == ("old", "duplicate", "new")
    assert world.sandbox.control("contact", email="ann@example.com")["first_name"] == "New"


def test_hostile_values_arrive_as_they_are(world: World) -> None:
    nasty = 'Rob"\\\n\t\u2028{%s}</script>%(x)s'
    world.add({"email": "rob@example.com", "first": nasty})
    world.run()
    assert world.sandbox.control("contact", email="rob@example.com")["first_name"] == nasty


def test_a_profile_in_two_segments_counts_once(world: World) -> None:
    from exports.models import DestinationSegment
    from segments.models import Segment
    from tests.exports.engine_world import put_in

    world.add_people(2)
    other = Segment.objects.create(workspace=world.workspace, name="Some")
    put_in(other, SegmentProfile.objects.all()[:1])
    DestinationSegment.objects.create(
        workspace=world.workspace, destination=world.destination, segment=other
    )
    assert account(world.run()) == {"added": 2}


def test_who_unsubscribed_is_rejected_by_name_and_not_sent_again(world: World) -> None:
    world.sandbox.control(
        "seed", contacts=[{"email": "person1@example.com", "permission": "unsubscribed"}]
    )
    world.add_people(3)
    world.know_everyones_preferences()
    run = world.run()
    assert run.state == Run.State.SUCCEEDED_WITH_REJECTIONS, run.reason
    assert account(run) == {"added": 2, "rejected": 1}
    rejection = run.rejections.get()
    assert (rejection.address, rejection.reason) == ("person1@example.com", "unsubscribed")
    known = world.sandbox.control("contact", email="person1@example.com")
    assert (known["permission"], known["lists"]) == ("unsubscribed", [])
    world.sandbox.control("forget_statistics")
    again = world.run()
    assert account(again) == {"unchanged": 2, "suppressed": 1}
    assert world.sandbox.control("statistics")["imports"] == 0


def test_nobody_in_the_segments_skips_the_run_with_a_reason(world: World) -> None:
    world.add()
    run = world.run()
    assert run.state == Run.State.SKIPPED
    assert "Nobody" in run.reason


def test_a_segment_whose_refresh_failed_skips_the_run(world: World) -> None:
    world.add_people(1)
    world.segment.refresh_state = "failed"
    world.segment.save()
    run = world.run()
    assert run.state == Run.State.SKIPPED
    assert "Everyone" in run.reason


def test_batches_stay_within_the_bytes_of_a_request(world: World) -> None:
    world.destination.matching["street"] = "last"
    world.destination.matching.pop("last_name")
    world.destination.save()
    world.add(*({"email": f"p{n}@example.com", "last": "é" * 250} for n in range(9_000)))
    run = world.run()
    sizes = [b.body_bytes for b in run.batches.order_by("number")]
    assert len(sizes) == 2
    assert max(sizes) <= 3_900_000
    assert account(run) == {"added": 9_000}
    assert len(world.on_list()) == 9_000


def test_another_list_starts_anew(world: World) -> None:
    world.add_people(2)
    world.run()
    world.list_id = world.sandbox.lists()["Customers"]
    world.destination.list_id = world.list_id
    world.destination.save()
    assert account(world.run()) == {"added": 2}
    assert world.on_list() == {"person0@example.com", "person1@example.com"}
    assert Delivery.objects.count() == 2
