"""The list of segments: filters, tags, several at once, and its cost."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from segments import tags
from segments.membership import refresh_segment
from segments.models import Profile, Segment
from segments.segment_services import Refused
from tests.exports.factories import DestinationFactory
from tests.exports.pages import words
from tests.segments.factories import SegmentFactory, group, rule
from tests.segments.pages import url
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.usefixtures("shop")


def listed(client: Client, workspace: Workspace, **asked: str) -> str:
    answer = client.get(url("segment_list", workspace), asked, headers={"HX-Request": "true"})
    return words(answer)


def test_the_list_is_filtered_by_state_and_tag(client: Client, shop: Workspace) -> None:
    SegmentFactory(workspace=shop, name="Alpha", state="draft")
    SegmentFactory(workspace=shop, name="Beta", tags=["Spring", "Shop"])
    SegmentFactory(workspace=shop, name="Gamma", refresh_state="failed", refresh_reason="rules")
    assert "Alpha" in listed(client, shop, state="draft")
    assert "Beta" not in listed(client, shop, state="draft")
    assert "Gamma" in listed(client, shop, state="failed")
    SegmentFactory(workspace=shop, name="Delta", kind="static")
    assert "Delta" in listed(client, shop, kind="static")
    assert "Beta" not in listed(client, shop, kind="static")
    assert "Delta" not in listed(client, shop, kind="dynamic")
    spring = listed(client, shop, tag="Spring")
    assert "Beta" in spring
    assert "Gamma" not in spring
    assert "No segment is like that." in words(
        client.get(url("segment_list", shop), {"tag": "Autumn"})
    )
    assert "Gamma" in listed(client, shop, state="nonsense", after="999")


def test_the_last_change_is_beside_the_size(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    assert "joined" not in listed(client, shop), "everybody's joining is no news"
    Profile.objects.filter(key="c00").update(attributes={"city": "Rome"})
    Profile.objects.filter(key__in=["c07", "c08"]).update(attributes={"city": "Paris"})
    refresh_segment(segment)
    page = listed(client, shop)
    assert "2 joined" in page
    assert "1 left" in page


def test_two_hundred_segments_cost_as_few_queries_as_two(client: Client, shop: Workspace) -> None:
    made = [SegmentFactory(workspace=shop, tags=["Shop"]) for _ in range(2)]
    for one in made:
        refresh_segment(one)
    export = DestinationFactory(workspace=shop, segments=made)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(url("segment_list", shop))
        return len(captured)

    queries()
    few = queries()
    Segment.objects.bulk_create(
        Segment(workspace=shop, name=f"One of many {number:03}", rules=made[0].rules)
        for number in range(198)
    )
    export.segments.set(Segment.objects.all(), through_defaults={"workspace": shop})
    many = queries()
    assert many == few
    assert many <= 15


def test_more_than_25_come_page_by_page(client: Client, shop: Workspace) -> None:
    Segment.objects.bulk_create(
        Segment(workspace=shop, name=f"N{number:03}", rules=group(), tags=["Many"])
        for number in range(60)
    )
    page = client.get(url("segment_list", shop), {"tag": "Many"}).content.decode()
    assert "N024" in page
    assert "N025" not in page
    onward = re.search(r'href="(\?tag=Many&amp;after=[^"]+)" rel="next"', page)[1]
    assert "N025" in words(client.get(url("segment_list", shop) + unescape(onward)))


def post(client: Client, shop: Workspace, action: str, *segments: Segment, **more: str) -> str:
    asked = {"action": action, "selected": [segment.pk for segment in segments], **more}
    return words(client.post(url("segment_several", shop), asked, follow=True))


def test_several_are_refreshed_and_what_is_not_active_is_named(
    client: Client, shop: Workspace
) -> None:
    active, draft = SegmentFactory(workspace=shop), SegmentFactory(workspace=shop, state="draft")
    page = post(client, shop, "refresh", active, draft)
    assert "1 segment is being refreshed." in page
    assert f"The segment “{draft.name}” is not active" in page
    active.refresh_from_db()
    assert active.refresh_state == "queued"


def test_several_are_activated_but_for_those_whose_rules_are_broken(
    client: Client, shop: Workspace
) -> None:
    good = SegmentFactory(workspace=shop, state="inactive")
    bad = SegmentFactory(workspace=shop, state="draft", rules=group(rule("gone", "is", "x")))
    page = post(client, shop, "activate", good, bad)
    assert "1 segment is active." in page
    assert f"{bad.name}: There is no attribute “gone”." in page


def test_deactivating_and_deleting_several_ask_first(client: Client, shop: Workspace) -> None:
    free, used = (SegmentFactory(workspace=shop, name=name) for name in ("Free", "Used"))
    DestinationFactory(workspace=shop, name="Newsletter", segments=[used])
    assert "Newsletter" in post(client, shop, "deactivate", free, used)
    assert Segment.objects.filter(state="active").count() == 2
    post(client, shop, "deactivate", free, used, agreed="yes")
    assert Segment.objects.filter(state="inactive").count() == 2
    assert "Stays: it is in use" in post(client, shop, "delete", free, used)
    page = post(client, shop, "delete", free, used, agreed="yes")
    assert "1 segment is deleted." in page
    assert "The segment is used by “Newsletter”." in page
    assert list(Segment.objects.values_list("name", flat=True)) == ["Used"]


def test_after_an_action_the_list_is_as_it_was_searched(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    asked = {"action": "refresh", "selected": [segment.pk], "back": "tag=Spr%20ing&q=a\r\nb"}
    answer = client.post(url("segment_several", shop), asked)
    assert answer["Location"] == url("segment_list", shop) + "?tag=Spr+ing&q=a%0D%0Ab"
    assert "Nothing was selected." in post(client, shop, "refresh")


def test_tags_are_typed_ticked_and_shown(client: Client, shop: Workspace) -> None:
    first, second = SegmentFactory(workspace=shop, tags=["Spring"]), SegmentFactory(workspace=shop)
    at = url("segment_tag", shop, second.pk)
    client.post(at, {"tag": ["Spring"], "more": " big   spenders, SPRING,,VIP "})
    second.refresh_from_db()
    assert second.tags == ["big spenders", "Spring", "VIP"]
    assert "big spenders" in words(client.get(url("segment_detail", shop, second.pk)))
    post(client, shop, "tag", first, second, tags="vip, new")
    first.refresh_from_db()
    assert first.tags == ["new", "Spring", "VIP"]
    assert "Type a tag first." in post(client, shop, "tag", first, tags=" , ")
    assert AuditEntry.objects.filter(action="segment.tagged").count() == 3


def test_too_many_or_too_long_tags_are_refused_and_none_is_kept(
    client: Client, shop: Workspace
) -> None:
    segment, full = SegmentFactory(workspace=shop), SegmentFactory(workspace=shop)
    tags.set_tags(full, [f"t{number}" for number in range(20)], by=None)
    assert "at most 20 tags" in post(client, shop, "tag", segment, full, tags="one more")
    at = url("segment_tag", shop, segment.pk)
    for long in ("x" * 51, "a\0b"):
        page = words(client.post(at, {"more": long}, follow=True))
        assert "A tag has at most 50 characters." in page
    segment.refresh_from_db()
    assert segment.tags == []


def test_a_tag_is_renamed_joined_with_another_and_deleted(client: Client, shop: Workspace) -> None:
    both = SegmentFactory(workspace=shop, tags=["old", "VIP"])
    one = SegmentFactory(workspace=shop, tags=["old"])
    client.post(url("segment_tag_rename", shop), {"tag": "old", "name": "Old"})
    assert tags.counted() == [("Old", 2), ("VIP", 1)]
    client.post(url("segment_tag_rename", shop), {"tag": "Old", "name": "vip"})
    both.refresh_from_db()
    one.refresh_from_db()
    assert (both.tags, one.tags) == (["VIP"], ["VIP"])
    page = client.post(url("segment_tag_rename", shop), {"tag": "VIP", "name": ","}, follow=True)
    assert "Give the tag a name, without a comma." in words(page)
    client.post(url("segment_tag_delete", shop), {"tag": "VIP"})
    assert tags.counted() == []
    assert Segment.objects.count() == 2
    with pytest.raises(Refused):
        tags.rename_tag(shop, "a", "x" * 51, by=None)
