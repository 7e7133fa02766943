"""From a segment's page into an export."""

import pytest
from django.urls import reverse
from django_scopes import scope

from exports.models import DestinationSegment
from tests.exports.factories import ConnectionFactory, DestinationFactory, SegmentFactory
from tests.exports.pages import url, words
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces.models import AuditEntry, Workspace


def test_a_segment_is_added_to_an_export_from_its_page(workspace: Workspace) -> None:
    segment = SegmentFactory(workspace=workspace, name="Parisians")
    export = DestinationFactory(workspace=workspace, name="Newsletter")
    had = export.segments.count()
    client = signed_in(workspace)
    page = reverse("segments:segment_detail", args=[workspace.slug, segment.pk])
    assert "No export sends it yet." in words(client.get(page))
    at = url("destination_add_segment", workspace, export.pk)
    others = f"{url('other_exports', workspace)}?segment={segment.pk}"
    assert f'hx-get="{others}"' in client.get(page).content.decode()
    assert at in client.get(others).content.decode()
    for _twice in range(2):
        answer = client.post(at, {"segment": segment.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == page
    assert "“Newsletter” sends this segment too" in words(answer)
    assert export.segments.count() == had + 1
    assert AuditEntry.objects.filter(action="destination.changed").count() == 1
    assert others not in client.get(page).content.decode()
    assert at not in client.get(others).content.decode()


def test_an_inactive_segment_is_added_with_a_warning_and_a_draft_is_not(
    workspace: Workspace,
) -> None:
    export = DestinationFactory(workspace=workspace)
    client, at = signed_in(workspace), url("destination_add_segment", workspace, export.pk)
    resting = SegmentFactory(workspace=workspace, state="inactive")
    assert "runs are skipped" in words(client.post(at, {"segment": resting.pk}, follow=True))
    draft = SegmentFactory(workspace=workspace, state="draft")
    assert "is a draft. Activate it" in words(client.post(at, {"segment": draft.pk}, follow=True))
    assert not DestinationSegment.objects.filter(segment=draft).exists()


@pytest.mark.parametrize("asked", ["", "x", "999999"])
def test_a_segment_that_is_not_there_is_not_added(workspace: Workspace, asked: str) -> None:
    export = DestinationFactory(workspace=workspace)
    at = url("destination_add_segment", workspace, export.pk)
    assert signed_in(workspace).post(at, {"segment": asked}).status_code == 404


def test_nor_is_another_workspaces(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        theirs = SegmentFactory(workspace=other)
    export = DestinationFactory(workspace=workspace)
    at = url("destination_add_segment", workspace, export.pk)
    assert signed_in(workspace).post(at, {"segment": theirs.pk}).status_code == 404


def test_exports_over_accounts_not_shared_are_named_but_not_offered(workspace: Workspace) -> None:
    private = ConnectionFactory(workspace=workspace, sharing="administrators")
    export = DestinationFactory(workspace=workspace, name="Secret", connection=private)
    segment = SegmentFactory(workspace=workspace)
    client = signed_in(workspace, "contributor")
    page = client.get(reverse("segments:segment_detail", args=[workspace.slug, segment.pk]))
    at = f"{url('other_exports', workspace)}?segment={segment.pk}"
    assert f'hx-get="{at}"' in page.content.decode()
    others = client.get(at)
    assert "Not shared with you" in words(others)
    assert url("destination_add_segment", workspace, export.pk) not in others.content.decode()
    offered = signed_in(workspace).get(at).content.decode()
    assert url("destination_add_segment", workspace, export.pk) in offered
    assert signed_in(workspace, "viewer").get(at).status_code == 403


def test_a_segment_is_taken_out_of_an_export_from_its_page(workspace: Workspace) -> None:
    export = DestinationFactory(workspace=workspace, name="Newsletter")
    segment = SegmentFactory(workspace=workspace, name="Parisians")
    client, add = signed_in(workspace), url("destination_add_segment", workspace, export.pk)
    for one in (segment, SegmentFactory(workspace=workspace, name="Romans")):
        client.post(add, {"segment": one.pk})
    page = reverse("segments:segment_detail", args=[workspace.slug, segment.pk])
    at = url("destination_take_out_segment", workspace, export.pk)
    assert at in client.get(page).content.decode()
    answer = client.post(at, {"segment": segment.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == page
    assert "“Newsletter” does not send this segment any more" in words(answer)
    assert segment not in export.segments.all()
    assert AuditEntry.objects.filter(action="destination.changed").count() == 3
    for other in list(export.segments.all()):
        answer = client.post(at, {"segment": other.pk}, follow=True)
    assert "is the only segment of “Newsletter”" in words(answer)
    assert "Give the export another first" in words(answer)
    assert export.segments.count() == 1
    assert client.post(at, {"segment": "9" * 30}).status_code == 404
