"""The operators' pages: workspaces and people, for operators only."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.workspaces.factories import MembershipFactory, UserFactory, sign_in

LISTS = ["admin:workspaces_workspace_changelist", "admin:workspaces_user_changelist"]


def operator() -> Client:
    return sign_in(Client(), UserFactory(is_staff=True, is_superuser=True))


@pytest.mark.parametrize("name", LISTS)
def test_operators_find_workspaces_and_people(db: None, name: str) -> None:
    member = MembershipFactory()
    page = operator().get(reverse(name)).content.decode()
    assert (member.workspace.name if "workspace_" in name else member.user.email) in page


@pytest.mark.parametrize("name", LISTS)
def test_administrators_of_a_workspace_are_no_operators(db: None, name: str) -> None:
    client = sign_in(Client(), MembershipFactory().user)
    assert client.get(reverse(name)).status_code == 302


def test_an_operator_locks_an_account(db: None) -> None:
    user = UserFactory()
    client = operator()
    url = reverse("admin:workspaces_user_change", args=[user.pk])
    assert client.get(url).status_code == 200
    client.post(url, {"email": user.email, "first_name": "", "last_name": ""})
    user.refresh_from_db()
    assert not user.is_active


def test_an_operator_neither_makes_nor_deletes_a_workspace_here(db: None) -> None:
    client = operator()
    assert client.get(reverse("admin:workspaces_workspace_add")).status_code == 403
    workspace = MembershipFactory().workspace
    url = reverse("admin:workspaces_workspace_delete", args=[workspace.pk])
    assert client.get(url).status_code == 403


def test_being_an_operator_opens_no_workspace(db: None) -> None:
    assert operator().get(MembershipFactory().workspace.get_absolute_url()).status_code == 404
