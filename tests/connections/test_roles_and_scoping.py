"""Who may see and do what with connections; nothing of another workspace is there at all."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from connections.models import Connection
from connections.selectors import usable_by
from tests.connections.factories import ConnectionFactory, draft
from tests.connections.walk import entered, url, words
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory, signed_in
from workspaces.models import Role, Workspace
from workspaces.permissions import may

LIST_PAGES = ["list", "add"]
PAGES = ["detail", "edit", "remove", "other_account", "export_user"]
DEEDS = ["authorise", "consent", "check", "edit", "remove", "other_account", "export_user"]


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
def test_only_administrators_see_and_change_connections(workspace: Workspace, role: str) -> None:
    connection = ConnectionFactory(workspace=workspace, sharing="contributors")
    browser = signed_in(workspace, role)
    for name in LIST_PAGES:
        refused = browser.get(url(name, workspace))
        assert refused.status_code == 403
        assert "you can’t do this here" in words(refused)
        assert connection.name not in words(refused)
    for name in PAGES:
        assert browser.get(url(name, workspace, connection.pk)).status_code == 403
    for name in DEEDS:
        assert browser.post(url(name, workspace, connection.pk)).status_code == 403
    assert browser.post(url("add", workspace), entered()).status_code == 403
    assert Connection.objects.count() == 1


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
def test_the_sidebar_leads_only_administrators_there(workspace: Workspace, role: str) -> None:
    where = f'href="{url("list", workspace)}"'
    assert where in words(signed_in(workspace).get(workspace.get_absolute_url()))
    assert where not in words(signed_in(workspace, role).get(workspace.get_absolute_url()))


def test_what_is_shared_decides_what_a_contributor_may_use(workspace: Workspace) -> None:
    shared = ConnectionFactory(workspace=workspace, name="Shared", sharing="contributors")
    ConnectionFactory(workspace=workspace, name="Not shared", sharing="administrators")
    draft(workspace, MembershipFactory(workspace=workspace).user, sharing="contributors")
    names = {
        role: [one.name for one in usable_by(MembershipFactory(workspace=workspace, role=role))]
        for role in Role.values
    }
    assert names == {
        Role.ADMINISTRATOR: ["Not shared", "Shared"],
        Role.CONTRIBUTOR: ["Shared"],
        Role.VIEWER: [],
    }
    contributor = MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)
    for action in ("view", "add", "change", "remove"):
        assert not may(contributor, f"connection.{action}", shared)


def test_another_workspaces_connection_is_not_found(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        theirs = ConnectionFactory(workspace=other, name="Theirs")
    browser = signed_in(workspace)
    for name in PAGES:
        assert browser.get(url(name, workspace, theirs.pk)).status_code == 404
    for name in DEEDS:
        assert browser.post(url(name, workspace, theirs.pk)).status_code == 404
    assert browser.get(url("detail", other, theirs.pk)).status_code == 404
    assert "Theirs" not in words(browser.get(url("list", workspace)))
    with scope(workspace=other):
        assert Connection.objects.get().state == "active"


def test_a_name_may_be_used_in_each_workspace(workspace: Workspace, sandbox: Any) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        ConnectionFactory(workspace=other, name="Newsletter account")
    assert signed_in(workspace).post(url("add", workspace), entered()).status_code == 302


def test_who_is_not_signed_in_is_asked_to(workspace: Workspace) -> None:
    answer = Client().get(url("list", workspace))
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", ["authorise", "consent", "check"])
def test_what_changes_something_takes_a_post_only(workspace: Workspace, name: str) -> None:
    connection = ConnectionFactory(workspace=workspace)
    assert signed_in(workspace).get(url(name, workspace, connection.pk)).status_code == 405


def test_home_tells_administrators_what_stops_exports(workspace: Workspace) -> None:
    ConnectionFactory(workspace=workspace, name="Ended account", state="needs_sign_in")
    ConnectionFactory(workspace=workspace, name="Of nobody", export_user=None)
    ConnectionFactory(workspace=workspace, name="Withdrawn on purpose", consented=False)
    home = words(signed_in(workspace).get(workspace.get_absolute_url()))
    assert "The connection “Ended account” needs sign-in" in home
    assert "The connection “Of nobody” has no export user" in home
    assert "Withdrawn on purpose" not in home
    viewer = signed_in(workspace, Role.VIEWER)
    assert "Ended account" not in words(viewer.get(workspace.get_absolute_url()))
