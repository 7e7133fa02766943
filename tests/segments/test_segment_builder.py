"""The page where rules are made: what it shows as they change, and that nothing typed is lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django.test import Client
from django_scopes import scope

from segments.models import Attribute, Profile, Segment
from segments.rule_tree import RuleError
from segments.segment_services import change_segment, refresh_segment
from tests.exports.pages import words
from tests.segments.factories import SegmentFactory, group, rule
from tests.segments.pages import url
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = pytest.mark.usefixtures("shop")

PARIS = {
    "node": ["0", "0-0"],
    "match-0": "all",
    "subject-0-0": "a:city",
    "operator-0-0": "is",
    "value-0-0": "Paris",
}


def fields(response: Any) -> set[str]:
    """The values of the fields and the options chosen, as `name=value`."""
    page = response.content.decode()
    found = set(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page))
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)".*?>(.*?)</select>', page, re.S):
        found |= {(name, value) for value in re.findall(r'value="([^"]*)" selected', inside)}
    areas = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.S)
    return {f"{name}={value.strip()}" for name, value in [*found, *areas]}


def test_without_attributes_the_page_sends_to_the_sources(workspace: Workspace) -> None:
    Attribute.objects.all().delete()
    page = signed_in(workspace).get(url("segment_add", workspace))
    assert "Import a file of customers first." in words(page)
    assert url("source_add", workspace) in page.content.decode()


def test_a_new_segment_is_saved_and_refreshed(client: Client, shop: Workspace) -> None:
    answer = client.post(url("segment_add", shop), {"name": "Parisians", **PARIS})
    segment = Segment.objects.get()
    assert answer["Location"] == url("segment_detail", shop, segment.pk)
    assert segment.rules == group({"attribute": "city", "operator": "is", "value": "Paris"})
    assert segment.refresh_state == "queued"
    assert segment.created_by == client.member.user  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_typed_is_found_again_after_a_new_sign_in_by_nobody_else_and_until_it_is_saved(
    client: Client, shop: Workspace, is_new: bool
) -> None:
    segment = None if is_new else SegmentFactory(workspace=shop, name="Before")
    where = url("segment_add", shop) if is_new else url("segment_edit", shop, segment.pk)
    opened = client.get(where).context
    token, seen = opened["page"], opened["seen"]
    typed = {"name": "Half a na", "page": token, "seen": seen, **PARIS}
    typed["editing"] = "" if is_new else segment.pk
    kept = client.post(where, {**typed, "keep": "yes"})
    assert (kept.status_code, kept.content) == (204, b"")
    client.logout()
    there = f"{where}?page={token}"
    assert parse_qs(urlsplit(client.post(there, typed).url).query)["next"] == [there]
    client.force_login(client.member.user)  # type: ignore[attr-defined]
    found = fields(client.get(there))
    assert {"name=Half a na", "value-0-0=Paris", f"page={token}", f"seen={seen}"} <= found
    assert "name=Half a na" not in fields(signed_in(shop).get(there))
    assert "name=Half a na" not in fields(client.get(where))
    client.post(there, typed)
    assert "name=Half a na" not in fields(client.get(url("segment_add", shop) + f"?page={token}"))


def test_a_segment_is_edited_from_what_it_was(client: Client, shop: Workspace) -> None:
    rules = group(
        rule("city", "is_any_of", ["Paris", "Rome"]),
        group(rule("points", "between", [2, 4]), rule("born", "month_is", 3), match="none"),
    )
    segment = SegmentFactory(workspace=shop, name="Both", description="Two towns", rules=rules)
    page = client.get(url("segment_edit", shop, segment.pk))
    assert {
        "name=Both",
        "description=Two towns",
        "match-0=all",
        "subject-0-0=a:city",
        "operator-0-0=is_any_of",
        "value-0-0=Paris\nRome",
        "match-0-1=none",
        "value-0-1-0=2",
        "value2-0-1-0=4",
        "operator-0-1-1=month_is",
        "value-0-1-1=3",
    } <= fields(page)
    client.post(url("segment_edit", shop, segment.pk), {"name": "Less", **PARIS})
    segment.refresh_from_db()
    assert (segment.name, len(segment.rules["rules"])) == ("Less", 1)


def test_who_saves_second_is_told_and_keeps_what_they_entered(
    client: Client, shop: Workspace
) -> None:
    segment = SegmentFactory(workspace=shop, name="Parisians")
    where = url("segment_edit", shop, segment.pk)
    seen = client.get(where).context["seen"]
    refresh_segment(segment)
    assert client.post(where, {"name": "Ada’s", "seen": seen, **PARIS}).status_code == 302
    late = {"name": "Ben’s", "seen": seen, **PARIS}
    page = client.post(where, late)
    assert page.status_code == 409
    assert "It has changed since it was read" in page.content.decode()
    assert page.context["form"]["name"].value() == "Ben’s"
    assert Segment.objects.get().name == "Ada’s"
    client.post(where, late | {"seen": page.context["seen"]})
    assert Segment.objects.get().name == "Ben’s"


@pytest.mark.parametrize("at", ["segment_rules", "segment_add"])
def test_rules_and_groups_are_added_and_removed_and_the_rest_stays(
    client: Client, shop: Workspace, at: str
) -> None:
    """With a script the rules alone are asked for, without one the whole page."""
    where = url(at, shop)
    added = client.post(where, {**PARIS, "action": "add-rule:0"})
    assert {"node=0-1", "value-0-0=Paris", "operator-0-0=is"} <= fields(added)
    grouped = client.post(where, {**PARIS, "action": "add-group:0"})
    assert {"node=0-1", "node=0-1-0", "match-0-1=any", "value-0-0=Paris"} <= fields(grouped)
    removed = client.post(
        where,
        {
            **PARIS,
            "node": ["0", "0-0", "0-1", "0-1-0"],
            "match-0-1": "none",
            "subject-0-1-0": "a:points",
            "operator-0-1-0": "at_least",
            "value-0-1-0": "3",
            "action": "remove:0-0",
        },
    )
    assert {"match-0-0=none", "value-0-0-0=3"} <= fields(removed)
    assert "node=0-1" not in fields(removed)
    assert "autofocus" in removed.content.decode()


def test_without_a_script_an_action_keeps_name_and_description(
    client: Client, shop: Workspace
) -> None:
    page = client.post(
        url("segment_add", shop),
        {"name": "Half done", "description": "Why", **PARIS, "action": "add-rule:0"},
    )
    assert {"name=Half done", "description=Why"} <= fields(page)
    assert not Segment.objects.exists()


def test_another_attribute_offers_the_comparisons_of_its_type(
    client: Client, shop: Workspace
) -> None:
    changed = {**PARIS, "subject-0-0": "a:points", "value-0-0": "3"}
    answer = client.post(url("segment_rules", shop), changed)
    assert {"operator-0-0=equals", "value-0-0=3"} <= fields(answer)
    assert 'value="is_any_of"' not in answer.content.decode()
    assert answer["HX-Trigger-After-Settle"] == "rules-changed"


def test_count_and_ten_members_are_shown_as_rules_change(client: Client, shop: Workspace) -> None:
    at = url("segment_preview", shop)
    page = words(client.post(at, PARIS))
    assert "6 of 12 profiles (50" in page
    assert "6 of them" in page
    assert "c00" in page
    assert "c06" not in page
    several = {**PARIS, "operator-0-0": "is_not", "value-0-0": "Nowhere"}
    page = words(client.post(at, several))
    assert "12 of 12" in page
    assert "10 of them" in page
    assert len(set(re.findall(r"\bc\d\d\b", page))) == 10


def test_count_and_members_follow_the_profiles_there_are(client: Client, shop: Workspace) -> None:
    Profile.objects.filter(attributes__city="Paris").exclude(key="c03").delete()
    page = words(client.post(url("segment_preview", shop), PARIS))
    assert "1 of 7 profiles" in page
    assert "One of them" in page
    none = words(client.post(url("segment_preview", shop), {**PARIS, "value-0-0": "Oslo"}))
    assert "0 of 7 profiles" in none
    assert "of them" not in none


def test_a_look_at_rules_that_make_no_sense_says_which_and_why(
    client: Client, shop: Workspace
) -> None:
    answer = client.post(
        url("segment_preview", shop),
        {
            **PARIS,
            "node": ["0", "0-0", "0-1"],
            "subject-0-1": "a:points",
            "operator-0-1": "equals",
            "value-0-1": "many",
        },
    )
    assert "“many” is not a number. Write it as 1234.5." in words(answer)
    assert 'href="#node-0-1"' in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subject-0-0": ""}, "Choose an attribute."),
        ({"value-0-0": " "}, "Give a value."),
        ({"node": ["0"]}, "This group is empty. Add a rule to it, or remove it."),
        ({"subject-0-0": "a:points", "operator-0-0": "equals"}, "“Paris” is not a number."),
        ({"subject-0-0": "a:born", "operator-0-0": "on"}, "“Paris” is not a date."),
        ({"subject-0-0": "a:born", "operator-0-0": "month_is"}, "Choose a month."),
        ({"subject-0-0": "a:points", "operator-0-0": "between"}, "Give both values."),
        ({"match-0": "some"}, "A group matches all, any or none of its rules."),
        ({"value-0-0": "a\0b"}, "a character that no text can hold"),
        ({"subject-0-0": "segment"}, "Choose a segment."),
        ({"subject-0-0": "segment", "value-0-0": "999999"}, "That segment is no longer there."),
    ],
)
def test_rules_that_make_no_sense_are_not_saved_and_nothing_typed_is_lost(
    client: Client, shop: Workspace, changes: dict[str, Any], says: str
) -> None:
    SegmentFactory(workspace=shop)
    entered = {"name": "Mine", "description": "Why", **PARIS, **changes}
    answer = client.post(url("segment_add", shop), entered)
    assert answer.status_code == 422
    assert says in words(answer)
    kept = fields(answer)
    assert {"name=Mine", "description=Why"} <= kept
    if "is not" in says:
        assert "value-0-0=Paris" in kept
    assert Segment.objects.count() == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "taken", "a\0b"])
def test_a_name_is_needed_and_is_used_once(client: Client, shop: Workspace, name: str) -> None:
    SegmentFactory(workspace=shop, name="Taken")
    answer = client.post(url("segment_add", shop), {"name": name, **PARIS})
    assert answer.status_code == 422
    assert "value-0-0=Paris" in fields(answer)
    assert Segment.objects.count() == 1


def test_a_segment_cannot_depend_on_itself_by_way_of_another(
    client: Client, shop: Workspace
) -> None:
    first = SegmentFactory(workspace=shop, name="First")
    second = SegmentFactory(
        workspace=shop, name="Second", rules=group({"segment": first.pk, "operator": "member"})
    )
    entered = {"subject-0-0": "segment", "operator-0-0": "member", "value-0-0": second.pk}
    answer = client.post(url("segment_edit", shop, first.pk), {"name": "First", **PARIS, **entered})
    assert "This segment would depend on itself." in words(answer)
    assert f"value-0-0={second.pk}" in fields(answer)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_save_at_once_cannot_close_a_circle(shop: Workspace) -> None:
    first, second = SegmentFactory.create_batch(2, workspace=shop)
    start = Barrier(2)

    def build_on(segment: Segment, other: Segment) -> bool:
        with scope(workspace=shop):
            try:
                start.wait()
                rules = group({"segment": other.pk, "operator": "member"})
                change_segment(
                    Segment.objects.get(pk=segment.pk),
                    name=segment.name,
                    rules=rules,
                    description="",
                    by=None,
                )
            except RuleError:
                return False
            finally:
                connections.close_all()
        return True

    with ThreadPoolExecutor(2) as people:
        for _ in range(5):
            Segment.objects.update(rules=group(rule("city", "is", "Paris")))
            saved = people.map(build_on, (first, second), (second, first))
            assert sorted(saved) == [False, True]


def test_values_met_often_are_suggested(client: Client, shop: Workspace) -> None:
    at = url("segment_values", shop)
    options = client.get(at, {"attribute": "city", "to": "value-0-0", "value-0-0": "r"})
    assert words(options).split() == ["Rome", "6", "Paris", "6"]
    buttons = client.get(at, {"attribute": "city", "to": "value-0-0", "q": ""}).content.decode()
    assert 'data-value="Rome" data-to="value-0-0"' in buttons
    assert client.get(at, {"attribute": "nothing"}).status_code == 404


@pytest.mark.parametrize("page", ["segment_add", "segment_rules", "segment_preview"])
def test_nonsense_from_no_browser_is_no_error(client: Client, shop: Workspace, page: str) -> None:
    deep = ["0"] + ["-".join(["0"] * count) for count in range(2, 30)]
    for entered in (
        {},
        {"node": ["0", "x", "0--", "9-9", "٣-٣", "0-0"], "subject-0-0": "x", "operator-0-0": "is"},
        {"node": deep, **{f"match-{path}": "all" for path in deep}},
        {**PARIS, "action": "remove:0", "editing": "9" * 40, "page": "%s"},
        {**PARIS, "action": "add-group:9-9", "editing": "²", "page": "0" * 8},
    ):
        assert client.post(url(page, shop), entered).status_code in (200, 422)
