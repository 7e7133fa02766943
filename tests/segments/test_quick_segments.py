"""Quick segments: what is shown is what the segment then finds."""

import pytest
from django.test import Client
from django.urls import reverse

from segments import quick
from segments.membership import refresh_segment, vocabulary
from segments.models import Attribute, Profile, Segment
from segments.quick import Ticked, choices, rules
from segments.rule_tree import read
from segments.segment_services import Refused, create_segment
from tests.exports.pages import words
from tests.segments.factories import AttributeFactory, ProfileFactory, make_customers
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    make_customers(workspace)
    ProfileFactory(workspace=workspace, key="x1", attributes={"city": "PARIS"})
    ProfileFactory(workspace=workspace, key="x2", attributes={})
    return workspace


def attribute(name: str) -> Attribute:
    return Attribute.objects.get(name=name)


def found_by(shop: Workspace, name: str, ticked: Ticked) -> int:
    made = create_segment(
        shop, quick.name_for(attribute(name), ticked), rules(attribute(name), ticked)
    )
    count = refresh_segment(made).count
    made.delete()
    return count


def test_every_choice_finds_as_many_as_it_says(shop: Workspace) -> None:
    for number in range(40):
        ProfileFactory(
            workspace=shop,
            key=f"y{number}",
            attributes={
                "points": number * 1.5,
                "born": f"20{number + 10}-02-28",
                "is_vip": number > 9,
            },
        )
    AttributeFactory(workspace=shop, name="is_vip", type="boolean", position=3)
    AttributeFactory(workspace=shop, name="seen", type="datetime", position=4)
    Profile.objects.filter(key="x2").update(attributes={"seen": "2026-01-31T23:30:00Z"})
    total = Profile.objects.count()
    for name in ("city", "points", "born", "is_vip", "seen"):
        shown = choices(shop, attribute(name))
        assert shown.profiles == total, name
        for one in shown.choices:
            assert found_by(shop, name, Ticked([one.token])) == one.size, (name, one)
        assert found_by(shop, name, Ticked([], empty=True)) == shown.empty
        everything = Ticked([one.token for one in shown.choices], empty=True)
        assert found_by(shop, name, everything) == total - shown.others


def test_of_lists_each_text_is_counted_by_the_profiles_that_have_it(shop: Workspace) -> None:
    AttributeFactory(workspace=shop, name="likes", type="list", position=4)
    for number, likes in enumerate((["Tea", "tea", "Milk"], ["TEA"], [], "odd")):
        ProfileFactory(workspace=shop, key=f"l{number}", attributes={"likes": likes})
    shown = choices(shop, attribute("likes"))
    assert [(one.label, one.size) for one in shown.choices] == [("TEA", 2), ("Milk", 1)]
    assert (shown.overlaps, shown.others, shown.empty) == (True, 0, 14)
    for one in shown.choices:
        assert found_by(shop, "likes", Ticked([one.token])) == one.size
    assert found_by(shop, "likes", Ticked(["TEA", "Milk"])) == 2


def test_text_counts_without_case_and_the_most_frequent_come_first(shop: Workspace) -> None:
    shown = choices(shop, attribute("city"))
    assert [(one.label, one.size) for one in shown.choices] == [("PARIS", 7), ("Rome", 6)]
    assert (shown.empty, shown.others) == (1, 0)


def test_of_many_values_the_rest_is_counted(shop: Workspace) -> None:
    for number in range(30):
        ProfileFactory(workspace=shop, key=f"z{number}", attributes={"city": f"Town {number}"})
    shown = choices(shop, attribute("city"))
    assert len(shown.choices) == quick.MOST_VALUES
    assert shown.others == 12


def test_few_numbers_are_shown_one_by_one_many_in_tenths(shop: Workspace) -> None:
    few = choices(shop, attribute("points"))
    assert [one.label for one in few.choices] == [str(number) for number in range(12)]
    for number in range(12, 100):
        ProfileFactory(workspace=shop, key=f"p{number}", attributes={"points": number})
    many = choices(shop, attribute("points"))
    assert [one.size for one in many.choices] == [10] * 10
    assert many.choices[0].label == "below 10"
    assert many.choices[4].label == "40 to below 50"
    assert many.choices[-1].label == "90 and more"


def test_dates_are_shown_by_the_finest_unit_of_which_there_are_not_too_many(
    shop: Workspace,
) -> None:
    assert choices(shop, attribute("born")).choices[0].label == "1 March 1980"
    for year in range(1900, 1980):
        ProfileFactory(workspace=shop, key=f"b{year}", attributes={"born": f"{year}-06-01"})
    assert [one.label for one in choices(shop, attribute("born")).choices][:2] == [
        "1900–1909",
        "1910–1919",
    ]


def test_spans_that_touch_become_one_rule(shop: Workspace) -> None:
    touching = rules(attribute("points"), Ticked(["10|20", "|10", "40|"]))
    assert touching == {
        "match": "any",
        "rules": [
            {"attribute": "points", "operator": "less_than", "value": "20"},
            {"attribute": "points", "operator": "at_least", "value": "40"},
        ],
    }
    years = Ticked(["1981-01-01|1981-12-31", "1980-01-01|1980-12-31"])
    (one,) = rules(attribute("born"), years)["rules"]
    assert one["value"] == ["1980-01-01", "1981-12-31"]
    read(touching, vocabulary())
    everyone = rules(attribute("points"), Ticked(["|10", "10|"]))
    assert everyone["rules"] == [{"attribute": "points", "operator": "is_not_empty"}]


@pytest.mark.parametrize("token", ["x", "|x", "NaN", "1e999999|", "2020-02-30|2020-03-01", ""])
def test_nonsense_is_refused(shop: Workspace, token: str) -> None:
    client = signed_in(shop)
    at = reverse("segments:segment_quick", args=[shop.slug])
    for name in ("points", "born"):
        answer = client.post(at, {"attribute": name, "value": token})
        assert answer.status_code == 422, (name, token)
    assert not Segment.objects.exists()


def test_nothing_ticked_is_refused(shop: Workspace) -> None:
    with pytest.raises(Refused, match="Tick at least one value"):
        rules(attribute("city"), Ticked())


def test_a_quick_segment_is_made_named_and_refreshed(shop: Workspace) -> None:
    client: Client = signed_in(shop)
    at = reverse("segments:segment_quick", args=[shop.slug])
    page = words(client.get(at, {"attribute": "city"}))
    assert "Rome" in page
    assert "No value" in page
    answer = client.post(at, {"attribute": "city", "value": ["Rome"], "empty": "yes"})
    made = Segment.objects.get()
    assert answer["Location"] == reverse("segments:segment_detail", args=[shop.slug, made.pk])
    assert (made.name, made.refresh_state) == ("City: Rome, no value", "queued")
    again = words(client.post(at, {"attribute": "city", "value": ["Rome"], "name": made.name}))
    assert "Choose a different name." in again
    assert client.get(at, {"attribute": "gone"}).status_code == 200


def test_hostile_values_are_only_values(shop: Workspace) -> None:
    hostile = "'; DROP TABLE x; -- %(name)s <script>"
    ProfileFactory(workspace=shop, key="h", attributes={"city": hostile})
    assert found_by(shop, "city", Ticked([hostile])) == 1
    page = signed_in(shop).get(
        reverse("segments:segment_quick", args=[shop.slug]), {"attribute": "city"}
    )
    assert "<script>'" not in page.content.decode()
    assert "&lt;script&gt;" in page.content.decode()
