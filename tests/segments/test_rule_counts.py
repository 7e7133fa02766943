"""A segment's page tells how many each rule finds, and how many are left after it."""

from typing import Any

import pytest
from django.urls import reverse

from segments import membership_sql, preview
from segments.rule_counts import count_rules
from tests.exports.pages import words
from tests.segments.factories import AttributeFactory, ProfileFactory, SegmentFactory, group, rule
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

RULES = [rule("city", "is", "Paris"), rule("spent", "at_least", "10"), rule("city", "is_not_empty")]


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    AttributeFactory(workspace=workspace, name="city", label="City", type="text")
    AttributeFactory(workspace=workspace, name="spent", label="Spent", type="number")
    people = [("Paris", 5), ("Paris", 20), ("Rome", 20), (None, 20), (None, None)]
    for number, (city, spent) in enumerate(people):
        given = {"city": city, "spent": spent}
        attributes = {name: value for name, value in given.items() if value is not None}
        ProfileFactory(workspace=workspace, key=f"c{number}", attributes=attributes)
    return workspace


def counts(shop: Workspace, match: str) -> list[tuple[int, int]]:
    counted = count_rules(shop, group(*RULES, match=match))
    assert counted.profiles == 5
    return [(one.found, one.kept) for one in counted.rules]


def test_with_all_each_rule_leaves_fewer(shop: Workspace) -> None:
    assert counts(shop, "all") == [(2, 2), (3, 1), (3, 1)]


def test_with_any_each_rule_finds_more(shop: Workspace) -> None:
    assert counts(shop, "any") == [(2, 2), (3, 4), (3, 4)]


def test_with_none_each_rule_leaves_those_it_does_not_find(shop: Workspace) -> None:
    assert counts(shop, "none") == [(2, 3), (3, 1), (3, 1)]


def test_a_group_inside_counts_as_one_rule(shop: Workspace) -> None:
    inner = group(*RULES[:2], match="any")
    counted = count_rules(shop, group(RULES[2], inner))
    assert [(one.found, one.kept) for one in counted.rules] == [(3, 3), (4, 3)]


def page(shop: Workspace, rules: Any) -> str:
    segment = SegmentFactory(workspace=shop, rules=rules)
    client = signed_in(shop)
    address = reverse("segments:segment_rule_counts", args=[shop.slug, segment.pk])
    detail = reverse("segments:segment_detail", args=[shop.slug, segment.pk])
    assert address in client.get(detail).content.decode()
    return words(client.get(address))


def test_the_page_says_each_rule_with_its_counts(shop: Workspace) -> None:
    said = page(shop, group(*RULES))
    assert "City is “Paris” 2 2" in said
    assert "3 1" in said
    assert "of 5 profiles" in said


def test_rules_that_make_no_sense_or_take_too_long_leave_the_page_as_it_is(
    shop: Workspace, monkeypatch: Any
) -> None:
    assert page(shop, group(rule("gone", "is", "x"))).strip() == ""
    monkeypatch.setattr(preview, "SECONDS", 0.1)
    slow = membership_sql.COUNT_RULES.replace("SELECT count(*)", "SELECT pg_sleep(3), count(*)")
    monkeypatch.setattr(membership_sql, "COUNT_RULES", slow)
    assert "takes too long" in page(shop, group(*RULES))
