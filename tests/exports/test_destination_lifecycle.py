"""Duplicating, detaching and removing an export, and what a connection's removal asks for."""

from datetime import time

from django.db import connection as database
from django.urls import reverse

from connections import dependents as connection_dependents
from connections import services as connection_services
from connections.models import Connection
from exports import dependents
from exports.models import Batch, Delivery, Destination, DestinationSegment, Rejection, Run
from segments.models import Profile, Segment
from tests.exports.engine_world import World
from tests.exports.factories import (
    BatchFactory,
    DestinationFactory,
    RejectionFactory,
    RunFactory,
)
from tests.exports.pages import administrator, contributor, entered, url, viewer, words
from workspaces.models import AuditEntry


def test_a_duplicate_opens_filled_in_under_a_free_name(shop: World) -> None:
    page = administrator(shop.workspace).get(
        url("destination_duplicate", shop.workspace, shop.destination.pk)
    )
    form = page.context["form"]
    assert form["name"].value() == "Newsletter (copy)"
    assert form["picked"].value() == shop.list_id
    assert [(row.target, row.attribute) for row in form.rows] == [
        ("first_name", "first"),
        ("last_name", "last"),
    ]
    assert Destination.objects.count() == 1


def test_a_duplicate_is_saved_as_a_new_export_on_the_same_schedule(shop: World) -> None:
    Destination.objects.filter(pk=shop.destination.pk).update(
        schedule="own", days=[1, 3], times=[time(7, 30)], time_zone="Europe/Madrid"
    )
    administrator(shop.workspace).post(
        url("destination_duplicate", shop.workspace, shop.destination.pk), entered(shop)
    )
    copy = Destination.objects.get(name="A new export")
    assert copy.pk != shop.destination.pk
    assert (copy.schedule, copy.days, copy.times) == ("own", [1, 3], [time(7, 30)])
    assert copy.next_run_at is not None
    assert AuditEntry.objects.get(action="destination.created").details["duplicate_of"] == (
        "Newsletter"
    )


def test_a_detached_export_rests_with_its_configuration(shop: World) -> None:
    client = administrator(shop.workspace)
    client.post(url("destination_detach", shop.workspace, shop.destination.pk))
    shop.destination.refresh_from_db()
    assert shop.destination.connection is None
    assert shop.destination.list_id == shop.list_id
    assert AuditEntry.objects.get(action="destination.detached").details["connection"] == (
        "Newsletter account"
    )
    page = client.get(url("destination_detail", shop.workspace, shop.destination.pk))
    assert "This export rests" in words(page)
    assert "No connection" in words(client.get(url("destination_list", shop.workspace)))


def test_a_resting_export_is_not_run_and_says_why(shop: World) -> None:
    client = administrator(shop.workspace)
    client.post(url("destination_detach", shop.workspace, shop.destination.pk))
    answer = client.post(url("destination_run", shop.workspace, shop.destination.pk), follow=True)
    assert "This export has no connection" in words(answer)
    assert not Run.objects.exists()


def test_a_resting_export_wakes_with_another_connection(shop: World) -> None:
    client = contributor(shop.workspace)
    client.post(url("destination_detach", shop.workspace, shop.destination.pk))
    shop.destination.refresh_from_db()
    client.post(
        url("destination_edit", shop.workspace, shop.destination.pk),
        entered(
            shop,
            name="Newsletter",
            picked=shop.list_id,
            seen=shop.destination.updated_at.isoformat(),
        ),
    )
    shop.destination.refresh_from_db()
    assert shop.destination.connection == shop.connection


def test_what_fell_due_while_resting_does_not_run_on_waking(shop: World) -> None:
    Destination.objects.filter(pk=shop.destination.pk).update(
        schedule="own", days=[1], times=[time(7, 30)]
    )
    client = administrator(shop.workspace)
    client.post(url("destination_detach", shop.workspace, shop.destination.pk))
    shop.destination.refresh_from_db()
    assert shop.destination.next_run_at is None


def test_removing_an_export_takes_its_runs_and_its_ledger_and_nothing_else(shop: World) -> None:
    shop.add_people(3)
    shop.add({"email": "broken"})
    shop.run()
    other = DestinationFactory(
        workspace=shop.workspace, connection=shop.connection, segments=[shop.segment]
    )
    their_run = RunFactory(destination=other)
    BatchFactory(run=their_run)
    RejectionFactory(run=their_run)
    Delivery.objects.create(
        workspace=shop.workspace,
        destination=other,
        address="kept@example.com",
        profile_id=1,
        payload_hash=1,
    )
    client = administrator(shop.workspace)
    answer = client.post(
        url("destination_remove", shop.workspace, shop.destination.pk), follow=True
    )
    assert "What it sent stays at Constant Contact" in words(answer)
    assert [*Destination.objects.all()] == [other]
    assert [run.destination_id for run in Run.objects.all()] == [other.pk]
    for model in (Batch, Rejection):
        assert [one.run_id for one in model.objects.all()] == [their_run.pk], model
    assert [one.address for one in Delivery.objects.all()] == ["kept@example.com"]
    assert DestinationSegment.objects.count() == 1
    assert Profile.objects.count() == 4
    assert len(shop.on_list()) == 3
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert AuditEntry.objects.get(action="destination.removed").target_label == "Newsletter"


def test_an_export_is_not_removed_while_it_runs(shop: World) -> None:
    RunFactory(destination=shop.destination, state=Run.State.SENDING, finished_at=None)
    answer = administrator(shop.workspace).post(
        url("destination_remove", shop.workspace, shop.destination.pk), follow=True
    )
    assert "A run of “Newsletter” is going on" in words(answer)
    assert Destination.objects.filter(pk=shop.destination.pk).exists()


def test_neither_is_done_by_asking_the_page(shop: World) -> None:
    client = administrator(shop.workspace)
    for name in ("destination_detach", "destination_remove", "destination_run"):
        where = url(name, shop.workspace, shop.destination.pk)
        assert client.get(where).status_code == 405


def test_a_viewer_detaches_and_removes_nothing(shop: World) -> None:
    client = viewer(shop.workspace)
    for name in ("destination_detach", "destination_remove", "destination_duplicate"):
        where = url(name, shop.workspace, shop.destination.pk)
        assert client.post(where).status_code == 403
    shop.destination.refresh_from_db()
    assert shop.destination.connection is not None


def test_a_connection_names_the_exports_that_use_it_and_lets_go_of_each(shop: World) -> None:
    second = DestinationFactory(workspace=shop.workspace, connection=shop.connection, name="Second")
    by = administrator(shop.workspace).member.user
    used_by = connection_dependents.of(shop.connection)
    assert [one.label for one in used_by] == ["Newsletter", "Second"]
    used_by[0].detach(by)
    used_by[1].remove(by)
    assert connection_dependents.of(shop.connection) == []
    shop.destination.refresh_from_db()
    assert shop.destination.connection is None
    assert not Destination.objects.filter(pk=second.pk).exists()
    connection_services.remove_connection(shop.connection, by=by)


def test_removing_a_connection_with_a_run_going_on_changes_nothing_and_says_why(
    shop: World,
) -> None:
    RunFactory(destination=shop.destination, state=Run.State.SENDING, finished_at=None)
    key = connection_dependents.of(shop.connection)[0].key
    page = administrator(shop.workspace).post(
        reverse("connections:remove", args=[shop.workspace.slug, shop.connection.pk]),
        {f"dependent-{key}": "remove"},
        follow=True,
    )
    assert "A run of “Newsletter” is going on" in words(page)
    shop.destination.refresh_from_db()
    assert shop.destination.connection == shop.connection


def test_removing_a_connection_detaches_or_removes_each_export_as_chosen(shop: World) -> None:
    second = DestinationFactory(workspace=shop.workspace, connection=shop.connection, name="Second")
    first_key, second_key = (one.key for one in connection_dependents.of(shop.connection))
    administrator(shop.workspace).post(
        reverse("connections:remove", args=[shop.workspace.slug, shop.connection.pk]),
        {f"dependent-{first_key}": "detach", f"dependent-{second_key}": "remove"},
    )
    shop.destination.refresh_from_db()
    assert shop.destination.connection is None
    assert not Destination.objects.filter(pk=second.pk).exists()
    assert not Connection.objects.filter(pk=shop.connection.pk).exists()


def test_a_segment_names_the_exports_that_send_it(shop: World) -> None:
    DestinationFactory(workspace=shop.workspace, connection=shop.connection, name="Without it")
    unused = Segment.objects.create(workspace=shop.workspace, name="Unused")
    url = f"/w/{shop.workspace.slug}/data/exports/{shop.destination.pk}/"
    found = dependents.of_segments([shop.segment, unused])
    assert found == {shop.segment.pk: [("Newsletter", url)]}
