"""Lists arrive as one text with commas between, whole numbers as their digits."""

from typing import Any

import pytest

from segments.models import Attribute, Profile
from tests.exports.engine_world import World, account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    Attribute.objects.filter(name="first").update(type="list")
    Attribute.objects.filter(name="last").update(type="integer")
    world.add({"email": "a@example.com", "first": ["news", "VIP"], "last": 5})
    return world


def test_each_is_sent_as_text_and_only_again_when_it_changed(world: World) -> None:
    assert account(world.run()) == {"added": 1}
    contact = world.sandbox.control("contact", email="a@example.com")
    assert (contact["first_name"], contact["last_name"]) == ("news, VIP", "5")
    assert account(world.run()) == {"unchanged": 1}
    profile = Profile.objects.get()
    profile.attributes["first"] = ["VIP"]
    profile.save()
    assert account(world.run()) == {"changed": 1}
    assert world.sandbox.control("contact", email="a@example.com")["first_name"] == "VIP"


def test_a_list_too_long_for_its_field_is_refused_by_name(world: World) -> None:
    Profile.objects.update(attributes={"email": "a@example.com", "first": ["word"] * 20})
    run = world.run()
    assert account(run) == {"invalid": 1}
    refused = run.rejections.get()
    assert (refused.reason, refused.detail) == ("field_too_long", "first_name")


def test_a_value_of_before_its_attribute_was_a_list_is_sent_as_it_is(world: World) -> None:
    Profile.objects.update(attributes={"email": "a@example.com", "first": "Ann", "last": "x"})
    world.run()
    assert world.sandbox.control("contact", email="a@example.com")["first_name"] == "Ann"
