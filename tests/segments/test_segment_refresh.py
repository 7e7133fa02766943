"""Refreshes of segments: members computed and kept, failures that lose nobody, workers that die."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from django_scopes import scope

from config.database_roles import as_owner
from segments.membership import SegmentBusy, refresh_segment
from segments.models import Attribute, Profile, Segment, SegmentMember, SegmentRefresh
from segments.refreshing import refresh_with_dependents
from segments.segment_services import delete_segment, request_refresh
from segments.tasks import refresh_segment_task, sweep
from tests.another_session import held_elsewhere
from tests.conftest import wait_until
from tests.segments.factories import ProfileFactory, SegmentFactory, group, make_customers, rule
from tests.workspaces.factories import WorkspaceFactory
from workspaces import execution, locks, services
from workspaces.models import Refresh, Workspace


def members(segment: Segment) -> list[str]:
    ids = SegmentMember.objects.filter(segment=segment).values("profile_id")
    return list(Profile.objects.filter(pk__in=ids).order_by("key").values_list("key", flat=True))


def in_segment(segment: Segment, operator: str = "member") -> dict[str, Any]:
    return group({"segment": segment.pk, "operator": operator})


def state(segment: Segment) -> tuple[str, str, int]:
    segment.refresh_from_db()
    return segment.refresh_state, segment.refresh_reason, segment.member_count


def test_membership_is_computed_and_kept_with_its_history(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    first = refresh_segment(segment)
    assert (first.count, first.joined, first.left, first.succeeded) == (6, 6, 0, True)
    assert members(segment) == ["c00", "c01", "c02", "c03", "c04", "c05"]
    Profile.objects.filter(key__in=["c00", "c01"]).update(attributes={"city": "Rome"})
    ProfileFactory(workspace=shop, key="c99", attributes={"city": "paris"})
    assert len(members(segment)) == 6, "it changed without a refresh"
    second = refresh_segment(segment)
    assert (second.count, second.joined, second.left) == (5, 1, 2)
    assert members(segment) == ["c02", "c03", "c04", "c05", "c99"]
    third = refresh_segment(segment)
    assert (third.count, third.joined, third.left) == (5, 0, 0)
    assert state(segment) == ("succeeded", "", 5)
    assert segment.refreshes.count() == 3


def test_a_profile_that_is_gone_leaves(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    Profile.objects.filter(key="c00").delete()
    assert refresh_segment(segment).left == 1


def test_nobody_of_another_workspace_becomes_a_member(shop: Workspace) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        make_customers(other)
    segment = SegmentFactory(workspace=shop)
    assert refresh_segment(segment).count == 6


def test_relative_dates_start_from_the_day_of_the_refresh(shop: Workspace) -> None:
    last_month = {"attribute": "born", "operator": "in_last", "value": 1, "unit": "months"}
    segment = SegmentFactory(workspace=shop, rules=group(last_month))
    assert refresh_segment(segment, datetime(1985, 3, 20, tzinfo=UTC)).count == 1
    assert members(segment) == ["c05"]
    assert refresh_segment(segment, datetime(1985, 4, 20, tzinfo=UTC)).left == 1


def test_a_failed_refresh_keeps_the_members_and_says_why(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    refreshed_at = Segment.objects.get().refreshed_at
    Attribute.objects.filter(name="city").delete()
    failed = refresh_segment(segment)
    assert (failed.succeeded, failed.reason, failed.count) == (False, "rules", 6)
    assert state(segment) == ("failed", "rules", 6)
    assert len(members(segment)) == 6
    assert segment.refreshed_at == refreshed_at


def test_a_fault_of_the_database_keeps_the_members(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    refresh_segment(segment)
    Profile.objects.filter(key="c00").delete()
    with as_owner(connection), connection.cursor() as cursor:
        # What a full disk or a failing replica would be to the statement that stores who joins.
        cursor.execute("ALTER TABLE segments_segmentmember ADD CHECK (profile_id < 0) NOT VALID")
    ProfileFactory(workspace=shop, attributes={"city": "Paris"})
    assert refresh_segment(segment).reason == "database"
    assert state(segment) == ("failed", "database", 6)
    assert SegmentMember.objects.filter(segment=segment).count() == 6


def test_what_depends_on_a_failed_segment_fails_too_and_keeps_its_members(
    shop: Workspace,
) -> None:
    inner = SegmentFactory(workspace=shop)
    outer = SegmentFactory(workspace=shop, rules=in_segment(inner, "not_member"))
    refresh_with_dependents(inner)
    assert len(members(outer)) == 6
    Segment.objects.filter(pk=inner.pk).update(rules=group(rule("gone", "is", "x")))
    refresh_with_dependents(inner)
    assert state(outer) == ("failed", "part", 6)
    assert len(members(outer)) == 6


def test_what_a_segment_depends_on_is_refreshed_before_it_and_what_depends_on_it_after(
    shop: Workspace,
) -> None:
    inner = SegmentFactory(workspace=shop)
    middle = SegmentFactory(workspace=shop, rules=in_segment(inner))
    outer = SegmentFactory(workspace=shop, rules=in_segment(middle, "not_member"))
    done = refresh_with_dependents(middle)
    assert done is not None
    assert done.count == 6
    assert [len(members(one)) for one in (inner, middle, outer)] == [6, 6, 6]
    assert members(outer)[0] == "c06"


def test_segments_in_a_circle_fail_and_the_others_do_not(shop: Workspace) -> None:
    first = SegmentFactory(workspace=shop)
    second = SegmentFactory(workspace=shop, rules=in_segment(first))
    Segment.objects.filter(pk=first.pk).update(rules=in_segment(second))
    alone = SegmentFactory(workspace=shop)
    refresh = services.start_refresh(shop, trigger=Refresh.Trigger.COMMAND, in_worker=False)
    execution.run_refresh(shop.pk, refresh.pk)
    assert Counter(refresh.steps.values_list("state", flat=True)) == {"failed": 2, "succeeded": 1}
    assert "lead back to itself" in str(refresh.steps.filter(state="failed").first().reason)
    assert [state(one)[:2] for one in (first, second, alone)] == [
        ("failed", "circle"),
        ("failed", "circle"),
        ("succeeded", ""),
    ]


def test_a_refresh_goes_through_the_segments_in_the_order_in_which_they_depend(
    shop: Workspace,
) -> None:
    inner = SegmentFactory(workspace=shop, name="Z, the part")
    outer = SegmentFactory(workspace=shop, name="A, the whole", rules=in_segment(inner))
    broken = SegmentFactory(workspace=shop, name="M, broken", rules=group(rule("gone", "is", "x")))
    refresh = services.start_refresh(shop, trigger=Refresh.Trigger.COMMAND, in_worker=False)
    execution.run_refresh(shop.pk, refresh.pk)
    steps = {step.name: step for step in refresh.steps.all()}
    assert steps[inner.name].position < steps[outer.name].position
    assert steps[outer.name].counts == {"members": 6, "joined": 6, "left": 0}
    assert steps[outer.name].needs == [steps[inner.name].position]
    assert steps[broken.name].state == "failed"
    assert steps[broken.name].reason


@pytest.mark.django_db(transaction=True)
def test_two_refreshes_of_a_segment_never_go_on_at_once(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    with held_elsewhere(locks.SEGMENT, segment.pk), pytest.raises(SegmentBusy):
        refresh_segment(segment)
    assert state(segment)[0] == "never"
    assert refresh_segment(segment).count == 6


@pytest.mark.django_db(transaction=True)
def test_several_refreshes_at_once_end_in_the_right_members(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)

    def one_more(_number: int) -> SegmentRefresh | None:
        try:
            with scope(workspace=shop):
                return refresh_segment(Segment.objects.get(pk=segment.pk))
        except SegmentBusy:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as workers:
        done = [one for one in workers.map(one_more, range(12)) if one]
    assert {one.count for one in done} == {6}
    assert sum(one.joined for one in done) == 6
    assert len(members(segment)) == 6


@pytest.mark.django_db(transaction=True)
def test_a_refresh_asked_for_during_another_is_still_to_come(shop: Workspace) -> None:
    """Whoever saves rules while the old ones are computed waits for a refresh with the new."""
    segment = SegmentFactory(workspace=shop)

    def refresh() -> None:
        with scope(workspace=shop):
            refresh_segment(Segment.objects.get(pk=segment.pk))
        connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE segments_segmentmember")
            going_on = worker.submit(refresh)
            wait_until(lambda: state(segment)[0] == "running")
            request_refresh(segment)
        going_on.result()
    assert state(segment) == ("queued", "", 6)


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_takes_up_a_refresh_whose_worker_died_and_no_other(
    shop: Workspace, worker: Any
) -> None:
    lost, alive, fresh = SegmentFactory.create_batch(3, workspace=shop, refresh_state="running")
    long_ago = timezone.now() - timedelta(minutes=10)
    Segment.objects.update(refresh_requested_at=long_ago)
    Segment.objects.filter(pk=fresh.pk).update(refresh_requested_at=timezone.now())
    with held_elsewhere(locks.SEGMENT, alive.pk):
        sweep()
        wait_until(lambda: state(lost)[0] == "succeeded", what="the lost refresh")
        assert len(members(lost)) == 6
        assert [state(one)[0] for one in (alive, fresh)] == ["running", "running"]
        assert Segment.objects.get(pk=alive.pk).refresh_requested_at == long_ago


def test_a_segment_deleted_meanwhile_keeps_nothing(shop: Workspace) -> None:
    segment = SegmentFactory(workspace=shop)
    stale = Segment.objects.get(pk=segment.pk)
    delete_segment(segment, by=None)
    with pytest.raises(Segment.DoesNotExist):
        refresh_segment(stale)
    refresh_segment_task(shop.pk, stale.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM segments_segmentmember")
        assert cursor.fetchone()[0] == 0
