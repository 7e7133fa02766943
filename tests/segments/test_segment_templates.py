"""Templates: rules to start a segment from, fitted to what the workspace knows of people."""

import pytest
from django.test import Client
from django.urls import reverse

from segments.models import Segment
from segments.preview import look
from segments.segment_templates import fitting
from tests.exports.pages import words
from tests.segments.factories import AttributeFactory, ProfileFactory, SegmentFactory
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

ATTRIBUTES = {
    "BirthDate": "date",
    "CustomerSince": "date",
    "LastPurchase": "datetime",
    "City": "text",
    "EmailAddress": "text",
    "TotalSpent": "number",
    "Vip": "boolean",
}


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    for position, (name, kind) in enumerate(ATTRIBUTES.items()):
        AttributeFactory(workspace=workspace, name=name, type=kind, position=position)
    for number in range(20):
        ProfileFactory(
            workspace=workspace,
            attributes={
                "EmailAddress": f"p{number}@example.org",
                "City": "Vic" if number else "Olot",
                "TotalSpent": number,
                "LastPurchase": "2020-01-01T00:00:00Z",
            },
        )
    return workspace


@pytest.fixture
def client(shop: Workspace) -> Client:
    return signed_in(shop)


def names(workspace: Workspace) -> list[str]:
    return [one.name for one in fitting(workspace)]


def test_each_is_offered_where_an_attribute_fits_it(shop: Workspace, client: Client) -> None:
    offered = ["birthday", "new", "jubilee", "quiet", "active", "place", "best", "yes", "mail"]
    assert names(shop) == offered
    page = words(client.get(reverse("segments:segment_start", args=[shop.slug])))
    assert (
        "No activity for 180 days Lastpurchase is longer ago than 180 days or Lastpurchase is empty"
        in page
    )


def test_without_attributes_there_is_none_and_the_page_sends_to_the_sources(
    workspace: Workspace,
) -> None:
    assert names(workspace) == []
    page = signed_in(workspace).get(reverse("segments:segment_start", args=[workspace.slug]))
    assert "Import a file of customers first." in words(page)


@pytest.mark.parametrize(
    ("name", "count"), [("quiet", 20), ("active", 0), ("place", 19), ("best", 3), ("mail", 20)]
)
def test_its_rules_make_sense_and_find_whom_it_says(shop: Workspace, name: str, count: int) -> None:
    template = next(one for one in fitting(shop) if one.name == name)
    assert look(shop, template.rules()).count == count


def test_the_builder_starts_from_it(shop: Workspace, client: Client) -> None:
    at = reverse("segments:segment_add", args=[shop.slug])
    for template in fitting(shop):
        page = client.get(at, {"template": template.name})
        assert template.title in page.content.decode()
    place = client.get(at, {"template": "place"}).content.decode()
    assert 'value="is_any_of" selected' in place
    assert "Vic</textarea>" in place
    assert client.get(at, {"template": "none such"}).status_code == 200
    assert not Segment.objects.exists()


def test_the_others_are_those_not_in_the_largest_segment(shop: Workspace) -> None:
    from segments.membership import refresh_segment

    segment = SegmentFactory(workspace=shop, rules=fitting(shop)[-1].rules())
    refresh_segment(segment)
    template = fitting(shop)[-1]
    assert template.name == "others"
    assert look(shop, template.rules()).count == 0
