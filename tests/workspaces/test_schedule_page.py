"""The schedule's page: turning it on, what comes next, what ran last."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.workspaces.factories import signed_in
from workspaces import services
from workspaces.models import AuditEntry, Refresh, Schedule, Workspace

CHOICE = {
    "enabled": "on",
    "days": [1, 2, 3, 4, 5, 6, 7],
    "every_hours": "0",
    "times": ["18:30", "06:00", "06:00"],
    "time_zone": "Europe/Madrid",
}


def url(workspace: Workspace, name: str = "schedule") -> str:
    return reverse(f"workspaces:{name}", args=[workspace.slug])


def test_it_is_off_until_someone_turns_it_on(workspace: Workspace) -> None:
    page = signed_in(workspace).get(url(workspace)).content.decode()
    assert "the schedule is off" in page
    assert not Schedule.objects.get().enabled


def test_turned_on_it_shows_the_next_three_refreshes_in_local_time(workspace: Workspace) -> None:
    client = signed_in(workspace)
    page = client.post(url(workspace), CHOICE, follow=True).content.decode()
    schedule = Schedule.objects.get()
    assert schedule.times == [time(6), time(18, 30)]
    assert schedule.next_run_at > timezone.now()
    assert "The schedule is saved and on." in page
    assert sum(page.count(f", {at} <span") for at in ("06:00", "18:30")) == 3
    assert AuditEntry.objects.get(action="schedule.changed").details["times"] == ["06:00", "18:30"]


def test_it_may_refresh_every_few_hours_instead(workspace: Workspace) -> None:
    client = signed_in(workspace)
    choice = CHOICE | {"every_hours": "8", "times": []}
    page = client.post(url(workspace), choice, follow=True).content.decode()
    schedule = Schedule.objects.get()
    assert schedule.due_times == [time(0), time(8), time(16)]
    assert schedule.next_run_at - timezone.now() < timedelta(hours=9)
    assert sum(page.count(f", {at} <span") for at in ("00:00", "08:00", "16:00")) == 3
    details = AuditEntry.objects.get(action="schedule.changed").details
    assert details["times"] == ["00:00", "08:00", "16:00"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"days": []}, "Choose at least one day."),
        ({"times": []}, "Add at least one time."),
        ({"times": ["25:00"]}, "Enter a valid time."),
        ({"times": [f"{hour:02}:15" for hour in range(13)]}, "Choose at most 12 times a day."),
        ({"every_hours": "7"}, "Select a valid choice."),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    workspace: Workspace, change: dict[str, Any], error: str
) -> None:
    page = signed_in(workspace).post(url(workspace), CHOICE | change).content.decode()
    assert error in page
    assert not Schedule.objects.get().enabled


def test_turned_off_it_keeps_its_days_and_times_and_is_due_no_more(workspace: Workspace) -> None:
    client = signed_in(workspace)
    client.post(url(workspace), CHOICE)
    client.post(url(workspace), {key: CHOICE[key] for key in CHOICE if key != "enabled"})
    schedule = Schedule.objects.get()
    assert (schedule.enabled, schedule.next_run_at) == (False, None)
    assert schedule.days == CHOICE["days"]


def test_refresh_now_starts_one_and_says_so_when_one_is_under_way(workspace: Workspace) -> None:
    client = signed_in(workspace)
    first = client.post(url(workspace, "refresh_now"), follow=True).content.decode()
    assert "The refresh has started." in first
    second = client.post(url(workspace, "refresh_now"), follow=True).content.decode()
    assert "already under way" in second
    refresh = Refresh.objects.get()
    assert (refresh.trigger, refresh.started_by) == ("member", client.member.user)


def test_the_page_follows_a_refresh_only_while_it_runs(workspace: Workspace) -> None:
    client = signed_in(workspace)
    refresh = services.start_refresh(workspace, trigger="member", by=client.member.user)
    assert 'hx-trigger="every 1s"' in client.get(url(workspace, "refreshes")).content.decode()
    refresh.state, refresh.reason = "failed", "The warehouse did not answer."
    refresh.save()
    fragment = client.get(url(workspace, "refreshes")).content.decode()
    assert "every 1s" not in fragment
    assert "The warehouse did not answer." in fragment


def test_refreshes_are_paged_sorted_and_filtered(workspace: Workspace) -> None:
    client = signed_in(workspace)
    start = timezone.now() - timedelta(days=1)
    for number in range(25):
        begun = start + timedelta(minutes=number)
        Refresh.objects.create(
            workspace=workspace,
            trigger="command" if number == 3 else "schedule",
            state="failed" if number == 4 else "succeeded",
            created_at=begun,
            started_at=begun,
            finished_at=begun + timedelta(seconds=number % 7),
        )

    def minutes(asked: str = "") -> list[int]:
        found = client.get(f"{url(workspace)}{asked}").context["refreshes"]
        return [round((one.created_at - start).total_seconds() / 60) for one, _all, _ended in found]

    assert minutes() == list(range(24, 4, -1))
    older = client.get(url(workspace)).context["next_url"].removesuffix("#refreshes")
    assert minutes(older) == [4, 3, 2, 1, 0]
    assert minutes("?sort=started")[:2] == [0, 1]
    assert minutes("?sort=-took")[:4] == [20, 13, 6, 19]
    assert minutes("?state=failed") == [4]
    assert minutes("?trigger=command") == [3]
    page = client.get(f"{url(workspace)}?state=running").content.decode()
    assert "Nothing found" in page
