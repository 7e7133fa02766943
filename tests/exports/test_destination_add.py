"""Adding an export: who may over which connection, what is asked for, what is kept on an error."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections.models import Connection
from exports import selectors
from exports.models import Delivery, Destination, Run
from segments import erasures
from segments.models import Attribute, AttributeType, Profile, Segment
from tests.exports.engine_world import World, connect, put_in
from tests.exports.factories import BatchFactory, RunFactory
from tests.exports.pages import administrator, contributor, entered, url, viewer, words
from tests.segments.factories import ProfileFactory
from workspaces.models import AuditEntry


def test_saving_an_export_keeps_it_and_sends_nothing(shop: World) -> None:
    shop.add_people(2)
    client = administrator(shop.workspace)
    shop.sandbox.control("forget_statistics")
    answer = client.post(url("destination_add", shop.workspace), entered(shop), follow=True)
    saved = Destination.objects.get(name="A new export")
    assert saved.list_name == "Events"
    assert saved.matching == {"email": "email", "first_name": "first"}
    assert [*saved.segments.all()] == [shop.segment]
    assert saved.schedule == Destination.Schedule.REFRESH
    assert "Nothing has been sent" in words(answer)
    assert not Run.objects.exists()
    assert shop.sandbox.control("statistics")["imports"] == 0
    entry = AuditEntry.objects.get(action="destination.created")
    assert (entry.actor, entry.details["list"]) == (client.member.user, "Events")


def test_the_address_and_the_names_are_proposed_by_what_attributes_are_called(
    shop: World,
) -> None:
    Attribute.objects.filter(name="first").update(label="First Name")
    Attribute.objects.filter(name="last").update(label="Surname")
    page = administrator(shop.workspace).get(url("destination_add", shop.workspace))
    form = page.context["form"]
    assert form["email"].value() == "email"
    assert [(row.target, row.attribute) for row in form.rows] == [
        ("first_name", "first"),
        ("last_name", "last"),
    ]


def test_a_contributor_is_offered_only_connections_that_are_shared(shop: World) -> None:
    private = connect(shop.workspace, shop.sandbox, name="Board only")
    Connection.objects.filter(pk=private.pk).update(sharing="administrators")
    client = contributor(shop.workspace)
    page = client.get(url("destination_add", shop.workspace))
    assert [one.name for one in page.context["form"].connections.values()] == ["Newsletter account"]
    refused = client.post(
        url("destination_add", shop.workspace), entered(shop, connection=private.pk)
    )
    assert refused.status_code == 422
    assert Destination.objects.count() == 1
    lists = client.get(url("list_picker", shop.workspace), {"connection": private.pk})
    assert lists.status_code == 404


def test_without_a_connection_a_contributor_learns_whom_to_ask(workspace: Any) -> None:
    boss = administrator(workspace).member.user
    page = contributor(workspace).get(url("destination_add", workspace))
    assert "Only Administrators add one" in words(page)
    assert str(boss) in words(page)


def test_without_a_connection_an_administrator_is_led_to_add_one(workspace: Any) -> None:
    page = administrator(workspace).get(url("destination_add", workspace))
    assert f"/w/{workspace.slug}/admin/connections/add/" in page.content.decode()


def test_a_viewer_cannot_add_an_export(shop: World) -> None:
    client = viewer(shop.workspace)
    assert client.get(url("destination_add", shop.workspace)).status_code == 403
    assert client.post(url("destination_add", shop.workspace), entered(shop)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"name": ""}, "name", "Give the export a name."),
        ({"name": "Newsletter"}, "name", "already is an export called “Newsletter”"),
        ({"connection": ""}, "connection", "Choose the connection"),
        ({"picked": ""}, "picked", "Pick a list."),
        ({"way": "paste"}, "pasted", "Paste the list’s ID"),
        ({"way": "paste", "pasted": "my list"}, "pasted", "There is no list ID in this"),
        ({"way": "make"}, "made", "Give the new list a name."),
        ({"email": ""}, "email", "Choose the attribute"),
        ({"segments": []}, "segments", "Select at least one segment."),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(
    shop: World, changes: dict[str, Any], where: str, said: str
) -> None:
    page = administrator(shop.workspace).post(
        url("destination_add", shop.workspace), entered(shop, **changes)
    )
    form = page.context["form"]
    assert page.status_code == 422
    assert said in " ".join(form.errors[where])
    assert said in words(page)
    kept = entered(shop, **changes)
    for name in {"name", "picked", "pasted", "email"} - {where}:
        assert form[name].value() == kept[name]
    assert [(row.target, row.attribute) for row in form.rows] == [("first_name", "first")]
    assert Destination.objects.count() == 1


def test_a_birthday_is_fed_by_dates_only(shop: World) -> None:
    page = administrator(shop.workspace).post(
        url("destination_add", shop.workspace),
        entered(shop, field=["birthday"], attribute=["last"]),
    )
    assert page.status_code == 422
    assert "Birthday is a date, and Last holds text" in words(page)
    Attribute.objects.create(
        workspace=shop.workspace, name="born", label="Born", type=AttributeType.DATE
    )
    page = administrator(shop.workspace).post(
        url("destination_add", shop.workspace),
        entered(shop, field=["birthday"], attribute=["born"]),
    )
    assert page.status_code == 302


@pytest.mark.parametrize(
    ("fields", "attributes", "said"),
    [
        (["first_name", "first_name"], ["first", "last"], "First name is matched twice"),
        (["first_name"], [""], "Choose the attribute that feeds First name"),
        ([""], ["first"], "Choose the contact field"),
        (["email"], ["first"], "Choose the contact field"),
        (["shoe_size"], ["first"], "Choose the contact field"),
        (["first_name"], ["nowhere"], "Choose the attribute that feeds First name"),
    ],
)
def test_a_match_that_makes_no_sense_is_refused(
    shop: World, fields: list[str], attributes: list[str], said: str
) -> None:
    page = administrator(shop.workspace).post(
        url("destination_add", shop.workspace), entered(shop, field=fields, attribute=attributes)
    )
    assert page.status_code == 422
    assert said in words(page)


def test_rows_left_empty_are_no_match_and_no_error(shop: World) -> None:
    administrator(shop.workspace).post(
        url("destination_add", shop.workspace),
        entered(shop, field=["", "last_name"], attribute=["", "last"]),
    )
    saved = Destination.objects.get(name="A new export")
    assert saved.matching == {"email": "email", "last_name": "last"}


def test_the_segments_ticked_are_counted_together_each_profile_once(shop: World) -> None:
    shop.add_people(3)
    other = Segment.objects.create(workspace=shop.workspace, name="Same people")
    put_in(other, Profile.objects.all()[:2])
    page = administrator(shop.workspace).get(
        url("selection_size", shop.workspace), {"segments": [shop.segment.pk, other.pk]}
    )
    assert "3 profiles, each counted once" in words(page)
    # Once one of them has been computed anew they are counted anew.
    put_in(other, [ProfileFactory(workspace=shop.workspace)])
    Segment.objects.filter(pk=other.pk).update(refreshed_at=timezone.now())
    again = administrator(shop.workspace).get(
        url("selection_size", shop.workspace), {"segments": [shop.segment.pk, other.pk]}
    )
    assert "4 profiles, each counted once" in words(again)


def test_who_is_erased_is_counted_no_longer_with_the_segments_ticked(shop: World) -> None:
    shop.add_people(3)
    other = Segment.objects.create(workspace=shop.workspace, name="Others")
    shop.add({"key": "erased", "email": "erased@example.com"})
    erased = Profile.objects.get(key="erased")
    put_in(other, [erased, Profile.objects.get(key="k0000000")])
    both = [shop.segment.pk, other.pk]
    assert selectors.profiles_in(both) == 4
    erasures.erase(erased, by=None)
    assert selectors.profiles_in(both) == 3


def test_too_many_profiles_are_warned_of(shop: World) -> None:
    Segment.objects.filter(pk=shop.segment.pk).update(member_count=1_000_001)
    page = administrator(shop.workspace).get(
        url("selection_size", shop.workspace), {"segments": [shop.segment.pk]}
    )
    assert "1,000,001" in words(page)
    assert "at most 1,000,000 profiles" in words(page)


def test_segments_that_alone_are_too_large_are_marked(shop: World) -> None:
    for name, count in [("Right", 1_000_000), ("Larger", 1_000_001)]:
        Segment.objects.create(workspace=shop.workspace, name=name, member_count=count)
    page = administrator(shop.workspace).get(
        url("destination_add", shop.workspace), {"step": "segments"}
    )
    shown = page.content.decode().split('class="segment-choice"')[1:]
    rows = [one.partition("</label>")[0] for one in shown]
    assert [("Larger" in row, "alert-triangle" in row) for row in rows] == [
        (False, False),
        (True, True),
        (False, False),
    ]


def test_the_preview_shows_who_would_be_sent_and_saves_nothing(shop: World) -> None:
    shop.add_people(2)
    shop.add(
        {"email": "not an address", "first": "Nobody"},
        {"email": "PERSON1@example.com ", "key": "same"},
    )
    shop.sandbox.control("forget_statistics")
    page = administrator(shop.workspace).post(url("preview", shop.workspace), entered(shop))
    preview = page.context["preview"]
    counts = {part.fate: part.count for part in preview.account.parts if part.count}
    assert counts == {"added": 2, "duplicate": 1, "invalid": 1}
    assert preview.account.in_segments == 4
    assert preview.columns == ["Email", "First name"]
    assert ["person0@example.com", "First0"] in preview.contacts
    assert "1 import request to Constant Contact" in words(page)
    assert "Not an e-mail address" in words(page)
    assert Destination.objects.count() == 1
    assert not shop.sandbox.control("statistics")["requests"]


def test_the_preview_of_what_is_incomplete_says_what_it_needs(shop: World) -> None:
    page = administrator(shop.workspace).post(
        url("preview", shop.workspace), entered(shop, segments=[], email="")
    )
    assert page.status_code == 200
    assert "Select at least one segment." in words(page)
    assert "Choose the attribute that holds the e-mail address." in words(page)


def test_the_preview_needs_no_name_and_no_list(shop: World) -> None:
    shop.add_people(1)
    page = administrator(shop.workspace).post(
        url("preview", shop.workspace), entered(shop, name="", picked="")
    )
    assert page.context["preview"].sent == 1


def test_the_preview_foresees_requests_time_and_contacts_that_are_billed(shop: World) -> None:
    shop.add_people(3)
    client = administrator(shop.workspace)
    said = words(client.post(url("preview", shop.workspace), entered(shop)))
    assert "about 9 requests in all." in said
    assert "the first run will tell" in said
    assert "up to 3 more contacts" in said
    now = timezone.now()
    run = RunFactory(
        destination=shop.destination,
        requests=6,
        started_at=now - timedelta(minutes=2),
        finished_at=now,
    )
    BatchFactory(run=run)
    Destination.objects.update(delivered_to=f"{shop.connection.account_id}:somewhere")
    Delivery.objects.create(
        workspace=shop.workspace,
        destination=shop.destination,
        address="person0@example.com",
        profile_id=1,
        payload_hash=1,
    )
    said = words(client.post(url("preview", shop.workspace), entered(shop)))
    assert "about 6 requests in all." in said
    assert "About 2 min 0 s" in said
    assert "up to 2 more contacts" in said
