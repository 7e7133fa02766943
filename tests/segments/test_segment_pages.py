"""The pages of segments: the list, a segment's page, and what is done there."""

import pytest
from django.test import Client
from django.urls import reverse

from segments.membership import refresh_segment
from segments.models import Segment, SegmentMember
from tests.exports.factories import DestinationFactory
from tests.exports.pages import words
from tests.segments.factories import SegmentFactory, group, rule
from tests.segments.pages import url
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.usefixtures("shop")


def test_without_segments_the_list_says_what_one_is(client: Client, shop: Workspace) -> None:
    page = words(client.get(url("segment_list", shop)))
    assert "No segments yet" in page
    assert "Add segment" in page


def test_the_list_tells_size_rules_state_and_who_uses_each(client: Client, shop: Workspace) -> None:
    used = SegmentFactory(workspace=shop, name="Parisians")
    refresh_segment(used)
    DestinationFactory(workspace=shop, name="Newsletter export", segments=[used])
    SegmentFactory(workspace=shop, name="Not refreshed")
    page = words(client.get(url("segment_list", shop)))
    assert "Parisians" in page
    assert "City is “Paris”" in page
    assert " 6 50" in page
    assert "Newsletter export" in page
    assert "Never refreshed" in page


def test_the_list_is_searched_and_sorted(client: Client, shop: Workspace) -> None:
    SegmentFactory(workspace=shop, name="Alpha", member_count=1)
    SegmentFactory(workspace=shop, name="Beta", member_count=9)
    at = url("segment_list", shop)
    largest = words(client.get(at, {"sort": "-members"}))
    assert largest.index("Beta") < largest.index("Alpha")
    assert "Beta" not in words(client.get(at, {"q": "alph"}))
    assert "No segment has that in its name." in words(client.get(at, {"q": "gamma"}))
    assert client.get(at, {"q": "a\0", "sort": "nonsense"}).status_code == 200


def test_the_list_looks_again_while_a_segment_refreshes(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop, refresh_state="running")
    at = url("segment_list", shop)
    assert "every 2s" in client.get(at, headers={"HX-Request": "true"}).content.decode()
    refresh_segment(segment)
    assert "every 2s" not in client.get(at, headers={"HX-Request": "true"}).content.decode()


def test_a_segments_page_shows_rules_members_and_history(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop, name="Parisians", description="Of the shop in Paris")
    refresh_segment(segment)
    page = words(client.get(url("segment_detail", shop, segment.pk)))
    for said in ("Parisians", "Of the shop in Paris", "City is “Paris”", "6 of 6", "c00", "c05"):
        assert said in page
    assert "c06" not in page
    assert "50" in page
    assert "+6" in page


def test_a_large_segment_shows_ten_members_and_more_when_asked(
    client: Client, shop: Workspace
) -> None:
    segment = SegmentFactory(workspace=shop, rules=group(rule("points", "at_least", "1")))
    refresh_segment(segment)
    at = url("segment_detail", shop, segment.pk)
    assert "10 of 11" in words(client.get(at))
    assert "11 of 11" in words(client.get(at, {"more": ""}))


def test_a_segment_never_refreshed_does_not_read_as_empty(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    page = words(client.get(url("segment_detail", shop, segment.pk)))
    assert "They show here once the segment is refreshed." in page
    assert "Nobody meets the rules." not in page
    assert "Share of all profiles" not in page
    listed = client.get(url("segment_list", shop)).content.decode()
    assert 'data-label="Members">–</td>' in listed


def test_a_failed_refresh_is_explained_with_the_members_of_before(
    client: Client, shop: Workspace
) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    Segment.objects.filter(pk=segment.pk).update(rules=group(rule("gone", "is", "x")))
    refresh_segment(segment)
    page = words(client.get(url("segment_detail", shop, segment.pk)))
    assert "The last refresh failed" in page
    assert "There is no attribute “gone”. Choose another." in page
    assert "The members are those of the refresh before." in page
    assert "c00" in page
    assert "6 of 6" in page


def test_refresh_now_queues_a_refresh_and_is_on_the_audit_log(
    client: Client, shop: Workspace
) -> None:
    segment = SegmentFactory(workspace=shop)
    answer = client.post(url("segment_refresh", shop, segment.pk))
    assert answer["Location"] == url("segment_detail", shop, segment.pk)
    segment.refresh_from_db()
    assert segment.refresh_state == "queued"
    assert AuditEntry.objects.filter(action="segment.refreshed").count() == 1


def test_a_segment_is_renamed_unless_the_name_is_taken(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop, name="Old")
    SegmentFactory(workspace=shop, name="Taken")
    at = url("segment_rename", shop, segment.pk)
    assert "Newer" in words(client.post(at, {"name": " Newer "}, follow=True))
    refused = words(client.post(at, {"name": "TAKEN"}, follow=True))
    assert "Another segment is named “TAKEN”. Choose a different name." in refused
    for name in ("", "x" * 101, "a\0b"):
        assert "Give a name of at most 100" in words(client.post(at, {"name": name}, follow=True))
    segment.refresh_from_db()
    assert segment.name == "Newer"


def test_a_copy_is_opened_for_editing_under_a_name_of_its_own(
    client: Client, shop: Workspace
) -> None:
    segment = SegmentFactory(workspace=shop, name="Parisians", description="Of Paris")
    at = url("segment_duplicate", shop, segment.pk)
    for name in ("Copy of Parisians", "Copy of Parisians (2)"):
        answer = client.post(at)
        copy = Segment.objects.get(name=name)
        assert answer["Location"] == url("segment_edit", shop, copy.pk)
        assert (copy.rules["rules"], copy.description) == (segment.rules["rules"], "Of Paris")
        assert copy.created_by == client.member.user  # type: ignore[attr-defined]


def test_broken_rules_are_mended_before_they_are_copied(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop, rules=group(rule("gone", "is", "x")))
    page = words(client.post(url("segment_duplicate", shop, segment.pk), follow=True))
    assert "can’t be duplicated until its rules are mended" in page
    assert Segment.objects.count() == 1


def test_a_segment_is_deleted_with_its_members(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop, name="Parisians")
    refresh_segment(segment)
    page = words(client.post(url("segment_delete", shop, segment.pk), follow=True))
    assert "The segment “Parisians” is deleted." in page
    assert not Segment.objects.exists()
    assert not SegmentMember.objects.exists()


def test_a_segment_that_an_export_uses_is_not_deleted(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    export = DestinationFactory(workspace=shop, name="Newsletter export", segments=[segment])
    detail = client.get(url("segment_detail", shop, segment.pk)).content.decode()
    assert "This segment is in use" in detail
    assert reverse("exports:destination_detail", args=[shop.slug, export.pk]) in detail
    page = words(client.post(url("segment_delete", shop, segment.pk), follow=True))
    assert "The segment is used by “Newsletter export”. Take it out there first." in page
    assert SegmentMember.objects.count() == 6


def test_a_segment_that_another_speaks_of_is_not_deleted(client: Client, shop: Workspace) -> None:
    inner = SegmentFactory(workspace=shop)
    SegmentFactory(
        workspace=shop,
        name="Outer",
        rules=group(group({"segment": inner.pk, "operator": "not_member"}, match="any")),
    )
    page = words(client.post(url("segment_delete", shop, inner.pk), follow=True))
    assert "The segment is used by “Outer”." in page
    assert Segment.objects.count() == 2
