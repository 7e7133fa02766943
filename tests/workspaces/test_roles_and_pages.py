"""Who may open and do what: every page of workspaces for every role."""

from typing import Any

import pytest
from django.urls import reverse

from tests.workspaces.factories import signed_in
from workspaces.models import AuditEntry, Membership, Refresh, Role, Schedule, Workspace

OPEN = {
    "home": Role.values,
    "schedule": Role.values,
    "refreshes": Role.values,
    "home_refreshes": Role.values,
    "members": [Role.ADMINISTRATOR],
    "member_invite": [Role.ADMINISTRATOR],
    "settings": [Role.ADMINISTRATOR],
    "audit": [Role.ADMINISTRATOR],
}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("page", OPEN)
def test_a_page_opens_for_its_roles_only(workspace: Workspace, page: str, role: str) -> None:
    answer = signed_in(workspace, role).get(reverse(f"workspaces:{page}", args=[workspace.slug]))
    assert answer.status_code == (200 if role in OPEN[page] else 403)


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
@pytest.mark.parametrize("name", ["member_role", "member_remove"])
def test_only_administrators_change_members(workspace: Workspace, role: str, name: str) -> None:
    client = signed_in(workspace, role)
    url = reverse(f"workspaces:{name}", args=[workspace.slug, client.member.pk])
    answer = client.post(url, {"role": Role.ADMINISTRATOR})
    assert answer.status_code == 403
    assert Membership.objects.get(pk=client.member.pk).role == role


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
def test_only_administrators_change_the_schedule(workspace: Workspace, role: str) -> None:
    client = signed_in(workspace, role)
    url = reverse("workspaces:schedule", args=[workspace.slug])
    assert "Only Administrators change the schedule" in client.get(url).content.decode()
    answer = client.post(
        url, {"enabled": "on", "days": [1], "times": ["06:00"], "time_zone": "UTC"}
    )
    assert answer.status_code == 403
    assert not Schedule.objects.filter(enabled=True).exists()


@pytest.mark.parametrize(
    ("role", "status", "started"),
    [(Role.ADMINISTRATOR, 302, 1), (Role.CONTRIBUTOR, 302, 1), (Role.VIEWER, 403, 0)],
)
def test_contributors_and_administrators_refresh_now(
    workspace: Workspace, role: str, status: int, started: int
) -> None:
    url = reverse("workspaces:refresh_now", args=[workspace.slug])
    assert signed_in(workspace, role).post(url).status_code == status
    assert Refresh.objects.count() == started


@pytest.mark.parametrize("role", Role.values)
def test_the_sidebar_offers_what_the_member_may_open(workspace: Workspace, role: str) -> None:
    page = signed_in(workspace, role).get(workspace.get_absolute_url()).content.decode()
    sees_members = f'href="{reverse("workspaces:members", args=[workspace.slug])}"' in page
    assert sees_members == (role == Role.ADMINISTRATOR)
    assert f'href="{reverse("workspaces:schedule", args=[workspace.slug])}"' in page
    assert page.count('aria-current="page"') == 1


def test_what_needs_a_post_takes_nothing_else(workspace: Workspace) -> None:
    client = signed_in(workspace)
    assert client.get(reverse("workspaces:refresh_now", args=[workspace.slug])).status_code == 405


def test_who_is_refused_is_told_what_to_do(workspace: Workspace) -> None:
    client = signed_in(workspace, Role.VIEWER)
    answer: Any = client.get(reverse("workspaces:audit", args=[workspace.slug]))
    assert "As Viewer you can’t do this here" in answer.content.decode()


def test_the_name_and_the_time_zone_are_changed(workspace: Workspace) -> None:
    client = signed_in(workspace)
    url = reverse("workspaces:settings", args=[workspace.slug])
    client.post(url, {"name": "Botiga Nova", "time_zone": "Atlantic/Canary"})
    workspace.refresh_from_db()
    assert (workspace.name, workspace.time_zone) == ("Botiga Nova", "Atlantic/Canary")
    assert AuditEntry.objects.filter(action="workspace.changed").exists()
