"""How segments overlap: exact numbers, an honest picture, a segment of any part."""

import math
import re

import pytest
from django.test import Client

from segments import overlap, overlap_picture
from segments.membership import refresh_segment
from segments.models import Segment
from segments.overlap_picture import Circle, picture
from tests.exports.pages import words
from tests.segments.factories import SegmentFactory, group, rule
from tests.segments.pages import url
from workspaces.models import Workspace

pytestmark = pytest.mark.usefixtures("shop")


def made(shop: Workspace, name: str, *rules: dict) -> Segment:
    segment = SegmentFactory(workspace=shop, name=name, rules=group(*rules))
    refresh_segment(segment)
    segment.refresh_from_db()
    return segment


@pytest.fixture
def three(shop: Workspace) -> list[Segment]:
    """Points 0 to 5; 3 to 11; 4 to 7."""
    return [
        made(shop, "Paris", rule("city", "is", "Paris")),
        made(shop, "Three up", rule("points", "at_least", "3")),
        made(shop, "Middle", {**rule("points", "between"), "value": ["4", "7"]}),
    ]


def circles(found: overlap.Overlap) -> list[Circle]:
    drawn = picture(found)
    return drawn.circles if drawn else []


def sizes(found: overlap.Overlap) -> dict[tuple[bool, ...], int]:
    return {part.inside: part.size for part in found.parts}


def test_every_part_is_counted(three: list[Segment]) -> None:
    found = overlap.overlap(three)
    assert sizes(found) == {
        (True, False, False): 3,
        (False, True, False): 4,
        (False, False, True): 0,
        (True, True, False): 1,
        (True, False, True): 0,
        (False, True, True): 2,
        (True, True, True): 2,
    }
    assert found.total == 12
    assert [found.size(place) for place in range(3)] == [6, 9, 4]


def test_the_picture_of_two_has_the_right_areas(three: list[Segment]) -> None:
    found = overlap.overlap(three[:2])
    drawn = picture(found)
    assert drawn
    assert {label.size for label in drawn.labels} == {3, 6}
    one, two = drawn.circles
    first, second = float(one.r), float(two.r)
    lens = overlap_picture._lens(first, second, float(two.x) - float(one.x))
    assert math.isclose((second / first) ** 2, 9 / 6, rel_tol=0.01)
    assert math.isclose(lens / (math.pi * first**2), 3 / 6, rel_tol=0.01)
    for circle in (one, two):
        assert float(circle.x) - float(circle.r) >= 0
        assert float(circle.x) + float(circle.r) <= overlap_picture.WIDTH


def test_of_nobody_no_circle_is_drawn(shop: Workspace, three: list[Segment]) -> None:
    nobody = made(shop, "Nobody", rule("city", "is", "Oslo"))
    assert picture(overlap.overlap([three[0], nobody])) is None


def test_each_number_of_three_is_written_in_just_its_circles(three: list[Segment]) -> None:
    found = overlap.overlap(three)
    drawn = picture(found)
    assert drawn
    assert not drawn.is_to_scale
    inside = {}
    for label in drawn.labels:
        there = tuple(
            math.hypot(float(label.x) - float(one.x), float(label.y) - float(one.y)) < float(one.r)
            for one in drawn.circles
        )
        inside[there] = label.size
    assert inside == sizes(found)
    for one in drawn.circles:
        assert float(one.r) < float(one.x) < drawn.width - float(one.r)
        assert float(one.r) < float(one.y) < drawn.height - float(one.r)


def test_circles_may_lie_apart_or_in_each_other(shop: Workspace, three: list[Segment]) -> None:
    rome = made(shop, "Rome", rule("city", "is", "Rome"))
    one, two = circles(overlap.overlap([three[0], rome]))
    assert float(two.x) - float(one.x) > float(one.r) + float(two.r)
    inner = made(shop, "Six", {**rule("points", "between"), "value": ["6", "7"]})
    one, two = circles(overlap.overlap([rome, inner]))
    assert float(two.x) - float(one.x) <= float(one.r) - float(two.r) + 0.02


def test_the_page_shows_picture_and_numbers(
    client: Client, shop: Workspace, three: list[Segment]
) -> None:
    at = url("segment_overlap", shop)
    assert client.get(at).status_code == 200
    two = client.get(at, {"segment": [three[0].pk, three[1].pk, ""]})
    assert "overlap-picture" in two.content.decode()
    assert "Paris and Three up" in words(two)
    asked = {"segment": [*(one.pk for one in three), three[0].pk, "x", "9" * 40]}
    of_three = words(client.get(at, asked))
    assert "Paris and Three up, not Middle" in of_three
    assert "Three circles can’t be drawn to scale" in of_three
    doubled = client.get(at, {"segment": [three[0].pk, three[0].pk]})
    assert "overlap-parts" not in doubled.content.decode()


def test_what_is_compared_stays_chosen(
    client: Client, shop: Workspace, three: list[Segment]
) -> None:
    asked = {"segment": [three[1].pk, three[0].pk, ""]}
    page = client.get(url("segment_overlap", shop), asked).content.decode()
    selects = re.findall(r'<select[^>]* name="segment">(.*?)</select>', page, re.DOTALL)
    chosen = [re.findall(r" selected>([^<]+)<", select) for select in selects]
    assert chosen == [[three[1].name], [three[0].name], []]
    for select in selects:
        offered = re.findall(r">([^<]+)</option>", select)
        assert offered == ["Choose a segment", *sorted(one.name for one in three)]


def test_a_segment_is_made_of_a_part(client: Client, shop: Workspace, three: list[Segment]) -> None:
    asked = {"segment": [one.pk for one in three], "part": "3", "name": ""}
    client.post(url("segment_overlap_make", shop), asked)
    part = Segment.objects.get(name="Paris and Three up, not Middle")
    assert part.refresh_state == "queued"
    assert refresh_segment(part).count == 1
    again = client.post(url("segment_overlap_make", shop), asked, follow=True)
    assert "Choose a different name." in words(again)
    for wrong in ({"part": "8"}, {"part": "x"}, {"segment": [three[0].pk]}):
        page = client.post(url("segment_overlap_make", shop), asked | wrong, follow=True)
        assert "Choose the segments again" in words(page)
    assert Segment.objects.count() == 4


def test_drafts_are_not_compared(client: Client, shop: Workspace, three: list[Segment]) -> None:
    draft = SegmentFactory(workspace=shop, name="Unfinished", state="draft")
    page = client.get(url("segment_overlap", shop), {"segment": [three[0].pk, draft.pk]})
    assert "Unfinished" not in words(page)
