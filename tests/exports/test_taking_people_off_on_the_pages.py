"""Taking people off the list, as a person sees it: chosen, previewed, approved, told."""

from typing import Any

import pytest

from exports.engine.drive import drive_to_end
from exports.models import Destination, Run
from segments.models import Segment, SegmentMember
from tests.exports.engine_world import World
from tests.exports.pages import administrator, contributor, entered, url, viewer, words
from workspaces.models import AuditEntry


@pytest.fixture
def waiting(shop: World, django_capture_on_commit_callbacks: Any) -> Run:
    """A run that would take 150 of 400 off, and waits."""
    shop.add_many(400)
    shop.run()
    kept = SegmentMember.objects.filter(segment=shop.segment).order_by("profile_id")
    gone = list(kept.values_list("profile_id", flat=True))[250:]
    SegmentMember.objects.filter(segment=shop.segment, profile_id__in=gone).delete()
    Segment.objects.filter(pk=shop.segment.pk).update(member_count=250)
    run: Run = shop.run()
    return run


def test_what_becomes_of_them_is_chosen_and_kept(shop: World) -> None:
    client = administrator(shop.workspace)
    where = url("destination_add", shop.workspace)
    client.post(where, entered(shop, mode="add", removal_share="35"))
    saved = Destination.objects.get(name="A new export")
    assert (saved.mode, saved.removal_share) == ("add", 35)
    page = client.get(url("destination_detail", shop.workspace, saved.pk))
    assert "stay on the list" in words(page)
    client.post(
        url("destination_edit", shop.workspace, saved.pk),
        entered(shop, mode="mirror", removal_share="0", seen=saved.updated_at.isoformat()),
    )
    saved.refresh_from_db()
    assert (saved.mode, saved.removal_share) == ("mirror", 0)
    entry = AuditEntry.objects.filter(action="destination.changed").latest("pk")
    assert entry.details["changes"]["mode"] == ["add", "mirror"]


@pytest.mark.parametrize("share", ["-1", "101", "many"])
def test_a_share_that_is_none_is_refused(shop: World, share: str) -> None:
    page = administrator(shop.workspace).post(
        url("destination_add", shop.workspace), entered(shop, removal_share=share)
    )
    assert page.status_code == 422
    assert "between 0 and 100 percent" in words(page)


def test_a_new_export_takes_them_off_unless_told_otherwise(shop: World) -> None:
    administrator(shop.workspace).post(url("destination_add", shop.workspace), entered(shop))
    assert Destination.objects.get(name="A new export").mode == "mirror"


def test_the_preview_says_how_many_would_go(waiting: Run, shop: World) -> None:
    page = administrator(shop.workspace).get(
        url("destination_preview", shop.workspace, shop.destination.pk)
    )
    assert "150 people have left the segments and would be taken off" in words(page)
    assert "need approval" in words(page)


def test_the_run_shows_the_numbers_and_a_member_who_may_approves(
    waiting: Run, shop: World, django_capture_on_commit_callbacks: Any
) -> None:
    client = contributor(shop.workspace)
    page = client.get(url("run_detail", shop.workspace, waiting.pk))
    said = words(page)
    assert "take 150 of the 400 people" in said
    assert "many" in said
    assert "Approve, take them off" in said
    home = client.get(f"/w/{shop.workspace.slug}/")
    assert "wants to take 150 people off its list" in words(home)
    client.post(url("run_approve", shop.workspace, waiting.pk))
    drive_to_end(waiting)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.removed) == (Run.State.SUCCEEDED, 150)
    assert AuditEntry.objects.get(action="run.approved").details["to_remove"] == 150
    assert "Taken off 150" in words(client.get(url("run_detail", shop.workspace, waiting.pk)))


def test_who_may_only_look_sees_it_and_cannot_approve(waiting: Run, shop: World) -> None:
    client = viewer(shop.workspace)
    page = client.get(url("run_detail", shop.workspace, waiting.pk))
    assert "waits for approval" in words(page)
    assert "Approve, take them off" not in words(page)
    assert client.post(url("run_approve", shop.workspace, waiting.pk)).status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == Run.State.AWAITING_APPROVAL


def test_a_run_that_waits_no_more_cannot_be_approved(waiting: Run, shop: World) -> None:
    Run.objects.filter(pk=waiting.pk).update(state=Run.State.CANCELLED)
    page = administrator(shop.workspace).post(
        url("run_approve", shop.workspace, waiting.pk), follow=True
    )
    assert "does not wait for approval any more" in words(page)
