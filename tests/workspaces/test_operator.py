"""The operators' pages: workspaces and people, for operators only."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config import heartbeat
from tests.exports.factories import RunFactory
from tests.segments.factories import ImportFactory
from tests.workspaces.factories import MembershipFactory, UserFactory, sign_in
from workspaces import operations
from workspaces.models import Refresh

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


def test_the_system_page_tells_what_waits_what_stands_still_and_what_to_do(
    workspace: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(operations, "ASK_SECONDS", 0.05)
    page = operator().get("/operator/system/").content.decode()
    assert "The scheduler was not seen" in page
    assert "celery -A config.celery worker -Q runs" in page
    assert "No worker answers" in page
    assert "Nothing stands still" in page

    long_ago = timezone.now() - timedelta(hours=1)
    run = RunFactory(workspace=workspace, state="sending", heartbeat_at=long_ago)
    load = ImportFactory(workspace=workspace, state="running", heartbeat_at=long_ago)
    refresh = Refresh.objects.create(
        workspace=workspace, trigger="member", state="running", created_at=long_ago
    )
    heartbeat.beat()
    served = ("data", "default", "runs")
    worker = operations.Worker("work@here", served, ("t",))
    monkeypatch.setattr(operations, "_workers", lambda: [worker])
    page = operator().get("/operator/system/").content.decode()
    assert "The scheduler was not seen" not in page
    assert "work@here" in page
    assert ", ".join(served) in page
    for told in (f"Run {run.pk}", f"Import {load.pk}", f"Refresh {refresh.pk}", workspace.slug):
        assert told in page
    assert run.destination.name not in page

    run.delete()
    load.delete()
    refresh.delete()
    assert "All is well" in operator().get("/operator/system/").content.decode()
    cache.set(heartbeat.KEY, long_ago)
    assert "1\xa0hour ago" in operator().get("/operator/system/").content.decode()


def test_the_system_page_is_for_operators_only(db: None) -> None:
    member = sign_in(Client(), MembershipFactory().user)
    assert member.get("/operator/system/").status_code == 302
    assert Client().get("/operator/system/").status_code == 302
