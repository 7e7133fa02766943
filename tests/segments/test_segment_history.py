"""A segment's history: who joined and left between refreshes, the chart, what is kept of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from segments import charts, history, membership
from segments.history import Point
from segments.membership import refresh_segment
from segments.models import Profile, Segment, SegmentChange, SegmentRefresh
from tests.exports.pages import words
from tests.segments.factories import ProfileFactory, SegmentFactory
from workspaces.charts import rounded_up
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.usefixtures("shop")


def url(name: str, segment: Segment) -> str:
    return reverse(f"segments:{name}", args=[segment.workspace.slug, segment.pk])


def move(keys: list[str], city: str) -> None:
    Profile.objects.filter(key__in=keys).update(attributes={"city": city})


def changed(since: SegmentRefresh, until: SegmentRefresh, joined: bool) -> list[str]:
    ids = history.changed_profiles(since, until, joined)
    found = Profile.objects.filter(pk__in=ids).order_by("key")
    return list(found.values_list("key", flat=True))


def three_refreshes(shop: Workspace) -> tuple[Segment, list[SegmentRefresh]]:
    """c00 leaves and c06 joins; then c00 is back, c01 leaves."""
    segment = SegmentFactory(workspace=shop)
    done = [refresh_segment(segment)]
    move(["c00"], "Rome")
    move(["c06"], "Paris")
    done.append(refresh_segment(segment))
    move(["c00"], "Paris")
    move(["c01"], "Rome")
    done.append(refresh_segment(segment))
    return segment, done


def test_who_joined_and_who_left_is_known_between_any_two_refreshes(shop: Workspace) -> None:
    _segment, (first, second, third) = three_refreshes(shop)
    assert (changed(first, second, True), changed(first, second, False)) == (["c06"], ["c00"])
    assert (changed(second, third, True), changed(second, third, False)) == (["c00"], ["c01"])
    # Who left and came back was there both times.
    assert (changed(first, third, True), changed(first, third, False)) == (["c06"], ["c01"])


def test_the_first_refresh_writes_down_nobody(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    first = refresh_segment(segment)
    assert (first.joined, first.keeps_changes) == (6, False)
    assert not SegmentChange.objects.exists()


def test_a_segment_that_was_empty_keeps_who_joins_it(shop: Workspace) -> None:
    keys = [f"c{number:02}" for number in range(6)]
    move(keys, "Rome")
    segment = SegmentFactory(workspace=shop)
    empty = refresh_segment(segment)
    move(keys[:2], "Paris")
    assert changed(empty, refresh_segment(segment), True) == ["c00", "c01"]


def test_only_so_many_refreshes_keep_their_changes(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "MOST_REFRESHES", 2)
    segment, (_first, second, third) = three_refreshes(shop)
    move(["c02"], "Rome")
    fourth = refresh_segment(segment)
    assert history.comparable(segment) == [fourth, third, second]
    assert not SegmentChange.objects.filter(refresh=second).exists()
    assert SegmentChange.objects.filter(refresh=third).exists()


def test_only_so_many_people_are_kept_but_the_last_refresh_always_is(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "MOST_CHANGES", 1)
    segment, (_first, second, third) = three_refreshes(shop)
    assert history.comparable(segment) == [third, second]
    assert SegmentChange.objects.filter(refresh=third).count() == 2


def test_a_failed_refresh_keeps_no_changes(shop: Workspace) -> None:
    segment, (*_before, third) = three_refreshes(shop)
    Segment.objects.filter(pk=segment.pk).update(rules={"match": "all", "rules": []})
    assert not refresh_segment(segment).succeeded
    assert history.comparable(segment)[0] == third


def test_the_page_shows_both_lists_and_says_who_is_gone(client: Client, shop: Workspace) -> None:
    segment, (first, _second, third) = three_refreshes(shop)
    at = url("segment_changes", segment)
    page = words(client.get(at, {"since": first.pk, "until": third.pk}))
    assert "Joined 1" in page
    assert "Left 1" in page
    assert "c06" in page
    left = words(client.get(at, {"since": third.pk, "until": first.pk, "way": "left"}))
    assert "c01" in left
    Profile.objects.filter(key="c01").delete()
    left = words(client.get(at, {"since": first.pk, "until": third.pk, "way": "left"}))
    assert "Their profiles are gone." in left
    assert client.get(at, {"since": "x", "until": "9" * 30, "after": "a\0"}).status_code == 200


def test_where_people_only_left_they_are_shown_first(client: Client, shop: Workspace) -> None:
    segment, (first, _second, third) = three_refreshes(shop)
    at = url("segment_changes", segment)
    between = {"since": first.pk, "until": third.pk}
    assert client.get(at, between).context["way"] == "joined"
    SegmentChange.objects.filter(joined=True).delete()
    page = client.get(at, between)
    assert page.context["way"] == "left"
    assert "c01" in words(page)
    assert client.get(at, between | {"way": "joined"}).context["way"] == "joined"


def test_a_long_list_comes_page_by_page(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    for number in range(60):
        ProfileFactory(workspace=shop, key=f"n{number:02}", attributes={"city": "Paris"})
    refresh_segment(segment)
    at = url("segment_changes", segment)
    first = client.get(at, {"way": "joined"})
    assert "n49" in words(first)
    assert "n50" not in words(first)
    assert first.context["previous_url"] == ""
    second = client.get(at + first.context["next_url"])
    assert "n50" in words(second)
    assert "n59" in words(second)
    assert second.context["next_url"] == ""
    back = client.get(at + second.context["previous_url"])
    assert (words(back), back.context["way"]) == (words(first), "joined")


def test_who_joined_and_left_is_downloaded(client: Client, shop: Workspace) -> None:
    segment, (first, _second, third) = three_refreshes(shop)
    asked = {"since": first.pk, "until": third.pk}
    answer = client.get(url("segment_changes_csv", segment), asked)
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines == ["change,key,City,Points,Born", "joined,c06,Paris,,", "left,c01,Rome,,"]
    assert AuditEntry.objects.filter(action="segment.changes_downloaded").exists()


def test_the_history_is_downloaded(client: Client, shop: Workspace) -> None:
    segment, done = three_refreshes(shop)
    answer = client.get(url("segment_history_csv", segment))
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "Refreshed,Members,Joined,Left,Succeeded"
    assert len(lines) == 1 + len(done)
    assert lines[1].endswith(",6,1,1,true")


def test_the_chart_is_drawn_with_its_figures_beside(client: Client, shop: Workspace) -> None:
    segment, _done = three_refreshes(shop)
    for over in ("refreshes", "30", "90", "365", "nonsense"):
        page = client.get(url("segment_detail", segment), {"over": over}).content.decode()
        assert 'class="chart-line"' in page
        assert "style=" not in page[page.index('id="history"') : page.index("</details>")]
        assert "Members 6, Joined 1, Left 1" in page or over != "refreshes"


def test_days_carry_the_size_of_the_refresh_before(shop: Workspace) -> None:
    segment, done = three_refreshes(shop)
    now = timezone.now()
    for refresh, days in zip(done, (40, 10, 0), strict=True):
        SegmentRefresh.objects.filter(pk=refresh.pk).update(at=now - timedelta(days=days))
    points = history.points(segment, "30")
    assert len(points) == 30
    assert {point.count for point in points} == {6}
    assert [place for place, point in enumerate(points) if point.joined] == [19, 29]
    year = history.points(segment, "365")
    assert year[0].count is None
    # Everybody's joining at the first refresh is no change.
    assert sum(point.joined for point in year) == 2


def a_point(**values: Any) -> Point:
    return Point(**{"at": timezone.now(), "count": 1, "joined": 0, "left": 0, **values})


def test_the_chart_keeps_its_proportions() -> None:
    chart = charts.history_chart([a_point(count=None), a_point(count=50, joined=50), a_point()])
    assert chart is not None
    assert (chart.most, chart.half, chart.most_changed) == (60, 30, 60)
    assert chart.line == "M333.3 33.3H666.7V196.7H1000.0"
    assert chart.columns[1].joined_height == "33.3"
    assert charts.history_chart([a_point(count=None)]) is None
    assert charts.history_chart([]) is None


@pytest.mark.parametrize(
    ("number", "most"), [(0, 2), (2, 2), (3, 4), (9, 10), (11, 20), (41_000, 60_000)]
)
def test_the_height_of_a_chart_is_a_round_number(number: int, most: int) -> None:
    assert rounded_up(number) == most


def test_a_sparkline_needs_two_sizes() -> None:
    assert charts.sparkline([5]) == ""
    assert charts.sparkline([5, 5]) == "0.0,12.0 100.0,12.0"
    assert charts.sparkline([0, 10]) == "0.0,22.0 100.0,2.0"


def test_a_deleted_segment_leaves_no_changes(client: Client, shop: Workspace) -> None:
    segment, _done = three_refreshes(shop)
    client.post(url("segment_delete", segment))
    assert not SegmentChange.objects.exists()


def test_a_profiles_page_says_since_when_it_is_in_a_segment(
    shop: Workspace, client: Client
) -> None:
    segment, (first, second, third) = three_refreshes(shop)

    def since(key: str) -> list[tuple[Any, bool]]:
        found = history.belongings_of(Profile.objects.get(key=key))
        return [(one.since, one.is_exact) for one in found]

    assert since("c00") == [(third.at, True)]
    assert since("c06") == [(second.at, True)]
    assert since("c02") == [(first.at, True)]
    assert since("c01") == []
    SegmentChange.objects.filter(refresh_id=second.pk).delete()
    SegmentRefresh.objects.filter(pk=second.pk).update(keeps_changes=False)
    assert since("c02") == [(second.at, False)]
    assert since("c00") == [(third.at, True)]
    at = reverse("segments:profile_detail", args=[shop.slug, Profile.objects.get(key="c02").pk])
    assert f"{segment.name} since before" in words(client.get(at))
