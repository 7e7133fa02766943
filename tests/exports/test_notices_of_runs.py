"""What members and programs are told of runs: of changes for the worse or better, not of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connections import notices as connection_notices
from connections.limiter import Budget
from exports import notices, periodic_notices
from exports.engine.states import move_run
from exports.models import Run
from exports.whys import why
from tests.exports.factories import ConnectionFactory, DestinationFactory, RunFactory
from tests.workspaces.factories import MembershipFactory
from workspaces.models import Endpoint, EndpointDelivery, Event, Notice
from workspaces.notices import topics, webhooks

MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture
def member(workspace: Any) -> Any:
    return MembershipFactory(workspace=workspace)


@pytest.fixture
def destination(workspace: Any, member: Any) -> Any:
    return DestinationFactory(workspace=workspace, name="Weekly letter")


def ended(destination: Any, state: Run.State, **fields: Any) -> Run:
    run = RunFactory(destination=destination, state="confirming", **fields)
    move_run(run, state, why=why("nobody") if state == Run.State.FAILED else {})
    return run


def told(member: Any) -> list[str]:
    return [str(one) for one in Notice.objects.filter(membership=member).order_by("pk")]


def test_a_failure_is_told_once_and_that_it_runs_again_once(destination: Any, member: Any) -> None:
    ended(destination, Run.State.SUCCEEDED)
    ended(destination, Run.State.FAILED)
    ended(destination, Run.State.FAILED)
    ended(destination, Run.State.CANCELLED)
    ended(destination, Run.State.SUCCEEDED)
    ended(destination, Run.State.SUCCEEDED)
    assert told(member) == [
        "The export “Weekly letter” failed: Nobody is in the selected segments.",
        "The export “Weekly letter” runs again.",
    ]


def test_a_trial_run_worries_nobody(destination: Any, member: Any) -> None:
    ended(destination, Run.State.FAILED, dry_run=True)
    assert told(member) == []


def test_rejections_are_told_above_the_share_that_the_workspace_puts_up_with(
    workspace: Any, destination: Any, member: Any
) -> None:
    workspace.rejected_share = 10
    workspace.save()
    destination.refresh_from_db()
    state = Run.State.SUCCEEDED_WITH_REJECTIONS
    ended(destination, state, in_segments=2000, rejected=200)
    assert told(member) == []
    ended(destination, state, in_segments=2000, rejected=201)
    ended(destination, state, in_segments=2000, rejected=300)
    ended(destination, state, in_segments=2000, rejected=1)
    assert told(member) == [
        "“Weekly letter”: Constant Contact rejected 201 of 2,000 profiles, more than 10 %.",
        "“Weekly letter”: few or no profiles are rejected any more.",
    ]


def test_approval_is_asked_for_and_no_longer_once_somebody_decided(
    destination: Any, member: Any
) -> None:
    run = RunFactory(destination=destination, state="planning")
    move_run(run, Run.State.AWAITING_APPROVAL, to_remove=1200)
    notice = Notice.objects.get(membership=member)
    assert "wants to take 1,200 people off its list" in str(notice)
    assert notice.read_at is None
    move_run(run, Run.State.CANCELLED)
    notice = Notice.objects.get(membership=member)
    assert notice.read_at is not None
    assert notice.email_at is None


def test_programs_are_told_of_every_run_and_never_of_a_person(
    workspace: Any, destination: Any
) -> None:
    Endpoint.objects.create(
        workspace=workspace,
        name="Shop",
        url=b"",
        events=[notices.RUN_FINISHED, notices.RUN_NEEDS_APPROVAL],
    )
    run = RunFactory(destination=destination, state="planning", removal={"sample": ["a@b.com"]})
    move_run(run, Run.State.AWAITING_APPROVAL, to_remove=3)
    move_run(run, Run.State.PLANNING)
    move_run(run, Run.State.SENDING, added=5, in_segments=5)
    move_run(run, Run.State.CONFIRMING)
    move_run(run, Run.State.SUCCEEDED)
    kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["run.needs_approval", "run.finished"]
    last = Event.objects.get(kind="run.finished")
    assert (last.data["run"], last.data["state"], last.data["sent"]) == (run.pk, "succeeded", 5)
    assert "@" not in str(list(Event.objects.values("data")))
    assert EndpointDelivery.objects.count() == 2


def test_endpoints_are_told_what_members_are_and_as_often(
    workspace: Any, destination: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Endpoint.objects.create(
        workspace=workspace,
        name="Slack",
        url=b"",
        form=Endpoint.Form.SLACK,
        events=[kind.name for kind in topics.notice_kinds()],
    )
    for state in (Run.State.FAILED, Run.State.FAILED, Run.State.SUCCEEDED, Run.State.SUCCEEDED):
        ended(destination, state, in_segments=10, rejected=1 if state == "succeeded" else 0)
    workspace.refresh_from_db()
    connection = ConnectionFactory(workspace=workspace)
    connection_notices.needs_sign_in(connection)
    connection_notices.is_signed_in(connection)
    spent = Budget(9_000, 10_000, MONDAY)
    monkeypatch.setattr(periodic_notices, "todays_budget", lambda: spent)
    RunFactory(destination=destination, finished_at=MONDAY - timedelta(days=2))
    periodic_notices.tell_due(MONDAY)
    periodic_notices.tell_due(MONDAY)
    events = list(Event.objects.order_by("pk"))
    assert [(one.kind, one.data["change"]) for one in events] == [
        ("notice.run_failed", "began"),
        ("notice.run_failed", "ended"),
        ("notice.run_rejections", "began"),
        ("notice.connection", "began"),
        ("notice.connection", "ended"),
        ("notice.budget", "began"),
        ("notice.weekly_summary", "news"),
    ]
    said = webhooks.request_of(channel.deliveries.get(event=events[1]))[0].decode()
    assert "The export “Weekly letter” runs again." in said


def test_the_budget_is_told_of_once_a_day_where_there_is_a_connection(
    workspace: Any, member: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
    spent = Budget(8_999, 10_000, now + timedelta(hours=2))
    monkeypatch.setattr(periodic_notices, "todays_budget", lambda: spent)
    ConnectionFactory(workspace=workspace)
    periodic_notices.tell_due(now)
    assert told(member) == []
    spent = Budget(9_000, 10_000, now + timedelta(hours=2))
    periodic_notices.tell_due(now)
    periodic_notices.tell_due(now + timedelta(minutes=1))
    assert len(told(member)) == 1
    assert "9,000 of today’s 10,000 requests" in told(member)[0]
    periodic_notices.tell_due(now + timedelta(days=1))
    assert len(told(member)) == 2


def test_the_week_is_summed_up_on_mondays_once(destination: Any, member: Any) -> None:
    before = MONDAY - timedelta(days=2)
    RunFactory(destination=destination, added=1000, changed=234, finished_at=before)
    RunFactory(destination=destination, state="failed", finished_at=before)
    RunFactory(destination=destination, dry_run=True, added=9, finished_at=before)
    RunFactory(destination=destination, added=7, finished_at=MONDAY - timedelta(days=9))
    periodic_notices.tell_due(MONDAY - timedelta(hours=2))
    assert told(member) == []
    periodic_notices.tell_due(MONDAY)
    periodic_notices.tell_due(MONDAY + timedelta(minutes=10))
    assert told(member) == [
        "Last week: runs that went well: 1, failed: 1. Profiles sent: 1,234, taken off lists: 0,"
        " rejected: 0."
    ]
