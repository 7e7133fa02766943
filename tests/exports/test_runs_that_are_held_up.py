"""A run that waits for something is shown to wait, with the reason, wherever its state is shown."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from exports import figures
from exports.models import Run
from tests.exports.factories import DestinationFactory, RunFactory
from tests.exports.pages import administrator, url, viewer, words
from workspaces.models import Refresh, RefreshStep

pytestmark = pytest.mark.django_db

SPENT = "Today’s requests to Constant Contact are spent. It goes on by itself:"


@pytest.fixture
def held_up(workspace: Any) -> Run:
    return RunFactory(
        destination=DestinationFactory(workspace=workspace),
        state="planning",
        planned_at=None,
        finished_at=None,
        waiting_until=timezone.now() + timedelta(hours=4),
        why={"code": "budget_spent"},
    )


def refresh_with(run: Run) -> Refresh:
    refresh = Refresh.objects.create(
        workspace=run.workspace, trigger="member", state="succeeded", finished_at=timezone.now()
    )
    RefreshStep.objects.create(
        workspace=run.workspace,
        refresh=refresh,
        position=0,
        kind="export",
        object_id=run.destination_id,
        name="Letter",
        state="succeeded",
        counts={"run": run.pk},
    )
    return refresh


def pages(run: Run) -> dict[str, str]:
    slug = run.workspace.slug
    refresh = refresh_with(run)
    return {
        "home": f"/w/{slug}/",
        "the exports": url("destination_list", run.workspace),
        "the export": url("destination_detail", run.workspace, run.destination_id),
        "the run": url("run_detail", run.workspace, run.pk),
        "the refresh": reverse("workspaces:refresh_detail", args=[slug, refresh.pk]),
    }


def badges(page: str) -> set[str]:
    return set(re.findall(r'class="status-badge[^>]*>.*?</svg>([^<]*)</span>', page, re.DOTALL))


def test_it_wears_waiting_and_nothing_turns(held_up: Run) -> None:
    client = administrator(held_up.workspace)
    for place, path in pages(held_up).items():
        page = client.get(path).content.decode()
        assert "Waiting" in badges(page), place
        assert "Planning" not in badges(page), place
        # What the preview shows while it is worked out is hidden until then.
        shown = re.sub(r'<span class="busy-note".*?</span>', "", page, flags=re.DOTALL)
        assert "#loader-2" not in shown, place
        assert "<progress aria-label" not in shown, place


def test_it_says_why_and_until_when(held_up: Run) -> None:
    client = viewer(held_up.workspace)
    for place, path in pages(held_up).items():
        if place != "the exports":
            assert SPENT in words(client.get(path)), place


def test_what_every_run_waits_for_is_work(held_up: Run) -> None:
    Run.objects.update(why={"code": "reading_list", "requests": 4})
    client = viewer(held_up.workspace)
    for place, path in pages(held_up).items():
        page = client.get(path).content.decode()
        assert "Planning" in badges(page), place
        assert "Waiting" not in badges(page), place
        assert "It goes on by itself" not in words(client.get(path)), place


def test_once_its_time_has_come_it_works_again(held_up: Run) -> None:
    Run.objects.update(waiting_until=timezone.now() - timedelta(seconds=1))
    client = viewer(held_up.workspace)
    for place, path in pages(held_up).items():
        assert "Planning" in badges(client.get(path).content.decode()), place


def test_open_pages_are_shown_that_it_waits_and_that_it_goes_on(held_up: Run) -> None:
    def shapes() -> list[str]:
        run, place = (held_up.workspace_id, held_up.pk), (held_up.workspace_id,) * 2
        ((loaded),) = figures.runs([run]).values()
        return [
            figures.of_run(loaded).shape,
            figures.of_workspace(figures.runs_of_workspaces([place])[place]).shape,
        ]

    waiting = shapes()
    Run.objects.update(waiting_until=None, why={})
    assert not set(waiting) & set(shapes())


def test_the_refreshs_page_follows_it_until_it_ends(held_up: Run) -> None:
    refresh = refresh_with(held_up)
    tree = reverse("workspaces:refresh_tree", args=[held_up.workspace.slug, refresh.pk])
    client = viewer(held_up.workspace)
    assert "data-moves" in client.get(tree).content.decode()
    Run.objects.update(state="succeeded", waiting_until=None, why={}, finished_at=timezone.now())
    assert "data-moves" not in client.get(tree).content.decode()
