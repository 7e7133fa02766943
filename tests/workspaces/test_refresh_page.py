"""A refresh's page: every step with its state, what it counted, why not, and trying again."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.exports.pages import words
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces import execution, refreshes, services
from workspaces.models import Refresh, RefreshStep, Role, Workspace
from workspaces.refresh_progress import progress_of
from workspaces.refreshes import StepFailed

pytestmark = pytest.mark.django_db


@pytest.fixture
def refresh(workspace: Workspace, kinds: Any) -> Refresh:
    def does(step: RefreshStep) -> dict[str, object]:
        if step.object_id == 1:
            raise StepFailed("The warehouse did not answer. Look at its password.")
        return {"members": 12345}

    kinds.add("segment", {1: set(), 2: {("segment", 1)}, 3: set()}, does)
    refresh = services.start_refresh(workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False)
    execution.run_refresh(workspace.pk, refresh.pk)
    return refresh


def url(refresh: Refresh, name: str = "refresh_detail", *more: int) -> str:
    return reverse(f"workspaces:{name}", args=[refresh.workspace.slug, refresh.pk, *more])


def test_it_tells_each_steps_fate_and_what_it_waited_for(refresh: Refresh) -> None:
    page = signed_in(refresh.workspace).get(url(refresh)).content.decode()
    assert "The warehouse did not answer. Look at its password." in page
    assert "It depends on “segment 1”, which did not succeed." in page
    assert "after segment 1" in page
    assert "12,345 members" in page
    assert "1 of 3 succeeded" in page
    assert "hx-trigger" not in page


def test_what_is_counted_is_told_in_the_number_that_it_has() -> None:
    assert refreshes.counted({"members": 1, "kept": 3, "joined": 0}) == ["1 member"]
    assert refreshes.counted({"members": 1000}) == ["1,000 members"]


def test_time_left_is_told_by_what_the_steps_took_before(workspace: Workspace, kinds: Any) -> None:
    kinds.add("segment", {})
    now = timezone.now()

    def made(state: str, durations: list[tuple[str, float | None]], **values: Any) -> Refresh:
        refresh = Refresh.objects.create(
            workspace=workspace, trigger="member", state=state, planned_at=now, **values
        )
        for position, (step, seconds) in enumerate(durations):
            began = None if seconds is None else now - timedelta(seconds=seconds)
            RefreshStep.objects.create(
                workspace=workspace,
                refresh=refresh,
                position=position,
                kind="segment",
                object_id=position,
                name=f"segment {position}",
                state=step,
                started_at=began,
                finished_at=now if step == "succeeded" else None,
            )
        return refresh

    with scope(workspace=workspace):
        first = made("running", [("waiting", None), ("running", 5)])
        assert progress_of(first).time_left is None, "nothing is known yet"
        first.delete()
        long_ago = now - timedelta(days=1)
        before = [("succeeded", 20.0), ("succeeded", 100.0), ("succeeded", 300.0)]
        made("succeeded", before, created_at=long_ago, finished_at=long_ago)
        goes_on = made(
            "running",
            [("succeeded", 40.0), ("running", 60.0), ("waiting", None), ("waiting", None)],
        )
        # 40 s of the second, 300 s of the third, and of the new one what another took: 40 s.
        assert progress_of(goes_on).time_left == timedelta(seconds=390)
    client = signed_in(workspace)
    pages = [url(goes_on), url(goes_on, "refresh_tree")]
    for name in ("home", "home_refreshes", "schedule", "refreshes"):
        pages.append(reverse(f"workspaces:{name}", args=[workspace.slug]))
    for page in pages:
        said = words(client.get(page))
        assert "1 of 4 steps about 6 min 30 s left" in said, page


def test_of_many_steps_the_first_are_shown_and_what_failed(refresh: Refresh) -> None:
    RefreshStep.objects.bulk_create(
        RefreshStep(
            workspace=refresh.workspace,
            refresh=refresh,
            position=10 + number,
            kind="segment",
            object_id=10 + number,
            name=f"Many {number:02}",
            state="failed" if number == 68 else "succeeded",
        )
        for number in range(70)
    )
    client = signed_in(refresh.workspace)
    page = client.get(url(refresh)).content.decode()
    assert "Many 46" in page
    assert "Many 47" not in page
    assert "Many 68" in page
    assert "51 in all." in page
    assert 'href="' + url(refresh) + '?all=yes">Show all 73</a>' in page
    whole = client.get(url(refresh), {"all": "yes"}).content.decode()
    assert "Many 69" in whole
    assert "in all." not in whole


def test_what_goes_on_is_told_above_all_steps(refresh: Refresh) -> None:
    RefreshStep.objects.create(
        workspace=refresh.workspace,
        refresh=refresh,
        position=10,
        kind="segment",
        object_id=10,
        name="The long one",
        state="running",
    )
    said = words(signed_in(refresh.workspace).get(url(refresh)))
    assert said.index("Running The long one") < said.index("of 4 succeeded")
    assert said.count("Running The long one") == 2


def test_while_it_goes_on_the_tree_renews_itself(workspace: Workspace, kinds: Any) -> None:
    refresh = services.start_refresh(workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False)
    client = signed_in(workspace)
    assert 'hx-trigger="every 1s"' in client.get(url(refresh, "refresh_tree")).content.decode()
    execution.run_refresh(workspace.pk, refresh.pk)
    tree = client.get(url(refresh, "refresh_tree")).content.decode()
    assert "hx-trigger" not in tree
    assert "There was nothing to do" in tree


def test_one_step_or_all_that_failed_are_tried_again(refresh: Refresh) -> None:
    client = signed_in(refresh.workspace, Role.CONTRIBUTOR)
    failed = refresh.steps.get(state="failed")
    page = client.post(url(refresh, "refresh_step_retry", failed.pk), follow=True)
    assert "It is tried again." in page.content.decode()
    refresh.refresh_from_db()
    assert refresh.state == Refresh.State.QUEUED
    states = list(refresh.steps.order_by("position").values_list("state", flat=True))
    assert states == ["waiting", "waiting", "succeeded"]
    again = client.post(url(refresh, "refresh_retry"), follow=True).content.decode()
    assert "already under way" in again


def test_a_viewer_looks_and_does_not_try_again(refresh: Refresh) -> None:
    client = signed_in(refresh.workspace, Role.VIEWER)
    assert "Try again" not in client.get(url(refresh)).content.decode()
    assert client.post(url(refresh, "refresh_retry")).status_code == 403


def test_another_workspaces_refresh_is_not_there(refresh: Refresh, workspace: Workspace) -> None:
    other = WorkspaceFactory()
    client = signed_in(other)
    for name, more in [
        ("refresh_detail", []),
        ("refresh_tree", []),
        ("refresh_retry", []),
        ("refresh_step_retry", [refresh.steps.first().pk]),
    ]:
        address = reverse(f"workspaces:{name}", args=[other.slug, refresh.pk, *more])
        method = client.post if "retry" in name else client.get
        assert method(address).status_code == 404
    with scope(workspace=workspace):
        assert refresh.steps.filter(state="failed").exists()
