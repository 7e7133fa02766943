"""Drafts, active and inactive segments: what is refreshed, what is offered, what exports do."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from exports.configuration import configuration_of
from exports.engine.drive import drive_to_end
from exports.engine.plan import NothingToPlan, check_segments
from exports.models import Run
from exports.runs import start_run
from segments import segment_states
from segments.membership import SegmentRests, refresh_segment
from segments.models import Segment, SegmentMember
from segments.refreshing import plan, refresh_with_dependents
from segments.rule_tree import RuleError
from segments.segment_services import Refused, request_refresh
from segments.tasks import refresh_segment_task
from tests.exports.factories import DestinationFactory
from tests.exports.pages import words
from tests.segments.factories import (
    AttributeFactory,
    SegmentFactory,
    group,
    rule,
)
from tests.segments.pages import url
from workspaces.models import AuditEntry, Refresh, Workspace

pytestmark = pytest.mark.usefixtures("shop")


def entered(**changes: Any) -> dict[str, Any]:
    rules = {"node": ["0", "0-0"], "match-0": "all", "subject-0-0": "a:city"}
    return {**rules, "operator-0-0": "is", "value-0-0": "Paris", "name": "Parisians", **changes}


def test_a_draft_may_hold_rules_that_make_no_sense_yet(client: Client, shop: Workspace) -> None:
    unfinished = entered(**{"value-0-0": "", "draft": "yes", "description": "Not done"})
    page = words(client.post(url("segment_add", shop), unfinished, follow=True))
    draft = Segment.objects.get()
    assert (draft.state, draft.refresh_state) == ("draft", "never")
    assert "The draft “Parisians” is saved." in page
    assert "This is a draft" in page
    form = client.get(url("segment_edit", shop, draft.pk)).content.decode()
    assert 'value="a:city" selected' in form
    assert "Save and activate" in words(client.get(url("segment_edit", shop, draft.pk)))


def test_a_drafts_text_is_kept_without_what_no_text_can_hold(
    client: Client, shop: Workspace
) -> None:
    hostile = entered(**{"subject-0-0": "a:gone", "value-0-0": "a\0b", "draft": "yes"})
    assert client.post(url("segment_add", shop), hostile).status_code == 302
    assert "\0" not in str(Segment.objects.get().rules)


def test_saving_a_draft_without_the_draft_button_activates_it(
    client: Client, shop: Workspace
) -> None:
    client.post(url("segment_add", shop), entered(draft="yes"))
    draft = Segment.objects.get()
    refused = client.post(url("segment_edit", shop, draft.pk), entered(**{"value-0-0": ""}))
    assert refused.status_code == 422
    client.post(url("segment_edit", shop, draft.pk), entered())
    draft.refresh_from_db()
    assert (draft.state, draft.refresh_state) == ("active", "queued")


def test_an_active_segment_never_becomes_a_draft(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    nonsense = entered(**{"value-0-0": "", "draft": "yes"})
    assert client.post(url("segment_edit", shop, segment.pk), nonsense).status_code == 422
    segment.refresh_from_db()
    assert (segment.state, segment.rules) == ("active", group(rule("city", "is", "Paris")))


def test_broken_rules_are_mended_before_they_are_activated(client: Client, shop: Workspace) -> None:
    draft = SegmentFactory(workspace=shop, state="draft", rules=group(rule("gone", "is", "x")))
    page = words(client.post(url("segment_activate", shop, draft.pk), follow=True))
    assert "can’t be activated until its rules are mended. There is no attribute “gone”." in page
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_circle_that_a_draft_closes_is_refused_when_it_is_activated(shop: Workspace) -> None:
    inactive = SegmentFactory(workspace=shop, state="inactive")
    outer = SegmentFactory(
        workspace=shop, rules=group({"segment": inactive.pk, "operator": "member"})
    )
    inactive.rules = group({"segment": outer.pk, "operator": "member"})
    inactive.save()
    with pytest.raises(RuleError, match="would depend on itself"):
        segment_states.activate(inactive, by=None)


def test_drafts_and_inactive_segments_are_not_refreshed(shop: Workspace) -> None:
    active = SegmentFactory(workspace=shop)
    resting = [SegmentFactory(workspace=shop, state=state) for state in ("draft", "inactive")]
    assert [one.object_id for one in plan(Refresh(workspace=shop))] == [active.pk]
    for segment in resting:
        with pytest.raises(SegmentRests):
            refresh_segment(segment)
        with pytest.raises(SegmentRests):
            refresh_with_dependents(segment)
        with pytest.raises(Refused, match="is not active"):
            request_refresh(segment)
    assert not SegmentMember.objects.exists()


def test_deactivating_keeps_the_members_and_forgets_a_refresh_not_begun(
    client: Client, shop: Workspace
) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    request_refresh(segment)
    client.post(url("segment_deactivate", shop, segment.pk))
    refresh_segment_task(shop.pk, segment.pk)
    segment.refresh_from_db()
    assert (segment.state, segment.refresh_state, segment.member_count) == (
        "inactive",
        "succeeded",
        6,
    )
    assert segment.refreshes.count() == 1
    client.post(url("segment_activate", shop, segment.pk))
    segment.refresh_from_db()
    assert (segment.state, segment.refresh_state) == ("active", "queued")
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"segment.deactivated", "segment.activated"} <= actions


def test_deactivating_names_what_depends_on_the_segment(client: Client, shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    SegmentFactory(
        workspace=shop, name="Outer", rules=group({"segment": segment.pk, "operator": "member"})
    )
    DestinationFactory(workspace=shop, name="Newsletter", segments=[segment])
    page = words(client.get(url("segment_detail", shop, segment.pk)))
    asked = page[page.index("Deactivate this segment?") :]
    assert "Newsletter" in asked
    assert "Outer" in asked


def test_what_builds_on_an_inactive_segment_goes_on_with_its_members(shop: Workspace) -> None:
    inner = SegmentFactory(workspace=shop)
    refresh_segment(inner)
    segment_states.deactivate(inner, by=None)
    outer = SegmentFactory(workspace=shop, rules=group({"segment": inner.pk, "operator": "member"}))
    assert refresh_segment(outer).count == 6


def test_what_builds_on_an_inactive_segment_without_members_fails_instead_of_being_empty(
    shop: Workspace,
) -> None:
    inner = SegmentFactory(workspace=shop, state="inactive")
    outer = SegmentFactory(
        workspace=shop, rules=group({"segment": inner.pk, "operator": "not_member"})
    )
    failed = refresh_segment(outer)
    assert (failed.succeeded, failed.reason) == (False, "resting_part")


def test_an_export_of_an_inactive_segment_is_skipped_with_the_reason(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop, name="Parisians")
    refresh_segment(segment)
    other = SegmentFactory(workspace=shop)
    refresh_segment(other)
    export = DestinationFactory(workspace=shop, segments=[segment, other])
    segment_states.deactivate(segment, by=None)
    AttributeFactory(workspace=shop, name="email")
    with pytest.raises(NothingToPlan, match="“Parisians” is not active"):
        check_segments(configuration_of(export))
    run = start_run(export, trigger=Run.Trigger.MEMBER, enqueue=False, dry_run=True)
    drive_to_end(run)
    assert run.state == Run.State.SKIPPED
    assert run.why == {"code": "segment_inactive", "segment": "Parisians"}


def test_drafts_are_offered_neither_to_exports_nor_to_other_segments(
    client: Client, shop: Workspace
) -> None:
    SegmentFactory(workspace=shop, name="Unfinished", state="draft")
    SegmentFactory(workspace=shop, name="At rest", state="inactive")
    DestinationFactory(workspace=shop)
    adding = reverse("exports:destination_add", args=[shop.slug])
    export = words(client.get(adding, {"step": "segments"}))
    assert "Unfinished" not in export
    assert "Inactive: runs are skipped" in export
    some_rule = {"node": ["0", "0-0"], "match-0": "all", "subject-0-0": "segment"}
    rules = words(client.post(url("segment_rules", shop), some_rule))
    assert "Unfinished" not in rules
    assert "At rest" in rules


def test_the_copy_of_a_draft_is_a_draft(client: Client, shop: Workspace) -> None:
    draft = SegmentFactory(workspace=shop, state="draft", tags=["Shop"], rules=group())
    client.post(url("segment_duplicate", shop, draft.pk))
    copy = Segment.objects.exclude(pk=draft.pk).get()
    assert (copy.state, copy.refresh_state, copy.tags) == ("draft", "never", ["Shop"])
