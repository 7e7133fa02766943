"""What a workspace keeps no longer goes at night; what is still needed stays whatever its age."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from exports.models import Batch, Delivery, Rejection, Run
from segments.models import Import, RefusedRow, SegmentChange, SegmentRefresh
from tests.exports.factories import (
    BatchFactory,
    DestinationFactory,
    RejectionFactory,
    RunFactory,
    SegmentFactory,
)
from tests.exports.pages import words
from tests.segments.factories import ImportFactory, RefusedRowFactory, SourceFactory
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces import retention
from workspaces.models import AuditEntry, Refresh, RefreshStep, Workspace


def ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def run_of(destination: Any, days: int, **values: Any) -> Run:
    return RunFactory(destination=destination, created_at=ago(days), **values)


@pytest.fixture
def keeping_little(workspace: Workspace) -> Workspace:
    """Who was not sent for 30 days, runs and history for 90."""
    workspace.rejections_days, workspace.runs_days, workspace.history_days = 30, 90, 90
    workspace.save()
    return workspace


def test_runs_go_but_those_that_go_on_the_last_and_those_that_the_ledger_hangs_on(
    keeping_little: Workspace,
) -> None:
    destination = DestinationFactory(workspace=keeping_little)
    first, taking_off, done = (run_of(destination, days) for days in (400, 350, 300))
    last_success = run_of(destination, 200, state="succeeded_with_rejections")
    run_of(destination, 150, state="failed", planned_at=None)
    last = run_of(destination, 120, dry_run=True)
    going_on = run_of(DestinationFactory(workspace=keeping_little), 400, state="confirming")
    for run in (first, done, going_on):
        RejectionFactory(run=run)
    known = {"workspace": keeping_little, "destination": destination, "profile_id": 1}
    Delivery.objects.create(
        address="a@example.com", payload_hash=1, batch_id=BatchFactory(run=first).pk, **known
    )
    Delivery.objects.create(
        address="b@example.com", payload_hash=2, leaving_run_id=taking_off.pk, **known
    )
    BatchFactory(run=done)
    theirs = RejectionFactory(run=RunFactory(created_at=ago(400)))

    gone = retention.prune(keeping_little)

    assert gone == {"rejections": 2, "runs": 2}
    assert set(Run.objects.all()) == {first, taking_off, last_success, last, going_on}
    assert set(Rejection.objects.values_list("run", flat=True)) == {going_on.pk}
    assert list(Batch.objects.values_list("run", flat=True)) == [first.pk]
    assert Delivery.objects.count() == 2
    with scope(workspace=theirs.workspace):
        assert list(Rejection.objects.all()) == [theirs]
    entry = AuditEntry.objects.get(action="workspace.pruned")
    assert entry.details == {"rejections": 2, "runs": 2}
    assert retention.prune(keeping_little) == {}
    assert AuditEntry.objects.filter(action="workspace.pruned").count() == 1


def test_a_runs_page_says_that_who_was_not_sent_is_gone(keeping_little: Workspace) -> None:
    run = run_of(DestinationFactory(workspace=keeping_little), 40, in_segments=1, invalid=1)
    RejectionFactory(run=run)
    client = signed_in(keeping_little)
    page = reverse("exports:run_detail", args=[keeping_little.slug, run.pk])
    assert "gone by now" not in words(client.get(page))
    retention.prune(keeping_little)
    assert "Who was not sent is kept for 30 days here, and gone by now." in words(client.get(page))


def test_imports_refreshes_and_refused_rows_go_but_the_last_of_each(
    keeping_little: Workspace,
) -> None:
    source = SourceFactory(workspace=keeping_little)
    loads = [
        ImportFactory(source=source, state=state, finished_at=ago(days))
        for state, days in (
            ("succeeded", 300),
            ("succeeded", 200),
            ("failed", 150),
            ("failed", 100),
        )
    ]
    running = ImportFactory(source=source, state="running", created_at=ago(400))
    for load in (*loads, running):
        RefusedRowFactory(source_import=load)
    states = {300: "succeeded", 200: "failed", 100: "succeeded", 99: "running"}
    for days, state in states.items():
        refresh = Refresh.objects.create(
            workspace=keeping_little,
            state=state,
            trigger="member",
            created_at=ago(days),
            finished_at=None if state == "running" else ago(days),
        )
        RefreshStep.objects.create(
            workspace=keeping_little, refresh=refresh, position=0, kind="export", object_id=1
        )
    gone = {"refused_rows": 4, "imports": 3, "refreshes": 3}
    assert retention.prune(keeping_little) == gone
    assert set(Import.objects.all()) == {loads[1], running}
    assert [row.source_import_id for row in RefusedRow.objects.all()] == [running.pk]
    assert RefreshStep.objects.get().refresh.state == "running"


def test_who_joined_and_left_goes_and_since_when_a_member_is_in_stays_as_true_as_it_is_known(
    keeping_little: Workspace,
) -> None:
    segment = SegmentFactory(workspace=keeping_little)
    history = []
    for days in (400, 300, 200, 10):
        refresh = SegmentRefresh.objects.create(
            workspace=keeping_little, segment=segment, at=ago(days), keeps_changes=days < 400
        )
        SegmentChange.objects.create(
            workspace=keeping_little,
            segment=segment,
            refresh=refresh,
            profile_id=days,
            joined=True,
        )
        history.append(refresh)
    assert retention.prune(keeping_little) == {"joined_and_left": 3}
    assert list(SegmentChange.objects.values_list("profile_id", flat=True)) == [10]
    left = SegmentRefresh.objects.order_by("pk")
    assert [(one.pk, one.keeps_changes) for one in left] == [
        (history[0].pk, False),
        (history[2].pk, False),
        (history[3].pk, True),
    ]


def test_administrators_say_how_long_and_who_is_no_administrator_does_not(
    workspace: Workspace,
) -> None:
    url = reverse("workspaces:retention", args=[workspace.slug])
    values = {
        "rejections_days": "7",
        "files_days": "30",
        "history_days": "ever",
        "runs_days": "365",
        "audit_days": "ever",
    }
    assert signed_in(workspace, "contributor").post(url, values).status_code == 403
    client: Client = signed_in(workspace)
    refused = client.post(url, values | {"files_days": "1"})
    assert "is not one of the available choices" in refused.content.decode()
    assert client.post(url, values).status_code == 302
    kept = Workspace.objects.get(pk=workspace.pk)
    assert (kept.rejections_days, kept.files_days, kept.history_days, kept.runs_days) == (
        7,
        30,
        None,
        365,
    )
    changes = AuditEntry.objects.get(action="workspace.changed").details["changes"]
    assert changes["rejections_days"] == {"was": 90, "becomes": 7}
    assert changes["history_days"] == {"was": 730, "becomes": None}
    assert "audit_days" not in changes
    refused = client.post(url, values | {"rejections_days": "ever"})
    assert "is not one of the available choices" in refused.content.decode()


def test_every_workspace_is_pruned_by_itself(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from workspaces import tasks

    workspaces = {WorkspaceFactory().pk, WorkspaceFactory().pk}
    handed_out: list[int] = []
    monkeypatch.setattr(
        tasks.prune_workspace, "apply_async", lambda args, **_kwargs: handed_out.append(args[0])
    )
    tasks.prune()
    assert set(handed_out) == workspaces
    for pk in handed_out:
        tasks.prune_workspace(pk)
