"""Editing an export: two people at once, another list, and those who may only look."""

from typing import Any

from connections.models import Connection
from exports.models import Destination, Run
from tests.exports.engine_world import World
from tests.exports.factories import RunFactory
from tests.exports.pages import administrator, contributor, entered, url, viewer, words
from workspaces.models import AuditEntry


def same(world: World, **changes: Any) -> dict[str, Any]:
    """What the page shows of the export as it is."""
    world.destination.refresh_from_db()
    return entered(
        world,
        name="Newsletter",
        picked=world.list_id,
        field=["first_name", "last_name"],
        attribute=["first", "last"],
        seen=world.destination.updated_at.isoformat(),
    ) | dict(changes)


def edit(world: World, client: Any, **changes: Any) -> Any:
    return client.post(
        url("destination_edit", world.workspace, world.destination.pk), same(world, **changes)
    )


def test_a_change_is_kept_with_who_made_it(shop: World) -> None:
    client = administrator(shop.workspace)
    edit(shop, client, name="Monthly letter", field=["first_name"], attribute=["first"])
    shop.destination.refresh_from_db()
    assert shop.destination.name == "Monthly letter"
    assert shop.destination.matching == {"email": "email", "first_name": "first"}
    assert shop.destination.updated_by == client.member.user
    entry = AuditEntry.objects.get(action="destination.changed")
    assert entry.details["changes"]["name"] == ["Newsletter", "Monthly letter"]
    assert "list" not in entry.details["changes"]


def test_the_page_shows_what_is_saved(shop: World) -> None:
    page = administrator(shop.workspace).get(
        url("destination_edit", shop.workspace, shop.destination.pk)
    )
    form = page.context["form"]
    assert form["name"].value() == "Newsletter"
    assert form["picked"].value() == shop.list_id
    assert form["segments"].value() == [str(shop.segment.pk)]
    assert [(row.target, row.attribute) for row in form.rows] == [
        ("first_name", "first"),
        ("last_name", "last"),
    ]


def test_who_saves_second_is_told_and_keeps_what_they_entered(shop: World) -> None:
    ada, ben = administrator(shop.workspace), administrator(shop.workspace)
    bens = same(shop, name="Ben’s name")
    edit(shop, ada, name="Ada’s name")
    where = url("destination_edit", shop.workspace, shop.destination.pk)
    page = ben.post(where, bens)
    assert page.status_code == 409
    assert f"{ada.member.user} changed this export while you were editing it" in words(page)
    form = page.context["form"]
    assert form["name"].value() == "Ben’s name"
    shop.destination.refresh_from_db()
    assert shop.destination.name == "Ada’s name"
    again = ben.post(where, bens | {"seen": form["seen"].value()})
    assert again.status_code == 302
    shop.destination.refresh_from_db()
    assert shop.destination.name == "Ben’s name"


def test_an_export_can_be_renamed_while_its_account_cannot_be_reached(shop: World) -> None:
    shop.sandbox.control("fault", kind="server_error", route="contact_lists")
    assert edit(shop, administrator(shop.workspace), name="Renamed").status_code == 302
    shop.destination.refresh_from_db()
    assert shop.destination.name == "Renamed"


def test_before_a_first_run_the_list_changes_without_a_question(shop: World) -> None:
    events = shop.sandbox.lists()["Events"]
    assert edit(shop, administrator(shop.workspace), picked=events).status_code == 302


def test_another_list_is_asked_about_and_then_everyone_is_sent_anew(shop: World) -> None:
    shop.add_people(2)
    shop.run()
    client = administrator(shop.workspace)
    events = shop.sandbox.lists()["Events"]
    question = edit(shop, client, picked=events)
    assert question.status_code == 200
    assert "This export will send to another list" in words(question)
    assert "Those already sent to “Newsletter” stay there" in words(question)
    shop.destination.refresh_from_db()
    assert shop.destination.list_id == shop.list_id
    assert edit(shop, client, picked=events, agreed="yes").status_code == 302
    shop.destination.refresh_from_db()
    run = shop.run()
    assert (run.added, run.unchanged) == (2, 0)
    assert len(shop.on_list()) == 2


def test_a_new_list_is_not_made_before_the_question_is_answered(shop: World) -> None:
    shop.add_people(1)
    shop.run()
    client = administrator(shop.workspace)
    assert edit(shop, client, way="make", made="Fresh start").status_code == 200
    assert "Fresh start" not in shop.sandbox.lists()
    assert edit(shop, client, way="make", made="Fresh start", agreed="yes").status_code == 302
    assert "Fresh start" in shop.sandbox.lists()


def test_the_preview_of_another_list_counts_everyone_as_new(shop: World) -> None:
    shop.add_people(2)
    shop.run()
    client = administrator(shop.workspace)
    where = url("preview_changes", shop.workspace, shop.destination.pk)
    here = client.post(where, same(shop)).context["preview"]
    assert (here.sent, here.account.in_segments) == (0, 2)
    there = client.post(where, same(shop, picked=shop.sandbox.lists()["Events"]))
    assert there.context["preview"].sent == 2


def test_connection_and_list_stay_while_a_run_is_going_on(shop: World) -> None:
    RunFactory(destination=shop.destination, state=Run.State.SENDING, finished_at=None)
    client = administrator(shop.workspace)
    page = edit(shop, client, picked=shop.sandbox.lists()["Events"])
    assert page.status_code == 422
    assert "A run of this export is going on" in words(page)
    assert edit(shop, client, name="Renamed meanwhile").status_code == 302


def test_who_may_only_look_sees_the_values_locked(shop: World) -> None:
    where = url("destination_edit", shop.workspace, shop.destination.pk)
    client = viewer(shop.workspace)
    page = client.get(where)
    assert page.status_code == 200
    assert '<fieldset class="bare" disabled>' in page.content.decode()
    assert "Close" in words(page)
    assert "Save" not in words(page)
    assert client.post(where, same(shop, name="Mine now")).status_code == 403
    shop.destination.refresh_from_db()
    assert shop.destination.name == "Newsletter"


def test_a_contributor_drops_to_looking_when_the_connection_is_shared_no_longer(
    shop: World,
) -> None:
    client = contributor(shop.workspace)
    where = url("destination_edit", shop.workspace, shop.destination.pk)
    assert "Save" in words(client.get(where))
    Connection.objects.filter(pk=shop.connection.pk).update(sharing="administrators")
    page = client.get(where)
    assert "You can look at this export, not change it" in words(page)
    assert client.post(where, same(shop)).status_code == 403
    detail = client.get(url("destination_detail", shop.workspace, shop.destination.pk))
    assert "Run now" not in words(detail)


def test_a_contributor_changes_an_export_that_somebody_else_made(shop: World) -> None:
    assert edit(shop, contributor(shop.workspace), name="Together").status_code == 302
    assert Destination.objects.get(pk=shop.destination.pk).name == "Together"
