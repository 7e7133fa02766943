"""Whoever was taken off a list is shown, and put back by a member's word only."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exports.engine.drive import drive_to_end
from exports.models import OptOut, Rejection, Run
from segments.models import Profile
from tests.exports.engine_world import World, account
from tests.exports.pages import administrator, contributor, url, viewer, words
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces.models import AuditEntry


@pytest.fixture
def somebody_off(shop: World) -> World:
    """Of three people, two were taken off the list by hand, and a run has found that out."""
    shop.add_people(3)
    shop.run()
    for number in (0, 2):
        shop.sandbox.control("take_off", email=f"person{number}@example.com", list_id=shop.list_id)
    for profile in Profile.objects.all():
        profile.attributes["first"] = "Renamed"
        profile.save()
    assert account(shop.run()) == {"changed": 1, "suppressed": 2}
    return shop


def page_of(world: World) -> str:
    return url("destination_taken_off", world.workspace, world.destination.pk)


def test_the_exports_page_tells_of_them_and_leads_to_them(somebody_off: World) -> None:
    client = viewer(somebody_off.workspace)
    page = words(
        client.get(url("destination_detail", somebody_off.workspace, somebody_off.destination.pk))
    )
    assert "2 people are not sent again until you put them back." in page
    shown = words(client.get(page_of(somebody_off)))
    assert "person0@example.com" in shown
    assert "person2@example.com" in shown
    assert "person1@example.com" not in shown
    assert "Put back those selected" not in shown, "a viewer only looks"


def test_who_is_selected_is_put_back_by_the_next_run(somebody_off: World) -> None:
    client = contributor(somebody_off.workspace)
    answer = client.post(page_of(somebody_off), {"address": "person0@example.com"}, follow=True)
    assert "1 person is put back by the next run" in words(answer)
    assert account(somebody_off.run()) == {"added": 1, "unchanged": 1, "suppressed": 1}
    assert somebody_off.on_list() == {"person0@example.com", "person1@example.com"}
    entry = AuditEntry.objects.get(action="destination.put_back")
    assert entry.details["count"] == 1
    assert "person0" not in str(entry.details)


def test_all_are_put_back_at_once(somebody_off: World) -> None:
    administrator(somebody_off.workspace).post(page_of(somebody_off), {"all": "yes"})
    assert not OptOut.objects.exists()
    assert account(somebody_off.run()) == {"added": 2, "unchanged": 1}


def test_putting_back_does_not_touch_who_unsubscribed(somebody_off: World) -> None:
    somebody_off.sandbox.control("unsubscribe", email="person1@example.com")
    somebody_off.run()
    administrator(somebody_off.workspace).post(page_of(somebody_off), {"all": "yes"})
    assert account(somebody_off.run()) == {"added": 2, "suppressed": 1}


def test_nobody_selected_is_said(somebody_off: World) -> None:
    answer = administrator(somebody_off.workspace).post(page_of(somebody_off), {}, follow=True)
    assert "Nobody was selected" in words(answer)
    assert OptOut.objects.count() == 2


def test_a_viewer_puts_nobody_back_and_another_workspace_sees_nothing(somebody_off: World) -> None:
    refused = viewer(somebody_off.workspace).post(page_of(somebody_off), {"all": "yes"})
    assert refused.status_code == 403
    elsewhere = WorkspaceFactory()
    where = url("destination_taken_off", elsewhere, somebody_off.destination.pk)
    stranger = signed_in(elsewhere)
    assert stranger.get(where).status_code == 404
    assert stranger.post(where, {"all": "yes"}).status_code == 404
    assert OptOut.objects.count() == 2


def test_many_are_shown_in_pages_and_found(somebody_off: World) -> None:
    known = OptOut.objects.first()
    OptOut.objects.bulk_create(
        OptOut(
            workspace_id=known.workspace_id,
            account_id=known.account_id,
            list_id=known.list_id,
            address=f"more{number:03}@example.com",
            reason="taken_off",
        )
        for number in range(120)
    )
    client = viewer(somebody_off.workspace)
    here = page_of(somebody_off)
    seen: list[str] = []
    asked = ""
    for _ in range(3):
        page = client.get(f"{here}{asked}")
        seen += [one.address for one in page.context["people"]]
        asked = page.context["next_url"]
    assert seen == sorted(seen)
    assert len(seen) == 122
    assert asked == ""

    def people(asked: str) -> list[str]:
        return [one.address for one in client.get(f"{here}{asked}").context["people"]]

    assert people(page.context["previous_url"]) == seen[50:100]
    assert people("?search=MORE007") == ["more007@example.com"]
    assert people("?sort=-address") == seen[::-1][:50]
    OptOut.objects.filter(address="more033@example.com").update(
        since=timezone.now() - timedelta(days=1), reason="changed_at_provider"
    )
    assert people("?sort=since")[0] == "more033@example.com"
    assert people("?reason=changed_at_provider") == ["more033@example.com"]


def test_the_list_is_checked_on_request_though_nobody_changed(shop: World) -> None:
    shop.add_people(3)
    shop.run()
    shop.sandbox.control("take_off", email="person1@example.com", list_id=shop.list_id)
    assert account(shop.run()) == {"unchanged": 3}, "not looked for"
    client = administrator(shop.workspace)
    page = words(client.get(url("destination_detail", shop.workspace, shop.destination.pk)))
    assert "The check takes about 4 requests" in page
    client.post(url("destination_run", shop.workspace, shop.destination.pk), {"check_list": "yes"})
    run = Run.objects.latest("pk")
    drive_to_end(run)
    run.refresh_from_db()
    assert account(run) == {"unchanged": 2, "suppressed": 1}
    assert run.requests <= 5


def test_the_rejected_are_tried_again_when_a_member_says_so(shop: World) -> None:
    shop.add_people(3)
    shop.sandbox.control("seed", contacts=[{"email": "person1@example.com"}])
    shop.sandbox.control("hold", email="person1@example.com")
    run = shop.run()
    assert account(run) == {"added": 2, "rejected": 1}
    assert Rejection.objects.get(run=run).reason == "on_hold"
    assert account(shop.run()) == {"unchanged": 2, "suppressed": 1}
    healed = [{"email": "person1@example.com", "permission": "implicit"}]
    shop.sandbox.control("seed", contacts=healed)
    client = contributor(shop.workspace)
    assert "Try the rejected again" in words(client.get(url("run_detail", shop.workspace, run.pk)))
    client.post(url("run_retry", shop.workspace, run.pk))
    again = Run.objects.latest("pk")
    drive_to_end(again)
    again.refresh_from_db()
    assert account(again) == {"added": 1, "unchanged": 2}
    assert shop.on_list() == {f"person{n}@example.com" for n in range(3)}
